"""the claimed grounds and the time of the decision stand in the application itself, where an index of the queue can hold them

Revision ID: 0144_queue_columns
Revises: 0142_refused_before
"""

from pathlib import Path

from alembic import op

revision = "0144_queue_columns"
down_revision = "0142_refused_before"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision
PARTS = 16
"""Each statement fills so small a part of the rows that it ends within the bound of a migration's statements."""

CHANGED = {"insert": "NEW", "update": "NEW", "delete": "OLD"}


def upgrade() -> None:
    op.execute("ALTER TABLE application ADD COLUMN IF NOT EXISTS decided_at timestamp with time zone")
    op.execute("ALTER TABLE application ADD COLUMN IF NOT EXISTS grounds integer")
    for function in ("grounds_of_claims", "keep_claimed_grounds", "note_claimed_grounds"):
        op.execute((SQL / f"{function}.sql").read_text("utf-8"))
    for when, rows in CHANGED.items():
        op.execute(
            f"CREATE OR REPLACE TRIGGER kept_grounds_{when} AFTER {when.upper()} ON claim"
            f" REFERENCING {rows} TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_claimed_grounds()"
        )
    op.execute(
        "CREATE OR REPLACE TRIGGER noted_grounds BEFORE UPDATE OF stage ON application FOR EACH ROW"
        " WHEN (OLD.stage = 'draft' AND NEW.stage <> 'draft') EXECUTE FUNCTION note_claimed_grounds()"
    )
    with op.get_context().autocommit_block():  # the table is free again while its rows are filled
        for part in range(PARTS):
            op.execute(f"""
                UPDATE application SET grounds = grounds_of_claims(id),
                    decided_at = CASE WHEN stage IN ('confirmed', 'refused') THEN coalesce(decided_at, changed_at)
                        ELSE decided_at END
                WHERE stage NOT IN ('draft', 'withdrawn') AND (grounds IS NULL OR decided_at IS NULL AND stage IN ('confirmed', 'refused'))
                  AND get_byte(uuid_send(id), 0) % {PARTS} = {part}
            """)  # noqa: S608 (constants)


def downgrade() -> None:
    op.execute("DROP TRIGGER noted_grounds ON application")
    for when in CHANGED:
        op.execute(f"DROP TRIGGER kept_grounds_{when} ON claim")
    op.execute("DROP FUNCTION note_claimed_grounds()")
    op.execute("DROP FUNCTION keep_claimed_grounds()")
    op.execute("DROP FUNCTION grounds_of_claims(uuid)")
    op.drop_column("application", "grounds")
    op.drop_column("application", "decided_at")
