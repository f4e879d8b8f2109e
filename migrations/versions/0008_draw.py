"""snapshots, draws, tickets, runs and their results; estimates of chances

Revision ID: 0008_draw
Revises: 0007_offers
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_draw"
down_revision = "0007_offers"
branch_labels = None
depends_on = None


FUNCTIONS = ("keep_the_snapshot", "keep_the_seed", "ticket_needs_a_seed", "keep_the_run")


def _create_function(name: str) -> None:
    op.execute((Path(__file__).with_name("sql") / revision / f"{name}.sql").read_text("utf-8"))


def upgrade() -> None:
    for name in FUNCTIONS:
        _create_function(name)

    op.create_table(
        "snapshot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_snapshot__round_id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("market", sa.LargeBinary(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("wishes", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_snapshot__made_by"), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_snapshot"),
        sa.UniqueConstraint("round_id", "number", name="uq_snapshot__round_id_number"),
        sa.CheckConstraint("length(commitment) = 64", name=op.f("ck_snapshot__commitment_is_sha256")),
    )
    op.execute(
        "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON snapshot FOR EACH ROW EXECUTE FUNCTION keep_the_snapshot()"
    )

    op.create_table(
        "draw",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_draw__year"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), sa.ForeignKey("snapshot.id", name="fk_draw__snapshot_id"), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beacon_name", sa.String(), nullable=False),
        sa.Column("beacon", sa.String(), nullable=True),
        sa.Column("ceremony", sa.String(), nullable=True),
        sa.Column("seed", sa.String(), nullable=True),
        sa.Column("seeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seeded_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_draw__seeded_by"), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_draw"),
        sa.UniqueConstraint("year", "number", name="uq_draw__year_number"),
        sa.CheckConstraint(
            "seeded_at IS NULL OR seeded_at > committed_at", name=op.f("ck_draw__seed_after_commitment")
        ),
        sa.CheckConstraint("(seed IS NULL) = (seeded_at IS NULL)", name=op.f("ck_draw__seed_has_a_time")),
        sa.CheckConstraint("seed IS NULL OR length(seed) = 64", name=op.f("ck_draw__seed_is_sha256")),
    )
    op.execute(
        "CREATE TRIGGER kept BEFORE INSERT OR UPDATE OR DELETE ON draw FOR EACH ROW EXECUTE FUNCTION keep_the_seed()"
    )

    op.create_table(
        "ticket",
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_ticket__child_id"), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_ticket__year"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.Uuid(), sa.ForeignKey("draw.id", name="fk_ticket__draw_id"), nullable=False),
        sa.PrimaryKeyConstraint("child_id", "year", name="pk_ticket"),
        sa.UniqueConstraint("year", "number", name="uq_ticket__year_number"),
        sa.CheckConstraint("number >= 1", name=op.f("ck_ticket__counted_from_one")),
    )
    op.execute("CREATE TRIGGER drawn BEFORE INSERT ON ticket FOR EACH ROW EXECUTE FUNCTION ticket_needs_a_seed()")
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON ticket FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_family()"
    )

    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_run__round_id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), sa.ForeignKey("snapshot.id", name="fk_run__snapshot_id"), nullable=False),
        sa.Column(
            "job_id", sa.Uuid(), sa.ForeignKey("job.id", name="fk_run__job_id", ondelete="SET NULL"), nullable=True
        ),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("engine", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("summary", postgresql.JSONB(), nullable=True),
        sa.Column("bundle", sa.LargeBinary(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_run__started_by"), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("replays", sa.Uuid(), sa.ForeignKey("run.id", name="fk_run__replays"), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("round_id", "number", name="uq_run__round_id_number"),
        sa.CheckConstraint(
            "state NOT IN ('checked','published','superseded') OR digest IS NOT NULL",
            name=op.f("ck_run__checked_has_a_digest"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting','running','checked','failed','published','superseded','set_aside')",
            name=op.f("ck_run__known_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('published','superseded')) = (published_at IS NOT NULL)",
            name=op.f("ck_run__published_has_a_time"),
        ),
    )
    op.create_index("ix_run__job_id", "run", ["job_id"])
    op.create_index(
        "uq_run__one_published", "run", ["round_id"], unique=True, postgresql_where=sa.text("state = 'published'")
    )
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON run FOR EACH ROW EXECUTE FUNCTION keep_the_run()")

    op.create_table(
        "placement",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="fk_placement__run_id"), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_placement__application_id"),
            nullable=False,
        ),
        sa.Column(
            "programme_id", sa.Uuid(), sa.ForeignKey("programme.id", name="fk_placement__programme_id"), nullable=True
        ),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("pool", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "application_id", name="pk_placement"),
    )
    op.create_index("ix_placement__application_id", "placement", ["application_id"])
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON placement FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_family()"
    )

    op.create_table(
        "cut_off",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="fk_cut_off__run_id"), nullable=False),
        sa.Column(
            "programme_id", sa.Uuid(), sa.ForeignKey("programme.id", name="fk_cut_off__programme_id"), nullable=False
        ),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("filled", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("eligible", sa.Integer(), nullable=True),
        sa.Column("tier", sa.Integer(), nullable=True),
        sa.Column("ticket", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "programme_id", "pool", name="pk_cut_off"),
    )
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON cut_off FOR EACH ROW EXECUTE FUNCTION refuse_change_for_ten_years('')"
    )

    op.create_table(
        "wish_reason",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="fk_wish_reason__run_id"), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_wish_reason__application_id"),
            nullable=False,
        ),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column(
            "programme_id",
            sa.Uuid(),
            sa.ForeignKey("programme.id", name="fk_wish_reason__programme_id"),
            nullable=False,
        ),
        sa.Column("pool", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.Integer(), nullable=False),
        sa.Column("cutoff_tier", sa.Integer(), nullable=True),
        sa.Column("cutoff_ticket", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "application_id", "rank", name="pk_wish_reason"),
    )
    op.create_index("ix_wish_reason__application_id", "wish_reason", ["application_id"])
    op.create_index("ix_wish_reason__programme", "wish_reason", ["run_id", "programme_id"])
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON wish_reason FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_family()"
    )

    op.create_table(
        "chance_estimate",
        sa.Column(
            "round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_chance_estimate__round_id"), nullable=False
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("families", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("round_id", name="pk_chance_estimate"),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_chance_estimate__digest_is_sha256")),
        sa.CheckConstraint(
            "families > 0 AND children >= families AND draws > 0", name=op.f("ck_chance_estimate__of_somebody")
        ),
    )

    op.create_table(
        "chance_line",
        sa.Column(
            "round_id",
            sa.Uuid(),
            sa.ForeignKey("chance_estimate.round_id", name="fk_chance_line__round_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "programme_id",
            sa.Uuid(),
            sa.ForeignKey("programme.id", name="fk_chance_line__programme_id"),
            nullable=False,
        ),
        sa.Column("pools", postgresql.JSONB(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "programme_id", name="pk_chance_line"),
    )

    # offers were made before runs
    op.create_foreign_key("fk_offer__run_id", "offer", "run", ["run_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint("fk_offer__run_id", "offer", type_="foreignkey")
    op.drop_table("chance_line")
    op.drop_table("chance_estimate")
    op.drop_table("wish_reason")
    op.drop_table("cut_off")
    op.drop_table("placement")
    op.drop_table("run")
    op.drop_table("ticket")
    op.drop_table("draw")
    op.drop_table("snapshot")
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}()")
