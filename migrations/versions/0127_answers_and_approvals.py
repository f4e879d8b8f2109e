"""the last moment that a clerk chose for the answer to a return; approvals with number, date and file, named by rows of the
places ledger and by counts of the roll

Revision ID: 0127_answers_and_approvals
Revises: 0124_overdue_corrections
"""

import sqlalchemy as sa
from alembic import op

revision = "0127_answers_and_approvals"
down_revision = "0124_overdue_corrections"
branch_labels = None
depends_on = None

NAMING = ("plan_proposal", "ledger_entry", "roll_count")


def upgrade() -> None:
    op.add_column("returned_item", sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))
    # a new column without values: nothing is there to be checked, and the check takes no time
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE returned_item ADD CONSTRAINT ck_returned_item__answered_later_than_asked CHECK (answer_by > asked_at)"
    )
    op.create_table(
        "approval_paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=True),
        sa.Column("original_digest", sa.String(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["kindergarten_id"], ["kindergarten.id"], name=op.f("fk_approval_paper__kindergarten_id")
        ),
        sa.ForeignKeyConstraint(["added_by"], ["account.id"], name=op.f("fk_approval_paper__added_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_paper")),
        sa.CheckConstraint("number <> ''", name=op.f("ck_approval_paper__has_a_number")),
        sa.CheckConstraint(
            "(media_type IS NULL) = (content IS NULL) AND (original_digest IS NULL) = (content IS NULL)",
            name=op.f("ck_approval_paper__file_is_whole"),
        ),
    )
    op.create_index("ix_approval_paper__kindergarten_id", "approval_paper", ["kindergarten_id"])
    for table in NAMING:
        op.add_column(table, sa.Column("paper_id", sa.Uuid(), nullable=True))
        # the column was just added and holds nothing, so that the check reads no row of the other table
        op.execute(
            "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
            f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}__paper_id FOREIGN KEY (paper_id) REFERENCES approval_paper (id)"
        )


def downgrade() -> None:
    for table in NAMING:
        op.drop_column(table, "paper_id")
    op.drop_table("approval_paper")
    op.drop_column("returned_item", "answer_by")
