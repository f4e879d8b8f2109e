"""targets of the two shares, set by two people with their source

The table `target` goes: no page, import or command ever wrote it, only the demo city, which is built anew.

Revision ID: 0021_targets
Revises: 0020_season_stages
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0021_targets"
down_revision = "0020_season_stages"
branch_labels = None
depends_on = None

NAME = "target_decision"
CHECKS = {
    "sane_year": "year BETWEEN 2000 AND 2100",
    "known_scope": "scope IN ('city','area','national')",
    "area_of_its_own": "(scope = 'area') = (area_code IS NOT NULL)",
    "zero_to_all": "public BETWEEN 0 AND 10000 AND inclusive BETWEEN 0 AND 10000",
    "some_share": "public IS NOT NULL OR inclusive IS NOT NULL",
    "in_force_in_its_year": "in_force_from <= make_date(year, 12, 31)",
    "has_a_source": "length(source_name) > 0",
    "signed_by_somebody": "(signed_by IS NULL) = (signed_at IS NULL)",
    "second_person": "signed_by <> proposed_by",
    "withdrawn_by_somebody": "(withdrawn_by IS NULL) = (withdrawn_at IS NULL)",
    "one_end": "signed_at IS NULL OR withdrawn_at IS NULL",
}


def _person(column: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(column, sa.Uuid(), sa.ForeignKey("account.id", name=f"fk_{NAME}__{column}"), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        NAME,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), sa.ForeignKey("area.code", name=f"fk_{NAME}__area_code"), nullable=True),
        sa.Column("public", sa.Integer(), nullable=True),
        sa.Column("inclusive", sa.Integer(), nullable=True),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("source_name", sa.String(), nullable=False),
        sa.Column("source_number", sa.String(), nullable=True),
        sa.Column("source_date", sa.Date(), nullable=False),
        _person("proposed_by", nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        _person("signed_by"),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        _person("withdrawn_by"),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=f"pk_{NAME}"),
        *(sa.CheckConstraint(rule, name=op.f(f"ck_{NAME}__{name}")) for name, rule in CHECKS.items()),
    )
    op.create_index(
        f"uq_{NAME}__one_proposal",
        NAME,
        ["year", "scope", "area_code"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("signed_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.execute((Path(__file__).with_name("sql") / revision / "keep_the_target.sql").read_text("utf-8"))
    op.execute(f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON {NAME} FOR EACH ROW EXECUTE FUNCTION keep_the_target()")
    op.execute("-- squawk-ignore ban-drop-table\nDROP TABLE target")


def downgrade() -> None:
    op.create_table(
        "target",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_target__year"), nullable=False),
        sa.Column("area_code", sa.String(), sa.ForeignKey("area.code", name="fk_target__area_code"), nullable=True),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_target"),
        sa.UniqueConstraint(
            "year", "area_code", "share", name="uq_target__year_area_code_share", postgresql_nulls_not_distinct=True
        ),
        sa.CheckConstraint("share IN ('public','inclusive')", name=op.f("ck_target__known_share")),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name=op.f("ck_target__sane_percent")),
    )
    op.drop_table(NAME)
    op.execute("DROP FUNCTION keep_the_target()")
