"""a family's download that is packed in the background

Revision ID: 0012_data_package
Revises: 0011_account_language
"""

import sqlalchemy as sa
from alembic import op

revision = "0012_data_package"
down_revision = "0011_account_language"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_package",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_data_package__account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_data_package"),
        sa.UniqueConstraint("account_id", name="uq_data_package__account_id"),
    )


def downgrade() -> None:
    op.drop_table("data_package")
