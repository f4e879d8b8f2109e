"""the claimed grounds and the time of the decision stand in the application itself, where an index of the queue can hold them

Revision ID: 0144_queue_columns
Revises: 0141_codes_not_entered
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0144_queue_columns"
down_revision = "0141_codes_not_entered"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision
CHANGED = {"insert": "NEW", "update": "NEW", "delete": "OLD"}


def upgrade() -> None:
    op.add_column("application", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("application", sa.Column("grounds", sa.Integer(), nullable=True))
    for function in ("grounds_of_claims", "keep_claimed_grounds", "note_claimed_grounds"):
        op.execute((SQL / f"{function}.sql").read_text("utf-8"))
    for when, rows in CHANGED.items():
        op.execute(
            f"CREATE TRIGGER kept_grounds_{when} AFTER {when.upper()} ON claim REFERENCING {rows} TABLE AS changed_rows"
            " FOR EACH STATEMENT EXECUTE FUNCTION keep_claimed_grounds()"
        )
    op.execute(
        "CREATE TRIGGER noted_grounds BEFORE UPDATE OF stage ON application FOR EACH ROW"
        " WHEN (OLD.stage = 'draft' AND NEW.stage <> 'draft') EXECUTE FUNCTION note_claimed_grounds()"
    )
    op.execute("UPDATE application SET decided_at = changed_at WHERE stage IN ('confirmed', 'refused')")
    op.execute("UPDATE application SET grounds = grounds_of_claims(id) WHERE stage NOT IN ('draft', 'withdrawn')")


def downgrade() -> None:
    op.execute("DROP TRIGGER noted_grounds ON application")
    for when in CHANGED:
        op.execute(f"DROP TRIGGER kept_grounds_{when} ON claim")
    op.execute("DROP FUNCTION note_claimed_grounds()")
    op.execute("DROP FUNCTION keep_claimed_grounds()")
    op.execute("DROP FUNCTION grounds_of_claims(uuid)")
    op.drop_column("application", "grounds")
    op.drop_column("application", "decided_at")
