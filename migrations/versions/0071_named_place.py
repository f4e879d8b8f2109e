"""streets, communities and estates with a point on the map

Revision ID: 0071_named_place
Revises: 0069_valid_import_kinds
"""

import sqlalchemy as sa
from alembic import op

revision = "0071_named_place"
down_revision = "0069_valid_import_kinds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "named_place",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.Column("longitude", sa.Numeric(9, 6), nullable=False),
        sa.Column("latitude", sa.Numeric(8, 6), nullable=False),
        sa.CheckConstraint("kind IN ('street','community','estate')", name="ck_named_place__known_kind"),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_named_place__area_code"),
        sa.PrimaryKeyConstraint("id", name="pk_named_place"),
        sa.UniqueConstraint("area_code", "kind", "name", name="uq_named_place__area_code_kind_name"),
    )
    # a longer list of kinds; the next migration validates it
    op.execute(
        "-- squawk-ignore ban-drop-constraint\nALTER TABLE import_file DROP CONSTRAINT ck_import_file__known_kind"
    )
    op.execute(
        "ALTER TABLE import_file ADD CONSTRAINT ck_import_file__known_kind"
        " CHECK (kind IN ('kindergartens','programmes','roll','service-areas','births','area-history','named-places')) NOT VALID"
    )


def downgrade() -> None:
    op.execute("DELETE FROM import_file WHERE kind = 'named-places'")
    op.drop_constraint(op.f("ck_import_file__known_kind"), "import_file")
    op.execute(
        "ALTER TABLE import_file ADD CONSTRAINT ck_import_file__known_kind"
        " CHECK (kind IN ('kindergartens','programmes','roll','service-areas','births','area-history'))"
    )
    op.drop_table("named_place")
