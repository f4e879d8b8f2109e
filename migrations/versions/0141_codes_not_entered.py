"""alarms for codes that the gateway accepts and nobody enters, and for a clock that has jumped; the index of the newest codes

Revision ID: 0141_codes_not_entered
Revises: 0140_valid_stages
"""

import sqlalchemy as sa
from alembic import op

revision = "0141_codes_not_entered"
down_revision = "0140_valid_stages"
branch_labels = None
depends_on = None

BEFORE = "'database_away','queue_away','jobs_late','sender_stuck','seals_late','backup_old','disk_nearly_full'"
AFTER = BEFORE + ",'codes_not_entered','clock_jumped'"


def _known(codes: str) -> None:
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE alarm DROP CONSTRAINT IF EXISTS ck_alarm__known_code")
    op.create_check_constraint(op.f("ck_alarm__known_code"), "alarm", f"code IN ({codes})", postgresql_not_valid=True)


def upgrade() -> None:
    _known(AFTER)
    with op.get_context().autocommit_block():
        op.execute(sa.text("ALTER TABLE alarm VALIDATE CONSTRAINT ck_alarm__known_code"))
        op.create_index(
            "ix_one_time_code__sent_at", "one_time_code", ["sent_at"], postgresql_concurrently=True, if_not_exists=True
        )


def downgrade() -> None:
    op.drop_index("ix_one_time_code__sent_at", "one_time_code")
    op.execute("DELETE FROM alarm WHERE code IN ('codes_not_entered', 'clock_jumped')")
    _known(BEFORE)
    op.execute(sa.text("ALTER TABLE alarm VALIDATE CONSTRAINT ck_alarm__known_code"))
