"""keyed seals and daily heads of the audit trail; permits by the database's clock, and in the trail

Revision ID: 0049_audit_seals
Revises: 0048_notices_drawn_ahead
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0049_audit_seals"
down_revision = "0048_notices_drawn_ahead"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql")
FUNCTIONS = ("permit_clock", "upkeep_not_before_its_time", "permit_details", "permit_in_the_trail", "number_the_writer")
COLUMNS = (
    sa.Column("writer", sa.Uuid(), nullable=True),
    sa.Column("turn", sa.BigInteger(), nullable=True),
    sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("seal_key", sa.String(), nullable=True),
)


def _create_function(folder: str, name: str, *, replaces: bool = False) -> None:
    body = (SQL / folder / f"{name}.sql").read_text("utf-8")
    op.execute(body.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") if replaces else body)


# a temporary table of the name of ours would be found before it, and anybody may make one
PINNED = """
    DO $$ DECLARE ours regprocedure; BEGIN
        FOR ours IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER FUNCTION %s {}', ours);
        END LOOP;
    END $$
"""


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("audit_entry", column.copy())
    # what was written a second ago is not sealed yet, and is sealed as one writer's
    op.execute(
        "WITH first AS MATERIALIZED (SELECT gen_random_uuid() AS writer)"
        " UPDATE audit_entry SET writer = old.writer, turn = old.turn, written_at = clock_timestamp() FROM ("
        " SELECT number, first.writer, row_number() OVER (ORDER BY number) AS turn"
        " FROM audit_entry, first WHERE link IS NULL) AS old WHERE old.number = audit_entry.number"
    )
    op.create_table(
        "audit_head",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_head"),
        sa.UniqueConstraint("day", name="uq_audit_head__day"),
    )
    for name in FUNCTIONS:
        _create_function(revision, name)
    _create_function(revision, "keep_audit")
    _create_function(revision, "keep_head")
    op.execute("CREATE TRIGGER numbered BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION number_the_writer()")
    op.execute("CREATE TRIGGER in_the_trail AFTER INSERT ON upkeep FOR EACH ROW EXECUTE FUNCTION permit_in_the_trail()")
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION keep_head()")
    for table in ("audit_entry", "audit_head", "upkeep"):
        op.execute(f"CREATE TRIGGER not_emptied BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change()")
    op.execute(PINNED.format("SET search_path = pg_catalog, public, pg_temp"))
    # permits from before this revision are in the trail too
    op.execute(
        "INSERT INTO audit_entry (at, act, subject, subject_id, details) SELECT at, 'grant_permit',"
        " 'maintenance_permit', number::text, permit_details(upkeep) FROM upkeep ORDER BY number"
    )


def downgrade() -> None:
    for table in ("audit_entry", "upkeep"):
        op.execute(f"DROP TRIGGER not_emptied ON {table}")
    op.execute("DROP TRIGGER in_the_trail ON upkeep")
    op.execute("DROP TRIGGER numbered ON audit_entry")
    op.drop_table("audit_head")
    _create_function("0001_ground", "keep_audit", replaces=True)
    _create_function("0001_ground", "upkeep_not_before_its_time", replaces=True)
    for name in (
        "number_the_writer()",
        "permit_in_the_trail()",
        "permit_details(upkeep)",
        "keep_head()",
        "permit_clock()",
    ):
        op.execute(f"DROP FUNCTION {name}")
    for column in reversed(COLUMNS):
        op.drop_column("audit_entry", column.name)
    op.execute(PINNED.format("RESET search_path"))
