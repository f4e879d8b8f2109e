"""a narrow door for retention, and for sealing anew

Rows that never change must go when their retention ends, and sealed answers must be sealed anew when a key is changed.
The door is a row of `upkeep`, which itself never changes: it opens for the transaction that wrote it and for no other.

* `season`: delete what belongs to applications of one year, a year after that season's last day at the earliest.
* `decade`: delete results, commitments, signatures and ledger entries that are older than ten years.
* `audit`: cut the oldest part of the audit chain off, ten years old throughout; the row keeps where and after which digest.
* `reseal`: write `application_version.answers` anew, and no other column of it.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FOUND_BY = (
    ("ix_application__elder_id", "application", "elder_id"),
    ("ix_refusal_proposal__application_id", "refusal_proposal", "application_id"),
    ("ix_central_proposal__offer_id", "central_proposal", "offer_id"),
    ("ix_notice__child_id", "notice", "child_id"),
    ("ix_offer__child_id", "offer", "child_id"),
    ("ix_invitation__child_id", "invitation", "child_id"),
    ("ix_invitation__invited_by", "invitation", "invited_by"),
)
"""Foreign keys by which a row that goes is looked for: without them each deleted child would be looked for in whole tables."""

REACHED = "phone_index IS NOT NULL OR login IS NOT NULL"
OF_AN_APPLICATION = ("move_made", "application_version", "placement", "wish_reason")
REFUSE = "RAISE EXCEPTION '% rows are only ever added', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';"

DOOR = """
    CREATE FUNCTION upkeep_of_now(wanted text) RETURNS SETOF upkeep LANGUAGE sql STABLE AS $$
        SELECT * FROM upkeep WHERE kind = wanted
        AND transaction = pg_current_xact_id()::text::bigint AND began = transaction_timestamp()
    $$
"""
CHECKED = """
    CREATE FUNCTION upkeep_not_before_its_time() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.transaction := pg_current_xact_id()::text::bigint;
        NEW.began := transaction_timestamp();
        IF NEW.kind = 'season' AND NOT EXISTS (
            SELECT 1 FROM season_date WHERE year = NEW.year HAVING max(ends_at) + interval '1 year' <= NEW.at) THEN
            RAISE EXCEPTION 'the season % is not over for a year', NEW.year USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
"""
FAMILY = """
    CREATE FUNCTION refuse_change_of_a_family() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE of_year integer;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF TG_TABLE_NAME = 'application_version' AND EXISTS (SELECT 1 FROM upkeep_of_now('reseal'))
               AND to_jsonb(NEW) - 'answers' = to_jsonb(OLD) - 'answers' THEN
                RETURN NEW;
            END IF;
            @refuse@
        END IF;
        IF TG_TABLE_NAME = 'ticket' THEN
            of_year := (to_jsonb(OLD) ->> 'year')::integer;
        ELSIF TG_TABLE_NAME = 'offer_move' THEN
            SELECT year INTO of_year FROM offer WHERE id = (to_jsonb(OLD) ->> 'offer_id')::uuid;
        ELSE
            SELECT year INTO of_year FROM application WHERE id = (to_jsonb(OLD) ->> 'application_id')::uuid;
        END IF;
        IF EXISTS (SELECT 1 FROM upkeep_of_now('season') AS door WHERE door.year = of_year) THEN
            RETURN OLD;
        END IF;
        @refuse@
    END $$
"""
DECADE = """
    CREATE FUNCTION refuse_change_for_ten_years() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE made timestamptz;
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF TG_TABLE_NAME = 'cut_off' THEN
                SELECT started_at INTO made FROM run WHERE id = (to_jsonb(OLD) ->> 'run_id')::uuid;
            ELSE
                made := (to_jsonb(OLD) ->> TG_ARGV[0])::timestamptz;
            END IF;
            IF EXISTS (SELECT 1 FROM upkeep_of_now('decade') AS door WHERE made < door.at - interval '10 years') THEN
                RETURN OLD;
            END IF;
        END IF;
        @refuse@
    END $$
"""
OLD_ENOUGH = """
        IF TG_OP = 'DELETE' AND EXISTS (
            SELECT 1 FROM upkeep_of_now('decade') AS door WHERE OLD.@made@ < door.at - interval '10 years') THEN
            RETURN OLD;
        END IF;
"""
AUDIT_DOOR = """
        IF TG_OP = 'DELETE' AND EXISTS (
            SELECT 1 FROM upkeep_of_now('audit') AS door
            WHERE OLD.link <= door.audit_link AND OLD.at < door.at - interval '10 years') THEN
            RETURN OLD;
        END IF;
"""
KEPT = {
    "run": ("keep_the_run", "started_at"),
    "snapshot": ("keep_the_snapshot", "made_at"),
    "draw": ("keep_the_seed", "committed_at"),
}


def _with_a_door(function: str, door: str) -> None:
    """Put the door at the beginning of a trigger's function, whatever else it says."""
    source = op.get_bind().scalar(sa.text("SELECT prosrc FROM pg_proc WHERE proname = :name"), {"name": function})
    body = source.replace("BEGIN", "BEGIN" + door, 1)
    op.execute(f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")


def _without_a_door(function: str, door: str) -> None:
    source = op.get_bind().scalar(sa.text("SELECT prosrc FROM pg_proc WHERE proname = :name"), {"name": function})
    op.execute(
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${source.replace(door, '')}$$"
    )


def _trigger(table: str, function: str) -> None:
    op.execute(f"DROP TRIGGER only_added ON {table}")
    op.execute(f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}")


def upgrade() -> None:
    op.create_table(
        "upkeep",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("audit_link", sa.BigInteger(), nullable=True),
        sa.Column("audit_digest", sa.LargeBinary(), nullable=True),
        sa.Column("transaction", sa.BigInteger(), nullable=True),
        sa.Column("began", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('season','decade','audit','reseal')", name=op.f("ck_upkeep__known_kind")),
        sa.CheckConstraint("(kind = 'season') = (year IS NOT NULL)", name=op.f("ck_upkeep__season_has_a_year")),
        sa.CheckConstraint(
            "(kind = 'audit') = (audit_link IS NOT NULL) AND (kind = 'audit') = (audit_digest IS NOT NULL)",
            name=op.f("ck_upkeep__audit_says_where"),
        ),
        sa.ForeignKeyConstraint(["year"], ["season.year"], name=op.f("fk_upkeep__year")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_upkeep")),
    )
    op.create_index("ix_upkeep__transaction", "upkeep", ["transaction"])
    for function in (DOOR, CHECKED, FAMILY, DECADE):
        op.execute(function.replace("@refuse@", REFUSE))
    op.execute(
        "CREATE TRIGGER in_time BEFORE INSERT ON upkeep FOR EACH ROW EXECUTE FUNCTION upkeep_not_before_its_time()"
    )
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON upkeep FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    for table in (*OF_AN_APPLICATION, "ticket", "offer_move"):
        _trigger(table, "refuse_change_of_a_family()")
    for table, made in (("ledger_entry", "at"), ("signature", "signed_at"), ("cut_off", "")):
        _trigger(table, f"refuse_change_for_ten_years('{made}')")
    for function, made in KEPT.values():
        _with_a_door(function, OLD_ENOUGH.replace("@made@", made))
    _with_a_door("keep_audit", AUDIT_DOOR)
    op.drop_constraint(op.f("fk_run__job_id"), "run", type_="foreignkey")
    op.create_foreign_key(op.f("fk_run__job_id"), "run", "job", ["job_id"], ["id"], ondelete="SET NULL")
    op.create_index(op.f("ix_run__job_id"), "run", ["job_id"])
    for name, table, column in FOUND_BY:
        op.create_index(name, table, [column], postgresql_where=sa.text(f"{column} IS NOT NULL"))
    op.drop_constraint(op.f("ck_account__somehow_reached"), "account", type_="check")
    op.create_check_constraint(op.f("ck_account__somehow_reached"), "account", f"{REACHED} OR disabled_at IS NOT NULL")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_account__somehow_reached"), "account", type_="check")
    op.create_check_constraint(op.f("ck_account__somehow_reached"), "account", REACHED)
    for name, table, column in FOUND_BY:
        op.drop_index(name, table_name=table, postgresql_where=sa.text(f"{column} IS NOT NULL"))
    op.drop_index(op.f("ix_run__job_id"), table_name="run")
    op.drop_constraint(op.f("fk_run__job_id"), "run", type_="foreignkey")
    op.create_foreign_key(op.f("fk_run__job_id"), "run", "job", ["job_id"], ["id"])
    _without_a_door("keep_audit", AUDIT_DOOR)
    for function, made in KEPT.values():
        _without_a_door(function, OLD_ENOUGH.replace("@made@", made))
    for table in (*OF_AN_APPLICATION, "ticket", "offer_move", "ledger_entry", "signature", "cut_off"):
        _trigger(table, "refuse_change()")
    op.execute("DROP FUNCTION upkeep_of_now(text)")
    op.drop_table("upkeep")
    for function in ("refuse_change_of_a_family", "refuse_change_for_ten_years", "upkeep_not_before_its_time"):
        op.execute(f"DROP FUNCTION {function}()")
