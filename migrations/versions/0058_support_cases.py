"""cases of disabled children with assessment, plan and decision; selections for bulk confirmations

Revision ID: 0058_support_cases
Revises: 0058_evidence_indexes
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0058_support_cases"
down_revision = "0058_evidence_indexes"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / "0058_support_cases"
SEALED = ("assessed_on", "assessment", "plan", "decision")
TO_VALIDATE = (
    "ck_verified_fact__second_person",
    "ck_verified_fact__second_whole",
    "ck_verified_fact__second_has_a_reason",
    "ck_verified_fact__known_source",
    "fk_verified_fact__page_id",
    "fk_verified_fact__second_by",
)


def upgrade() -> None:
    for name in TO_VALIDATE:
        op.execute(f"ALTER TABLE verified_fact VALIDATE CONSTRAINT {name}")
    op.create_table(
        "bulk_selection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_bulk_selection__account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_selection"),
    )
    op.create_index("ix_bulk_selection__account_id", "bulk_selection", ["account_id"])
    op.create_table(
        "bulk_item",
        sa.Column("selection_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('confirmed','fault','changed','taken','disagrees','elsewhere')",
            name="known_outcome",
        ),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_bulk_item__application_id"),
        sa.ForeignKeyConstraint(["selection_id"], ["bulk_selection.id"], name="fk_bulk_item__selection_id"),
        sa.PrimaryKeyConstraint("selection_id", "application_id", name="pk_bulk_item"),
    )
    op.create_index("ix_bulk_item__application_id", "bulk_item", ["application_id"])
    for name in SEALED:
        op.add_column("case_file", sa.Column(name, sa.LargeBinary(), nullable=True))
    op.execute((SQL / "refusal_waits_for_case.sql").read_text("utf-8"))
    op.execute(
        "CREATE TRIGGER refusal_waits_for_case BEFORE INSERT OR UPDATE OF upheld ON refusal_proposal FOR EACH ROW"
        " WHEN (NEW.upheld AND NEW.rule <> 'duplicate') EXECUTE FUNCTION refusal_waits_for_case()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER refusal_waits_for_case ON refusal_proposal")
    op.execute("DROP FUNCTION refusal_waits_for_case()")
    for name in reversed(SEALED):
        op.drop_column("case_file", name)
    for table in ("bulk_item", "bulk_selection"):
        op.drop_table(table)
