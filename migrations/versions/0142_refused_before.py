"""how many children stand before a refused wish, stored with its reason

Revision ID: 0142_refused_before
Revises: 0141_codes_not_entered
"""

import sqlalchemy as sa
from alembic import op

revision = "0142_refused_before"
down_revision = "0141_codes_not_entered"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("wish_reason", sa.Column("refused_before", sa.Integer()))


def downgrade() -> None:
    op.drop_column("wish_reason", "refused_before")
