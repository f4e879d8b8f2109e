"""what a finding rests on, and its second person; a refusal names the fact it rests on

Revision ID: 0057_evidence_rules
Revises: 0056_review_leases
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0057_evidence_rules"
down_revision = "0056_review_leases"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / "0057_evidence_rules"
SOURCES = "source IN ('paper','register','roll','staff','correction')"
SOURCES_BEFORE = "source IN ('paper','register','roll','staff')"
DROP_SOURCES = "ALTER TABLE verified_fact DROP CONSTRAINT ck_verified_fact__known_source"
CHECKS = {
    "second_person": "second_by IS NULL OR second_by <> account_id",
    "second_whole": "(second_by IS NULL) = (second_at IS NULL)",
    "second_has_a_reason": "NOT needs_second OR reason IS NOT NULL",
}
FOREIGN_KEYS = {
    "page_id": "FOREIGN KEY (page_id) REFERENCES evidence_page (id) ON DELETE SET NULL",
    "second_by": "FOREIGN KEY (second_by) REFERENCES account (id)",
}


def upgrade() -> None:
    op.execute("ALTER TABLE application VALIDATE CONSTRAINT ck_application__lease_of_a_clerk")
    op.execute("ALTER TABLE application VALIDATE CONSTRAINT ck_application__known_register_state")
    op.add_column("verified_fact", sa.Column("page_id", sa.Uuid(), nullable=True))
    op.add_column("verified_fact", sa.Column("needs_second", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("verified_fact", sa.Column("second_by", sa.Uuid(), nullable=True))
    op.add_column("verified_fact", sa.Column("second_at", sa.DateTime(timezone=True), nullable=True))
    for name, rule in CHECKS.items():
        op.execute(f"ALTER TABLE verified_fact ADD CONSTRAINT ck_verified_fact__{name} CHECK ({rule}) NOT VALID")
    for name, rule in FOREIGN_KEYS.items():
        op.execute(f"ALTER TABLE verified_fact ADD CONSTRAINT fk_verified_fact__{name} {rule} NOT VALID")
    op.execute(f"-- squawk-ignore ban-drop-constraint\n{DROP_SOURCES}")
    op.execute(f"ALTER TABLE verified_fact ADD CONSTRAINT ck_verified_fact__known_source CHECK ({SOURCES}) NOT VALID")
    op.add_column("refusal_proposal", sa.Column("fact", sa.String(), nullable=True))
    op.add_column("refusal_proposal", sa.Column("clause", sa.String(), nullable=True))
    for name in ("finding_rests_on_evidence", "second_person_before_confirmation"):
        op.execute((SQL / f"{name}.sql").read_text("utf-8"))
    op.execute(
        "CREATE TRIGGER finding_rests_on_evidence BEFORE INSERT OR UPDATE OF outcome, value, source, needs_second"
        " ON verified_fact FOR EACH ROW EXECUTE FUNCTION finding_rests_on_evidence()"
    )
    op.execute(
        "CREATE TRIGGER second_person_before_confirmation BEFORE UPDATE OF stage ON application FOR EACH ROW"
        " WHEN (NEW.stage = 'confirmed' AND OLD.stage IS DISTINCT FROM 'confirmed')"
        " EXECUTE FUNCTION second_person_before_confirmation()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER second_person_before_confirmation ON application")
    op.execute("DROP TRIGGER finding_rests_on_evidence ON verified_fact")
    op.execute("DROP FUNCTION second_person_before_confirmation()")
    op.execute("DROP FUNCTION finding_rests_on_evidence()")
    op.drop_column("refusal_proposal", "clause")
    op.drop_column("refusal_proposal", "fact")
    op.execute(f"-- squawk-ignore ban-drop-constraint\n{DROP_SOURCES}")
    op.execute("UPDATE verified_fact SET source = 'staff' WHERE source = 'correction'")
    op.execute(f"ALTER TABLE verified_fact ADD CONSTRAINT ck_verified_fact__known_source CHECK ({SOURCES_BEFORE})")
    for name in CHECKS:
        op.execute(f"ALTER TABLE verified_fact DROP CONSTRAINT ck_verified_fact__{name}")
    for name in ("second_at", "second_by", "needs_second", "page_id"):
        op.drop_column("verified_fact", name)
