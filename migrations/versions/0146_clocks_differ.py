"""an alarm for clocks of host and database that differ

Revision ID: 0146_clocks_differ
Revises: 0145_queue_index
"""

import sqlalchemy as sa
from alembic import op

revision = "0146_clocks_differ"
down_revision = "0145_queue_index"
branch_labels = None
depends_on = None

BEFORE = (
    "'database_away','queue_away','jobs_late','sender_stuck','seals_late','backup_old','disk_nearly_full',"
    "'codes_not_entered','clock_jumped'"
)
AFTER = BEFORE + ",'clocks_differ'"


def _known(codes: str) -> None:
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE alarm DROP CONSTRAINT IF EXISTS ck_alarm__known_code")
    op.create_check_constraint(op.f("ck_alarm__known_code"), "alarm", f"code IN ({codes})", postgresql_not_valid=True)


def upgrade() -> None:
    _known(AFTER)
    with op.get_context().autocommit_block():
        op.execute(sa.text("ALTER TABLE alarm VALIDATE CONSTRAINT ck_alarm__known_code"))


def downgrade() -> None:
    op.execute("DELETE FROM alarm WHERE code = 'clocks_differ'")
    _known(BEFORE)
    op.execute(sa.text("ALTER TABLE alarm VALIDATE CONSTRAINT ck_alarm__known_code"))
