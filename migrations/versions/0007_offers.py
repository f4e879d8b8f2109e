"""offers, arrivals, central placement

Revision ID: 0007_offers
Revises: 0006_review
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_offers"
down_revision = "0006_review"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.id", name="fk_offer__child_id"), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_offer__application_id"),
            nullable=False,
        ),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_offer__round_id"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("notice_code", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_offer"),
        sa.UniqueConstraint("notice_code", name="uq_offer__notice_code"),
        sa.ForeignKeyConstraint(
            ["programme_id", "year"], ["programme.id", "programme.year"], name="fk_offer__programme_id_year"
        ),
        sa.CheckConstraint(
            "state IN ('offered','confirmed','confirmed_waiting','arrived','declined','expired','superseded','no_show','revoked')",
            name=op.f("ck_offer__known_state"),
        ),
    )
    op.create_index("ix_offer__application_id", "offer", ["application_id"])
    op.create_index("ix_offer__child_id", "offer", ["child_id"], postgresql_where=sa.text("child_id IS NOT NULL"))
    op.create_index("ix_offer__due", "offer", ["answer_by"], postgresql_where=sa.text("state = 'offered'"))
    op.create_index("ix_offer__programme", "offer", ["programme_id", "state"])
    op.create_index(
        "uq_offer__one_live",
        "offer",
        ["child_id", "year"],
        unique=True,
        postgresql_where=sa.text("state IN ('offered','confirmed','confirmed_waiting','arrived')"),
    )

    op.create_table(
        "offer_move",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("offer_id", sa.Uuid(), sa.ForeignKey("offer.id", name="fk_offer_move__offer_id"), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_offer_move__account_id"), nullable=True
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_offer_move"),
    )
    op.create_index("ix_offer_move__offer_id", "offer_move", ["offer_id"])
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON offer_move FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_family()"
    )

    op.create_table(
        "arrival_check",
        sa.Column("offer_id", sa.Uuid(), sa.ForeignKey("offer.id", name="fk_arrival_check__offer_id"), nullable=False),
        sa.Column("health_on", sa.Date(), nullable=True),
        sa.Column("vaccination_on", sa.Date(), nullable=True),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_arrival_check__account_id"), nullable=True
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("offer_id", name="pk_arrival_check"),
    )

    op.create_table(
        "central_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_central_proposal__application_id"),
            nullable=False,
        ),
        sa.Column(
            "programme_id",
            sa.Uuid(),
            sa.ForeignKey("programme.id", name="fk_central_proposal__programme_id"),
            nullable=False,
        ),
        sa.Column("metres", sa.Integer(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "proposed_by",
            sa.Uuid(),
            sa.ForeignKey("account.id", name="fk_central_proposal__proposed_by"),
            nullable=False,
        ),
        sa.Column(
            "offer_id", sa.Uuid(), sa.ForeignKey("offer.id", name="fk_central_proposal__offer_id"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_central_proposal"),
    )
    op.create_index("ix_central_proposal__application_id", "central_proposal", ["application_id"])
    op.create_index(
        "ix_central_proposal__offer_id",
        "central_proposal",
        ["offer_id"],
        postgresql_where=sa.text("offer_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("central_proposal")
    op.drop_table("arrival_check")
    op.drop_table("offer_move")
    op.drop_table("offer")
