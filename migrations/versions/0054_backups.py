"""backups that were made

Revision ID: 0054_backups
Revises: 0051_valid_sealed_facts
"""

import sqlalchemy as sa
from alembic import op

revision = "0054_backups"
down_revision = "0051_valid_sealed_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("audit_link", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_backup"),
    )
    op.create_index("ix_backup__taken_at", "backup", ["taken_at"])


def downgrade() -> None:
    op.drop_table("backup")
