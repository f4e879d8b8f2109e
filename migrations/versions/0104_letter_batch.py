"""one PDF with the letters of many families, and the checks of `letter` that stood before

Revision ID: 0104_letter_batch
Revises: 0103_letter_keys
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0104_letter_batch"
down_revision = "0103_letter_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE letter VALIDATE CONSTRAINT fk_letter__account_id")
    op.execute("ALTER TABLE letter VALIDATE CONSTRAINT ck_letter__one_subject")
    op.create_table(
        "letter_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("chosen", postgresql.JSONB(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=True),
        sa.Column("applications", postgresql.JSONB(), nullable=False),
        sa.Column("left_out", postgresql.JSONB(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_letter_batch"),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_letter_batch__kindergarten_id"),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_letter_batch__asked_by"),
        sa.CheckConstraint("kind IN ('notices','letters','labels')", name=op.f("ck_letter_batch__known_kind")),
        sa.CheckConstraint("(kind = 'letters') = (texts IS NOT NULL)", name=op.f("ck_letter_batch__text_of_letters")),
        sa.CheckConstraint(
            "content IS NULL OR (made_at IS NOT NULL AND cancelled_at IS NULL)",
            name=op.f("ck_letter_batch__kept_when_wanted"),
        ),
    )
    op.create_index("ix_letter_batch__of_a_desk", "letter_batch", ["asked_by", "kindergarten_id", "asked_at"])


def downgrade() -> None:
    op.drop_table("letter_batch")
