"""the order and the turn of uploaded pages, and the pictures that are drawn of them

Revision ID: 0089_evidence_pictures
Revises: 0088_season_tally
"""

import sqlalchemy as sa
from alembic import op

revision = "0089_evidence_pictures"
down_revision = "0088_season_tally"
branch_labels = None
depends_on = None

QUARTERS = "quarter_turns BETWEEN 0 AND 3"


def upgrade() -> None:
    op.add_column("evidence_page", sa.Column("position", sa.Integer(), server_default="0", nullable=False))
    op.add_column("evidence_page", sa.Column("quarter_turns", sa.Integer(), server_default="0", nullable=False))
    op.add_column("evidence_page", sa.Column("pictures", sa.Integer(), nullable=True))
    op.execute(
        f"ALTER TABLE evidence_page ADD CONSTRAINT ck_evidence_page__quarters_of_a_turn CHECK ({QUARTERS}) NOT VALID"
    )
    op.create_table(
        "evidence_picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_evidence_picture__counted_from_zero")),
        sa.ForeignKeyConstraint(
            ["page_id"], ["evidence_page.id"], name="fk_evidence_picture__page_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_picture"),
        sa.UniqueConstraint("page_id", "number", name="uq_evidence_picture__page_id_number"),
    )


def downgrade() -> None:
    op.drop_table("evidence_picture")
    op.drop_constraint("ck_evidence_page__quarters_of_a_turn", "evidence_page")
    op.drop_column("evidence_page", "pictures")
    op.drop_column("evidence_page", "quarter_turns")
    op.drop_column("evidence_page", "position")
