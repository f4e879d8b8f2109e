"""a family that moved asks once for the address, the area and what rests on them: a kind of correction

Revision ID: 0121_moves_of_home
Revises: 0114_valid_consent_kinds
"""

from alembic import op

revision = "0121_moves_of_home"
down_revision = "0114_valid_consent_kinds"
branch_labels = None
depends_on = None

BEFORE = "'name','birth_date','document','sex','other_identity','facts','duplicate','court_paper'"


def upgrade() -> None:
    _replace(f"{BEFORE},'move'")


def downgrade() -> None:
    for table in ("correction_page", "correction_move"):
        op.execute(
            f"DELETE FROM {table} WHERE request_id IN (SELECT id FROM correction_request WHERE kind = 'move')"  # noqa: S608
        )
    op.execute("DELETE FROM correction_request WHERE kind = 'move'")
    _replace(BEFORE)


def _replace(kinds: str) -> None:
    name = "ck_correction_request__known_kind"
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE correction_request DROP CONSTRAINT {name}")
    # the table holds the requests of some seasons, a few thousand rows, so that the check takes no time
    op.execute(
        f"-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE correction_request ADD CONSTRAINT {name} CHECK (kind IN ({kinds}))"
    )
