"""whoever signed and got the role back signs again beside the other; a closed account keeps no telephone number

Revision ID: 0162_signed_again
Revises: 0158_closed_accounts
"""

from alembic import op

revision = "0162_signed_again"
down_revision = "0158_closed_accounts"
branch_labels = None
depends_on = None

ONCE = "uq_signature__subject_subject_id_digest_account_id"
AGAIN = "uq_signature__subject_subject_id_digest_account_id_counted_with"


def upgrade() -> None:
    # the new constraint takes its place in the same transaction
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        f"ALTER TABLE signature DROP CONSTRAINT IF EXISTS {ONCE}, DROP CONSTRAINT IF EXISTS {AGAIN}"
    )
    # a few hundred rows in a year
    op.execute(
        "-- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid\n"
        f"ALTER TABLE signature ADD CONSTRAINT {AGAIN}"
        " UNIQUE (subject, subject_id, digest, account_id, counted_with)"
    )
    # 0158 left those whose number was taken away by a release before the account was closed
    op.execute(
        "UPDATE account SET phone = NULL, phone_proven_at = NULL"
        " WHERE disabled_at IS NOT NULL AND login IS NULL AND phone_index IS NULL AND phone IS NOT NULL"
    )


def downgrade() -> None:
    """Fails where somebody has signed again: signatures are kept for ten years."""
    op.execute(f"ALTER TABLE signature DROP CONSTRAINT IF EXISTS {AGAIN}")
    op.execute(f"ALTER TABLE signature ADD CONSTRAINT {ONCE} UNIQUE (subject, subject_id, digest, account_id)")
