"""new housing estates, from which the next years are forecast, and how far a project has come

Revision ID: 0140_estates_and_stages
Revises: 0139_statistics_returns
"""

import sqlalchemy as sa
from alembic import op

revision = "0140_estates_and_stages"
down_revision = "0139_statistics_returns"
branch_labels = None
depends_on = None

KINDS = "'kindergartens','programmes','roll','service-areas','births','area-history','named-places','measures','staff'"
DROP = "-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT {name}"


def _checks(**rules: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=op.f(f"ck_estate__{name}")) for name, rule in rules.items()]


def _create_estates() -> None:
    op.create_table(
        "estate",
        sa.Column("area_code", sa.String(), sa.ForeignKey("area.code", name="fk_estate__area_code"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("first_september", sa.Integer(), nullable=False),
        sa.Column("dwellings", sa.Integer(), nullable=False),
        sa.Column("per_hundred", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("area_code", "name", name="pk_estate"),
        *_checks(
            has_a_name="length(name) > 0",
            sane_year="first_september BETWEEN 1990 AND 2100",
            some_dwellings="dwellings BETWEEN 1 AND 50000",
            sane_children="per_hundred BETWEEN 0 AND 60",
        ),
    )
    op.create_index("ix_estate__first_september", "estate", ["first_september"])


def _replace(table: str, name: str, rule: str) -> None:
    """A check of new rows; the next migration looks at those that are there, without keeping anybody out."""
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID")


def upgrade() -> None:
    _create_estates()
    op.add_column("measure", sa.Column("stage", sa.String(), server_default="idea", nullable=False))
    _replace("measure", "ck_measure__known_stage", "stage IN ('idea','approved','underway','done')")
    op.execute(DROP.format(table="import_file", name="ck_import_file__known_kind"))
    _replace("import_file", "ck_import_file__known_kind", f"kind IN ({KINDS},'estates')")


def downgrade() -> None:
    op.execute("DELETE FROM import_file WHERE kind = 'estates'")
    op.execute(DROP.format(table="import_file", name="ck_import_file__known_kind"))
    _replace("import_file", "ck_import_file__known_kind", f"kind IN ({KINDS})")
    op.drop_column("measure", "stage")
    op.drop_table("estate")
