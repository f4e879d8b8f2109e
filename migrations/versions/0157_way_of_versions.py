"""in what way a version was written, which helper uploaded a page, how often a number was invited; visits of ended applications

Revision ID: 0157_way_of_versions
Revises: 0154_counted_signatures
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0157_way_of_versions"
down_revision = "0154_counted_signatures"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision


def upgrade() -> None:
    op.add_column("application_version", sa.Column("way", sa.String(), server_default="family", nullable=False))
    op.execute(
        "ALTER TABLE application_version ADD CONSTRAINT ck_application_version__known_way"
        " CHECK (way IN ('family','helper','correction')) NOT VALID"
    )
    # the triggers that are disabled below lock the table all the same
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE application_version VALIDATE CONSTRAINT ck_application_version__known_way"
    )
    # families have no login; whoever has one and was never a helper of this family decided a correction
    op.execute("ALTER TABLE application_version DISABLE TRIGGER only_added")
    op.execute("""
        UPDATE application_version SET way = CASE WHEN EXISTS (
            SELECT FROM mandate JOIN application ON application.id = application_version.application_id
            WHERE mandate.helper_id = application_version.submitted_by
              AND mandate.account_id = coalesce(application.entered_for, application.entered_by)) THEN 'helper' ELSE 'correction' END
        FROM account WHERE account.id = application_version.submitted_by AND account.login IS NOT NULL
    """)
    op.execute("ALTER TABLE application_version ENABLE TRIGGER only_added")
    op.add_column("evidence_page", sa.Column("helper_id", sa.Uuid(), nullable=True))
    # the column was just added and holds nothing, so that the check reads no row of the other table
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE evidence_page ADD CONSTRAINT fk_evidence_page__helper_id"
        " FOREIGN KEY (helper_id) REFERENCES account (id)"
    )
    op.execute("""
        UPDATE evidence_page SET helper_id = mandate.helper_id
        FROM application, mandate, audit_entry
        WHERE application.id = evidence_page.application_id AND mandate.helper_id = application.entered_by
          AND mandate.account_id = application.entered_for
          AND audit_entry.subject = 'application' AND audit_entry.subject_id = application.id::text
          AND audit_entry.account_id = mandate.helper_id AND audit_entry.at = evidence_page.uploaded_at
          AND audit_entry.act IN ('add_evidence', 'replace_evidence')
    """)

    op.add_column("invitation", sa.Column("times", sa.Integer(), server_default="1", nullable=False))
    op.add_column("invitation", sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
    op.execute((SQL / "cancel_visits_of_ended.sql").read_text())
    op.execute(
        "CREATE TRIGGER ended_without_visits AFTER UPDATE OF stage ON application FOR EACH ROW"
        " WHEN (NEW.stage IN ('withdrawn', 'refused') AND OLD.stage <> NEW.stage) EXECUTE FUNCTION cancel_visits_of_ended()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER ended_without_visits ON application")
    op.execute("DROP FUNCTION cancel_visits_of_ended()")
    op.drop_column("invitation", "declined_at")
    op.drop_column("invitation", "times")
    op.drop_column("evidence_page", "helper_id")
    op.drop_column("application_version", "way")
