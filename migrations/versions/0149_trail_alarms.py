"""alarms for an audit trail that does not continue its copied head, and for a head that cannot be copied

Revision ID: 0149_trail_alarms
Revises: 0148_faults_of_samples
"""

import sqlalchemy as sa
from alembic import op

revision = "0149_trail_alarms"
down_revision = "0148_faults_of_samples"
branch_labels = None
depends_on = None

BEFORE = (
    "'database_away','queue_away','jobs_late','sender_stuck','seals_late','backup_old','disk_nearly_full',"
    "'codes_not_entered','clock_jumped','clocks_differ'"
)
AFTER = BEFORE + ",'trail_broken','head_not_copied'"


def _known(codes: str) -> None:
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE alarm DROP CONSTRAINT IF EXISTS ck_alarm__known_code")
    op.create_check_constraint(op.f("ck_alarm__known_code"), "alarm", f"code IN ({codes})", postgresql_not_valid=True)


def upgrade() -> None:
    _known(AFTER)
    with op.get_context().autocommit_block():
        op.execute(sa.text("ALTER TABLE alarm VALIDATE CONSTRAINT ck_alarm__known_code"))


def downgrade() -> None:
    op.execute("DELETE FROM alarm WHERE code IN ('trail_broken', 'head_not_copied')")
    _known(BEFORE)
    op.execute(sa.text("ALTER TABLE alarm VALIDATE CONSTRAINT ck_alarm__known_code"))
