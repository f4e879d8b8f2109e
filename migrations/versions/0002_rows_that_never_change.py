"""rows that never change: histories, results, tickets and the seed

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ADD_ONLY = (
    "ledger_entry",
    "move_made",
    "offer_move",
    "application_version",
    "placement",
    "cut_off",
    "wish_reason",
    "ticket",
    "signature",
)


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% rows are only ever added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$
    """)
    for table in ADD_ONLY:
        op.execute(
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute("""
        CREATE FUNCTION keep_the_seed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.seed IS NOT NULL THEN
                RAISE EXCEPTION 'a draw that has its seed never changes' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON draw FOR EACH ROW EXECUTE FUNCTION keep_the_seed()")
    op.execute("""
        CREATE FUNCTION ticket_needs_a_seed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM draw WHERE id = NEW.draw_id AND seed IS NOT NULL AND year = NEW.year) THEN
                RAISE EXCEPTION 'no ticket before the seed' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("CREATE TRIGGER drawn BEFORE INSERT ON ticket FOR EACH ROW EXECUTE FUNCTION ticket_needs_a_seed()")
    op.execute("""
        CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.link IS NOT NULL
               OR (NEW.number, NEW.at, NEW.act, NEW.subject, NEW.subject_id) IS DISTINCT FROM (OLD.number, OLD.at, OLD.act, OLD.subject, OLD.subject_id)
               OR (NEW.account_id, NEW.reason, NEW.details) IS DISTINCT FROM (OLD.account_id, OLD.reason, OLD.details) THEN
                RAISE EXCEPTION 'audit rows are only ever added' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION keep_audit()")


def downgrade() -> None:
    for table in ADD_ONLY:
        op.execute(f"DROP TRIGGER only_added ON {table}")
    op.execute("DROP TRIGGER kept ON draw")
    op.execute("DROP TRIGGER drawn ON ticket")
    op.execute("DROP TRIGGER kept ON audit_entry")
    for name in ("refuse_change", "keep_the_seed", "ticket_needs_a_seed", "keep_audit"):
        op.execute(f"DROP FUNCTION {name}()")
