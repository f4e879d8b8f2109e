"""classes that a kindergarten loses after it was offered to families

Revision ID: 0062_class_loss
Revises: 0061_roll_indexes
"""

import sqlalchemy as sa
from alembic import op

revision = "0062_class_loss"
down_revision = "0061_roll_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_loss",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("classes", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("solution", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=True),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("remark", sa.String(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("classes > 0", name=op.f("ck_class_loss__some_classes")),
        sa.CheckConstraint("state IN ('open','signed','refused')", name=op.f("ck_class_loss__known_state")),
        sa.CheckConstraint(
            "solution IN ('another_room','above_norm','other_level','other_kindergarten')",
            name=op.f("ck_class_loss__known_solution"),
        ),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_class_loss__decided_at_a_time")),
        sa.CheckConstraint(
            "state <> 'signed' OR (kept IS NOT NULL AND until_day IS NOT NULL)", name=op.f("ck_class_loss__has_an_end")
        ),
        sa.CheckConstraint("(decided_by <> made_by) IS NOT FALSE", name=op.f("ck_class_loss__second_person")),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_class_loss__programme_id"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_class_loss__made_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name="fk_class_loss__decided_by"),
        sa.PrimaryKeyConstraint("id", name="pk_class_loss"),
    )
    op.create_index(
        "uq_class_loss__one_open", "class_loss", ["programme_id"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    op.create_index("ix_class_loss__programme_id", "class_loss", ["programme_id"])


def downgrade() -> None:
    op.drop_table("class_loss")
