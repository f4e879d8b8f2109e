"""more likenesses of children, likenesses of homes, and verdicts about what is hardly plausible

Revision ID: 0107_plausibility
Revises: 0121_moves_of_home
"""

import sqlalchemy as sa
from alembic import op

revision = "0107_plausibility"
down_revision = "0121_moves_of_home"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("child_likeness", sa.Column("month_index", sa.LargeBinary(), nullable=True))
    op.add_column("child_likeness", sa.Column("letters_index", sa.LargeBinary(), nullable=True))
    op.create_table(
        "home_likeness",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("dwelling_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name="fk_home_likeness__application_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("application_id", name="pk_home_likeness"),
    )
    op.create_index("ix_home_likeness__dwelling_index", "home_likeness", ["dwelling_index"])
    op.create_table(
        "plausibility_verdict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_plausibility_verdict__application_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_plausibility_verdict__account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plausibility_verdict"),
        sa.CheckConstraint(
            "hint IN ('sibling_too_close','parent_too_young','hukou_since_opening','home_other_area',"
            "'owned_with_lease','rented_with_deed','permit_elsewhere','shared_home','shared_file')",
            name=op.f("ck_plausibility_verdict__known_hint"),
        ),
        sa.CheckConstraint("verdict IN ('explained','doubtful')", name=op.f("ck_plausibility_verdict__known_verdict")),
    )
    op.create_index("ix_plausibility_verdict__application_id", "plausibility_verdict", ["application_id"])
    op.create_index("ix_plausibility_verdict__basis", "plausibility_verdict", ["basis"])


def downgrade() -> None:
    op.drop_table("plausibility_verdict")
    op.drop_table("home_likeness")
    op.drop_column("child_likeness", "letters_index")
    op.drop_column("child_likeness", "month_index")
