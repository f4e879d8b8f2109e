"""letters that are drawn in the background

Revision ID: 0047_letter
Revises: 0046_valid_imports
"""

import sqlalchemy as sa
from alembic import op

revision = "0047_letter"
down_revision = "0046_valid_imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("page", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_letter__application_id"),
        sa.PrimaryKeyConstraint("id", name="pk_letter"),
        sa.UniqueConstraint("application_id", "name", "language", name="uq_letter__of_an_application"),
    )
    op.create_index("ix_letter__asked_at", "letter", ["asked_at"])


def downgrade() -> None:
    op.drop_table("letter")
