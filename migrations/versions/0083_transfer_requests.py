"""a family asks for another kindergarten: a kind of case

Revision ID: 0083_transfer_requests
Revises: 0082_movement
"""

from alembic import op

revision = "0083_transfer_requests"
down_revision = "0082_movement"
branch_labels = None
depends_on = None

BEFORE = "'guardians_dispute','appeal','disability','register_dispute','add_guardian','remove_guardian'"
KEYED = "^~[0-9a-f]{16}$"


def upgrade() -> None:
    _replace(f"{BEFORE},'transfer'")


def downgrade() -> None:
    op.execute("DELETE FROM case_file WHERE kind = 'transfer'")
    _replace(BEFORE)


def _replace(kinds: str) -> None:
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE case_file DROP CONSTRAINT ck_case_file__known_kind")
    op.execute(
        f"ALTER TABLE case_file ADD CONSTRAINT ck_case_file__known_kind"
        f" CHECK (kind IN ({kinds}) OR kind ~ '{KEYED}') NOT VALID"
    )
