"""which earlier signatures counted when one was made

Revision ID: 0154_counted_signatures
Revises: 0149_trail_alarms
"""

import sqlalchemy as sa
from alembic import op

revision = "0154_counted_signatures"
down_revision = "0149_trail_alarms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("signature", sa.Column("counted_with", sa.ARRAY(sa.Uuid()), nullable=True))


def downgrade() -> None:
    op.drop_column("signature", "counted_with")
