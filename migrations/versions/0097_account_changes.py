"""changes of accounts of staff, asked for by one person and agreed to by another

Revision ID: 0097_account_changes
Revises: 0094_unserved_children
"""

import sqlalchemy as sa
from alembic import op

revision = "0097_account_changes"
down_revision = "0094_unserved_children"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("setup_digest", sa.LargeBinary(), nullable=True),
        sa.Column("setup_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("setup_tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("change IN ('add','grant','enable','reset')", name=op.f("ck_account_change__known_change")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_account_change__second_person")
        ),
        sa.CheckConstraint(
            "account_id IS NULL OR (asked_by <> account_id)", name=op.f("ck_account_change__not_for_oneself")
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (agreed IS NULL)",
            name=op.f("ck_account_change__decided_whole"),
        ),
        sa.CheckConstraint(
            "(change = 'add') OR account_id IS NOT NULL", name=op.f("ck_account_change__about_an_account")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_account_change__account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_account_change__kindergarten_id"),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_account_change__area_code"),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_account_change__asked_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name="fk_account_change__decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_account_change"),
    )
    op.create_index("ix_account_change__account_id", "account_change", ["account_id"])
    op.create_index(
        "uq_account_change__one_open",
        "account_change",
        ["login", "change"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("account_change")
