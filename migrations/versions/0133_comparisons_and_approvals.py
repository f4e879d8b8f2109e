"""what the last comparison with a file of the national roll found; the approval that the loss of a class rests on

Revision ID: 0133_comparisons_and_approvals
Revises: 0131_kept_board
"""

import sqlalchemy as sa
from alembic import op

revision = "0133_comparisons_and_approvals"
down_revision = "0131_kept_board"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("class_loss", sa.Column("paper_id", sa.Uuid(), nullable=True))
    # the column was just added and holds nothing, so that the check reads no row of the other table
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE class_loss ADD CONSTRAINT fk_class_loss__paper_id FOREIGN KEY (paper_id) REFERENCES approval_paper (id)"
    )
    op.create_table(
        "roll_comparison",
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("here", sa.Integer(), nullable=False),
        sa.Column("there", sa.Integer(), nullable=False),
        sa.Column("missing_here", sa.Integer(), nullable=False),
        sa.Column("compared_by", sa.Uuid(), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "here >= 0 AND there >= 0 AND missing_here >= 0", name=op.f("ck_roll_comparison__not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["kindergarten_id"], ["kindergarten.id"], name=op.f("fk_roll_comparison__kindergarten_id")
        ),
        sa.ForeignKeyConstraint(["compared_by"], ["account.id"], name=op.f("fk_roll_comparison__compared_by")),
        sa.PrimaryKeyConstraint("kindergarten_id", "school_year", name=op.f("pk_roll_comparison")),
    )
    op.create_table(
        "roll_difference",
        sa.Column("roll_child_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["roll_child_id"], ["roll_child.id"], name=op.f("fk_roll_difference__roll_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["kindergarten_id"], ["kindergarten.id"], name=op.f("fk_roll_difference__kindergarten_id")
        ),
        sa.PrimaryKeyConstraint("roll_child_id", "kind", name=op.f("pk_roll_difference")),
    )
    op.create_index("ix_roll_difference__kindergarten", "roll_difference", ["kindergarten_id", "school_year"])


def downgrade() -> None:
    op.drop_table("roll_difference")
    op.drop_table("roll_comparison")
    op.drop_column("class_loss", "paper_id")
