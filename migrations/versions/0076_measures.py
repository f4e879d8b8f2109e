"""measures that officials could take, and plans of them

Revision ID: 0076_measures
Revises: 0075_check_names
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0076_measures"
down_revision = "0075_check_names"
branch_labels = None
depends_on = None

KINDS = "'kindergartens','programmes','roll','service-areas','births','area-history','named-places'"


def _checks(table: str, **rules: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{table}__{name}")) for name, rule in rules.items()]


def _person(table: str, column: str, *, nullable: bool = True) -> sa.Column:
    key = sa.ForeignKey("account.id", name=f"fk_{table}__{column}")
    return sa.Column(column, sa.Uuid(), key, nullable=nullable)


def _create_measures() -> None:
    op.create_table(
        "measure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), sa.ForeignKey("area.code", name="fk_measure__area_code"), nullable=False),
        sa.Column(
            "kindergarten_id",
            sa.Uuid(),
            sa.ForeignKey("kindergarten.id", name="fk_measure__kindergarten_id"),
            nullable=True,
        ),
        sa.Column("nature", sa.String(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("yearly", sa.Integer(), nullable=False),
        sa.Column("earliest_year", sa.Integer(), nullable=False),
        sa.Column("lead_years", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        _person("measure", "made_by"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_measure"),
        sa.UniqueConstraint("code", name="uq_measure__code"),
        *_checks(
            "measure",
            known_kind="kind IN ('build','enlarge','affiliated','estate','to_inclusive','to_public','merge','close')",
            counted_nature="nature IN ('public','inclusive')",
            kindergarten_to_change="kindergarten_id IS NOT NULL OR kind IN ('build','enlarge','affiliated','estate')",
            some_places="places BETWEEN 1 AND 2000",
            sane_money="cost BETWEEN 0 AND 1000000 AND yearly BETWEEN -1000000 AND 1000000",
            sane_years="earliest_year BETWEEN 2000 AND 2100 AND lead_years BETWEEN 0 AND 6",
            has_a_name="length(name) > 0 AND length(code) > 0",
        ),
    )
    op.create_index("ix_measure__area_code", "measure", ["area_code"])
    op.create_index("ix_measure__kindergarten_id", "measure", ["kindergarten_id"])


def _create_plans() -> None:
    op.create_table(
        "measure_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("question", postgresql.JSONB(), nullable=False),
        sa.Column("locks", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _person("measure_plan", "made_by", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "job_id",
            sa.Uuid(),
            sa.ForeignKey("job.id", name="fk_measure_plan__job_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("basis", postgresql.JSONB(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True),
        _person("measure_plan", "proposed_by"),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        _person("measure_plan", "signed_by"),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_measure_plan"),
        *_checks(
            "measure_plan",
            known_state="state IN ('draft','running','done','stopped','refused')",
            has_a_name="length(name) > 0",
            proposed_by_somebody="(proposed_by IS NULL) = (proposed_at IS NULL)",
            signed_by_somebody="(signed_by IS NULL) = (signed_at IS NULL)",
            proposed_first="signed_by IS NULL OR proposed_by IS NOT NULL",
            second_person="signed_by <> proposed_by",
        ),
    )


def _replace_kinds(kinds: str) -> None:
    op.execute(
        "-- squawk-ignore ban-drop-constraint\nALTER TABLE import_file DROP CONSTRAINT ck_import_file__known_kind"
    )
    op.execute(f"ALTER TABLE import_file ADD CONSTRAINT ck_import_file__known_kind CHECK (kind IN ({kinds})) NOT VALID")


def upgrade() -> None:
    _create_measures()
    _create_plans()
    _replace_kinds(f"{KINDS},'measures'")


def downgrade() -> None:
    op.execute("DELETE FROM import_file WHERE kind = 'measures'")
    _replace_kinds(KINDS)
    op.drop_table("measure_plan")
    op.drop_table("measure")
