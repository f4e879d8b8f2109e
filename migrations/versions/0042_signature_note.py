"""what a signer wrote about what was signed

Revision ID: 0042_signature_note
Revises: 0041_prepared_results
"""

import sqlalchemy as sa
from alembic import op

revision = "0042_signature_note"
down_revision = "0041_prepared_results"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("signature", sa.Column("note", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("signature", "note")
