"""days off and working weekends of an admission year

Revision ID: 0027_season_days
Revises: 0023_three_files
"""

import sqlalchemy as sa
from alembic import op

revision = "0027_season_days"
down_revision = "0026_publication_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The years that exist use the packaged days until an official corrects one."""
    op.create_table(
        "season_day",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('rest','work')", name=op.f("ck_season_day__known_kind")),
        sa.ForeignKeyConstraint(["year"], ["season.year"], name=op.f("fk_season_day__year")),
        sa.PrimaryKeyConstraint("year", "day", name=op.f("pk_season_day")),
    )


def downgrade() -> None:
    op.drop_table("season_day")
