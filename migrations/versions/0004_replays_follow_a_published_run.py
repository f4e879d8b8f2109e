"""replays follow a published run, and what a run gave never changes

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = ("waiting", "running", "checked", "failed", "published", "set_aside")
AFTER = ("waiting", "running", "checked", "failed", "published", "superseded", "set_aside")

KEEP_THE_SEED = """
    CREATE OR REPLACE FUNCTION keep_the_seed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        @committed_first@
        IF TG_OP = 'DELETE' OR OLD.seed IS NOT NULL THEN
            RAISE EXCEPTION 'a draw that has its seed never changes' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
"""
COMMITTED_FIRST = """
        IF TG_OP = 'INSERT' THEN
            IF NEW.seed IS NOT NULL THEN
                RAISE EXCEPTION 'the commitment is published before the seed' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END IF;
        IF TG_OP = 'UPDATE' AND NEW.seed IS NOT NULL AND (NEW.commitment, NEW.committed_at, NEW.snapshot_id)
           IS DISTINCT FROM (OLD.commitment, OLD.committed_at, OLD.snapshot_id) THEN
            RAISE EXCEPTION 'the commitment is published before the seed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
"""


def _states(states: tuple[str, ...], checked: tuple[str, ...], published: tuple[str, ...]) -> None:
    def listed(codes):
        return "('" + "','".join(codes) + "')"

    for name in ("known_state", "checked_has_a_digest", "published_has_a_time"):
        op.drop_constraint(op.f(f"ck_run__{name}"), "run", type_="check")
    op.create_check_constraint(op.f("ck_run__known_state"), "run", f"state IN {listed(states)}")
    op.create_check_constraint(
        op.f("ck_run__checked_has_a_digest"), "run", f"state NOT IN {listed(checked)} OR digest IS NOT NULL"
    )
    with_time = f"(state IN {listed(published)})" if len(published) > 1 else f"(state = '{published[0]}')"
    op.create_check_constraint(op.f("ck_run__published_has_a_time"), "run", f"{with_time} = (published_at IS NOT NULL)")


def upgrade() -> None:
    op.add_column("run", sa.Column("replays", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_run__replays"), "run", "run", ["replays"], ["id"])
    _states(AFTER, ("checked", "published", "superseded"), ("published", "superseded"))
    op.execute("""
        CREATE FUNCTION keep_the_run() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE'
               OR (OLD.digest IS NOT NULL AND (NEW.digest, NEW.engine, NEW.summary, NEW.bundle)
                   IS DISTINCT FROM (OLD.digest, OLD.engine, OLD.summary, OLD.bundle))
               OR (NEW.round_id, NEW.number, NEW.snapshot_id, NEW.replays)
                   IS DISTINCT FROM (OLD.round_id, OLD.number, OLD.snapshot_id, OLD.replays)
               OR (OLD.state = 'published' AND NEW.state NOT IN ('published', 'superseded'))
               OR (OLD.state IN ('superseded', 'set_aside', 'failed') AND NEW.state <> OLD.state) THEN
                RAISE EXCEPTION 'what a run gave never changes' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON run FOR EACH ROW EXECUTE FUNCTION keep_the_run()")
    op.execute("""
        CREATE FUNCTION keep_the_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR (NEW.round_id, NEW.number, NEW.commitment, NEW.market, NEW.made_at)
               IS DISTINCT FROM (OLD.round_id, OLD.number, OLD.commitment, OLD.market, OLD.made_at) THEN
                RAISE EXCEPTION 'a snapshot never changes' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON snapshot FOR EACH ROW EXECUTE FUNCTION keep_the_snapshot()"
    )
    op.execute(KEEP_THE_SEED.replace("@committed_first@", COMMITTED_FIRST))
    op.execute("DROP TRIGGER kept ON draw")
    op.execute(
        "CREATE TRIGGER kept BEFORE INSERT OR UPDATE OR DELETE ON draw FOR EACH ROW EXECUTE FUNCTION keep_the_seed()"
    )


def downgrade() -> None:
    op.execute(KEEP_THE_SEED.replace("@committed_first@", ""))
    op.execute("DROP TRIGGER kept ON draw")
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON draw FOR EACH ROW EXECUTE FUNCTION keep_the_seed()")
    op.execute("DROP TRIGGER kept ON run")
    op.execute("DROP TRIGGER kept ON snapshot")
    op.execute("DROP FUNCTION keep_the_run()")
    op.execute("DROP FUNCTION keep_the_snapshot()")
    _states(BEFORE, ("checked", "published"), ("published",))
    op.drop_constraint(op.f("fk_run__replays"), "run", type_="foreignkey")
    op.drop_column("run", "replays")
