"""one live offer for a child and season

A child that arrived keeps its offer for good, so the rule must name the season, or the next one could offer nothing.
The season stands on the offer and is held to its programme's by the foreign key.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LIVE = sa.text("state IN ('offered','confirmed','confirmed_waiting','arrived')")


def upgrade() -> None:
    op.create_unique_constraint(op.f("uq_programme__id_year"), "programme", ["id", "year"])
    op.add_column("offer", sa.Column("year", sa.Integer(), nullable=True))
    op.execute("UPDATE offer SET year = programme.year FROM programme WHERE programme.id = offer.programme_id")
    op.alter_column("offer", "year", nullable=False)
    op.drop_constraint(op.f("fk_offer__programme_id"), "offer", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_offer__programme_id_year"), "offer", "programme", ["programme_id", "year"], ["id", "year"]
    )
    op.drop_index("uq_offer__one_live", table_name="offer", postgresql_where=LIVE)
    op.create_index("uq_offer__one_live", "offer", ["child_id", "year"], unique=True, postgresql_where=LIVE)


def downgrade() -> None:
    op.drop_index("uq_offer__one_live", table_name="offer", postgresql_where=LIVE)
    op.create_index("uq_offer__one_live", "offer", ["child_id"], unique=True, postgresql_where=LIVE)
    op.drop_constraint(op.f("fk_offer__programme_id_year"), "offer", type_="foreignkey")
    op.create_foreign_key(op.f("fk_offer__programme_id"), "offer", "programme", ["programme_id"], ["id"])
    op.drop_column("offer", "year")
    op.drop_constraint(op.f("uq_programme__id_year"), "programme", type_="unique")
