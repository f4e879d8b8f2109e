"""which account a person of the city's single sign-on opens

Revision ID: 0091_sign_on
Revises: 0104_letter_batch
"""

import sqlalchemy as sa
from alembic import op

revision = "0091_sign_on"
down_revision = "0104_letter_batch"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_on_binding",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_sign_on_binding__account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_sign_on_binding"),
        sa.UniqueConstraint("subject_index", name="uq_sign_on_binding__subject_index"),
    )


def downgrade() -> None:
    op.drop_table("sign_on_binding")
