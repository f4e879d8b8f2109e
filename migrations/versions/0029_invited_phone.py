"""the masked number of an invitation, and whether a photo looked blurred

Revision ID: 0029_invited_phone
Revises: 0027_season_days
"""

import sqlalchemy as sa
from alembic import op

revision = "0029_invited_phone"
down_revision = "0028_sealed_codes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invitation", sa.Column("phone_hint", sa.String()))
    op.add_column("evidence_page", sa.Column("blurred", sa.Boolean()))


def downgrade() -> None:
    op.drop_column("evidence_page", "blurred")
    op.drop_column("invitation", "phone_hint")
