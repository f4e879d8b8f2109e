"""a proposed refusal lapses when the family changes or withdraws the application: it ends, decided by nobody

Revision ID: 0163_lapsed_refusals
Revises: 0162_signed_again
"""

from alembic import op

revision = "0163_lapsed_refusals"
down_revision = "0162_signed_again"
branch_labels = None
depends_on = None

WHOLE = "ck_refusal_proposal__decided_whole"


def upgrade() -> None:
    # the new constraint takes its place in the same transaction, and allows all that the old one allowed
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE refusal_proposal DROP CONSTRAINT IF EXISTS {WHOLE}")
    op.execute(
        f"ALTER TABLE refusal_proposal ADD CONSTRAINT {WHOLE}"
        " CHECK ((decided_by IS NULL) = (upheld IS NULL) AND (decided_by IS NULL OR decided_at IS NOT NULL)) NOT VALID"
    )
    # a few hundred rows in a year
    op.execute(
        f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE refusal_proposal VALIDATE CONSTRAINT {WHOLE}"
    )
    # only an application in review waits for a second person: its family changed or withdrew any other
    op.execute(
        "UPDATE refusal_proposal SET decided_at = greatest(application.changed_at, refusal_proposal.proposed_at)"
        " FROM application WHERE application.id = refusal_proposal.application_id"
        " AND refusal_proposal.decided_at IS NULL AND application.stage <> 'in_review'"
    )


def downgrade() -> None:
    """Forgets the proposals that lapsed: the earlier release has no word for them."""
    op.execute("DELETE FROM refusal_proposal WHERE decided_at IS NOT NULL AND decided_by IS NULL")
    op.execute(f"ALTER TABLE refusal_proposal DROP CONSTRAINT {WHOLE}")
    op.execute(
        f"ALTER TABLE refusal_proposal ADD CONSTRAINT {WHOLE}"
        " CHECK ((decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (upheld IS NULL))"
    )
