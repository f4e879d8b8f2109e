"""an admission year is announced by two people, and closed

Revision ID: 0020_season_stages
Revises: 0019_bonds
"""

import sqlalchemy as sa
from alembic import op

revision = "0020_season_stages"
down_revision = "0019_bonds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The years that exist were shown to families, so they are announced.  The table has one row for each year."""
    in_order = sa.CheckConstraint(
        "closed_at IS NULL OR announced_at <= closed_at", name=op.f("ck_season__closed_after_it_was_announced")
    )
    op.add_column("season", sa.Column("announced_at", sa.DateTime(timezone=True)))
    op.add_column("season", sa.Column("closed_at", sa.DateTime(timezone=True), in_order))
    op.execute("UPDATE season SET announced_at = opened_at")


def downgrade() -> None:
    op.drop_column("season", "closed_at")
    op.drop_column("season", "announced_at")
