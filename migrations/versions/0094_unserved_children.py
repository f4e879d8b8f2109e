"""what officials and families note about children without a place, and the answer of a case to the family

Revision ID: 0094_unserved_children
Revises: 0106_valid_plan_sources
"""

import sqlalchemy as sa
from alembic import op

revision = "0094_unserved_children"
down_revision = "0106_valid_plan_sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unserved_child",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=True),
        sa.Column("explanation", sa.String(), nullable=True),
        sa.Column("explanation_text", sa.LargeBinary(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("explained_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "explanation IN ('elsewhere','moved_away','next_year','waits','unreachable','none_near','other')",
            name=op.f("ck_unserved_child__known_explanation"),
        ),
        sa.CheckConstraint(
            "(explanation IS NULL) = (explained_at IS NULL) AND (explanation IS NULL) = (explained_by IS NULL)",
            name=op.f("ck_unserved_child__explained_by_somebody"),
        ),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_unserved_child__application_id"),
        sa.ForeignKeyConstraint(["officer_id"], ["account.id"], name="fk_unserved_child__officer_id"),
        sa.ForeignKeyConstraint(["explained_by"], ["account.id"], name="fk_unserved_child__explained_by"),
        sa.PrimaryKeyConstraint("application_id", name="pk_unserved_child"),
    )
    op.create_index("ix_unserved_child__officer_id", "unserved_child", ["officer_id"])
    op.create_table(
        "accepted_places",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("nature", sa.String(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("nature IN ('any','public')", name=op.f("ck_accepted_places__known_nature")),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_accepted_places__application_id"),
        sa.ForeignKeyConstraint(["said_by"], ["account.id"], name="fk_accepted_places__said_by"),
        sa.PrimaryKeyConstraint("application_id", name="pk_accepted_places"),
    )
    op.create_table(
        "chosen_place",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("metres", sa.Integer(), nullable=True),
        sa.Column("apart", sa.LargeBinary(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chosen_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_chosen_place__application_id"),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_chosen_place__programme_id"),
        sa.ForeignKeyConstraint(["chosen_by"], ["account.id"], name="fk_chosen_place__chosen_by"),
        sa.PrimaryKeyConstraint("application_id", name="pk_chosen_place"),
    )
    op.create_index("ix_chosen_place__programme_id", "chosen_place", ["programme_id"])
    op.create_table(
        "declined_proposal",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('too_far','fee','kindergarten','waits','elsewhere','other')",
            name=op.f("ck_declined_proposal__known_reason"),
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_declined_proposal__offer_id"),
        sa.ForeignKeyConstraint(["said_by"], ["account.id"], name="fk_declined_proposal__said_by"),
        sa.PrimaryKeyConstraint("offer_id", name="pk_declined_proposal"),
    )
    op.add_column("case_file", sa.Column("answer", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("case_file", "answer")
    for table in ("declined_proposal", "chosen_place", "accepted_places", "unserved_child"):
        op.drop_table(table)
