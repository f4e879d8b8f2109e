"""returned items, refusal proposals, cases

Revision ID: 0006_review
Revises: 0005_applications
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_review"
down_revision = "0005_applications"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "returned_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_returned_item__application_id"),
            nullable=False,
        ),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "asked_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_returned_item__asked_by"), nullable=False
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_returned_item"),
    )
    op.create_index("ix_returned_item__application_id", "returned_item", ["application_id"])

    op.create_table(
        "refusal_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_refusal_proposal__application_id"),
            nullable=False,
        ),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column(
            "proposed_by",
            sa.Uuid(),
            sa.ForeignKey("account.id", name="fk_refusal_proposal__proposed_by"),
            nullable=False,
        ),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "decided_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_refusal_proposal__decided_by"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_refusal_proposal"),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (upheld IS NULL)",
            name=op.f("ck_refusal_proposal__decided_whole"),
        ),
        sa.CheckConstraint("rule IN ('age','duplicate','falsehood')", name=op.f("ck_refusal_proposal__known_rule")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by", name=op.f("ck_refusal_proposal__second_person")
        ),
    )
    op.create_index(
        "ix_refusal_proposal__application_id",
        "refusal_proposal",
        ["application_id"],
        postgresql_where=sa.text("application_id IS NOT NULL"),
    )
    op.create_index(
        "uq_refusal_proposal__one_open",
        "refusal_proposal",
        ["application_id"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )

    op.create_table(
        "case_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_case_file__account_id"), nullable=False
        ),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_case_file__application_id"),
            nullable=True,
        ),
        sa.Column("child_index", sa.LargeBinary(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_case_file"),
        sa.CheckConstraint(
            "kind IN ('guardians_dispute','appeal','disability','register_dispute')",
            name=op.f("ck_case_file__known_kind"),
        ),
    )
    op.create_index("ix_case_file__application_id", "case_file", ["application_id"])
    op.create_index("ix_case_file__child_index", "case_file", ["child_index"])


def downgrade() -> None:
    op.drop_table("case_file")
    op.drop_table("refusal_proposal")
    op.drop_table("returned_item")
