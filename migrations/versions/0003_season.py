"""seasons and their calendar, policies, rounds

Revision ID: 0003_season
Revises: 0002_places
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_season"
down_revision = "0002_places"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "season",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hotline", sa.String(), nullable=True),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("year", name="pk_season"),
    )

    op.create_table(
        "season_date",
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_season_date__year"), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("year", "step", name="pk_season_date"),
        sa.CheckConstraint("begins_at < ends_at", name=op.f("ck_season_date__begins_before_it_ends")),
        sa.CheckConstraint(
            "step IN ('announcement','registration','review','draw','result','confirmation','supplementary','arrival')",
            name=op.f("ck_season_date__known_step"),
        ),
    )

    op.create_table(
        "policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(), sa.ForeignKey("area.code", name="fk_policy__area_code"), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_policy__year"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_policy__made_by"), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dry_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_policy"),
        sa.UniqueConstraint("area_code", "year", "version", name="uq_policy__area_code_year_version"),
        sa.CheckConstraint(
            "signed_at IS NULL OR dry_run_at IS NOT NULL", name=op.f("ck_policy__signed_after_a_dry_run")
        ),
    )
    op.create_index(
        "uq_policy__one_in_force",
        "policy",
        ["area_code", "year"],
        unique=True,
        postgresql_where=sa.text("signed_at IS NOT NULL AND withdrawn_at IS NULL"),
    )

    op.create_table(
        "round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_round__year"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("max_wishes", sa.Integer(), nullable=False),
        sa.Column("pair_rule", sa.String(), nullable=False),
        sa.Column("areas", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("natures", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("levels", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirm_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "draw_job_id",
            sa.Uuid(),
            sa.ForeignKey("job.id", name="fk_round__draw_job_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_round"),
        sa.UniqueConstraint("year", "number", name="uq_round__year_number"),
        sa.CheckConstraint("opens_at < closes_at AND closes_at < confirm_by", name=op.f("ck_round__dates_in_order")),
        sa.CheckConstraint("kind IN ('main','waitlist','supplementary','central')", name=op.f("ck_round__known_kind")),
        sa.CheckConstraint("pair_rule IN ('overhang','close')", name=op.f("ck_round__known_pair_rule")),
        sa.CheckConstraint(
            "stage IN ('planned','open','closed','frozen','drawn','published','finished')",
            name=op.f("ck_round__known_stage"),
        ),
        sa.CheckConstraint("max_wishes BETWEEN 1 AND 20", name=op.f("ck_round__some_wishes")),
    )

    op.create_table(
        "round_policy",
        sa.Column("round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_round_policy__round_id"), nullable=False),
        sa.Column(
            "area_code", sa.String(), sa.ForeignKey("area.code", name="fk_round_policy__area_code"), nullable=False
        ),
        sa.Column(
            "policy_id", sa.Uuid(), sa.ForeignKey("policy.id", name="fk_round_policy__policy_id"), nullable=False
        ),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "area_code", name="pk_round_policy"),
    )

    op.create_table(
        "round_programme",
        sa.Column(
            "round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_round_programme__round_id"), nullable=False
        ),
        sa.Column(
            "programme_id",
            sa.Uuid(),
            sa.ForeignKey("programme.id", name="fk_round_programme__programme_id"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("round_id", "programme_id", name="pk_round_programme"),
    )
    op.create_index("ix_round_programme__programme_id", "round_programme", ["programme_id"])

    # permissions of retention were made before seasons
    op.create_foreign_key("fk_upkeep__year", "upkeep", "season", ["year"], ["year"])


def downgrade() -> None:
    op.drop_constraint("fk_upkeep__year", "upkeep", type_="foreignkey")
    op.drop_table("round_programme")
    op.drop_table("round_policy")
    op.drop_table("round")
    op.drop_table("policy")
    op.drop_table("season_date")
    op.drop_table("season")
