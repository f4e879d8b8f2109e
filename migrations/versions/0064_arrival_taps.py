"""taps at the door, entries that arrivals make on the roll, tries to reach a family

Revision ID: 0064_arrival_taps
Revises: 0058_support_cases
"""

import sqlalchemy as sa
from alembic import op

revision = "0064_arrival_taps"
down_revision = "0058_support_cases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("arrival_check", sa.Column("pickup_on", sa.Date(), nullable=True))
    _taps()
    _entries()
    _contacts()


def _taps() -> None:
    op.create_table(
        "arrival_tap",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("class_name", sa.String(), nullable=True),
        sa.Column("noted", sa.LargeBinary(), nullable=True),
        sa.Column("tapped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_arrival_tap"),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_arrival_tap__kindergarten_id"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_arrival_tap__offer_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_arrival_tap__account_id"),
        sa.ForeignKeyConstraint(["settled_by"], ["account.id"], name="fk_arrival_tap__settled_by"),
        sa.CheckConstraint(
            "act IN ('health','vaccination','pickup','arrived','not_arrived','class','noted')",
            name="ck_arrival_tap__known_act",
        ),
        sa.CheckConstraint(
            "offer_id IS NOT NULL OR refusal IS NOT NULL", name="ck_arrival_tap__of_an_offer_or_to_match"
        ),
        sa.CheckConstraint("NOT matched OR offer_id IS NOT NULL", name="ck_arrival_tap__matched_with_an_offer"),
        sa.CheckConstraint(
            "settled_at IS NULL OR refusal IS NOT NULL", name="ck_arrival_tap__only_what_was_kept_is_settled"
        ),
    )
    op.create_index("ix_arrival_tap__received", "arrival_tap", ["kindergarten_id", "received_at"])
    op.create_index("ix_arrival_tap__offer", "arrival_tap", ["offer_id", "act", "tapped_at"])
    op.create_index(
        "ix_arrival_tap__to_match",
        "arrival_tap",
        ["kindergarten_id", "year"],
        postgresql_where=sa.text("refusal IS NOT NULL AND settled_at IS NULL"),
    )


def _entries() -> None:
    op.create_table(
        "arrival_entry",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("roll_child_id", sa.Uuid(), nullable=False),
        sa.Column("ended", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("offer_id", name="pk_arrival_entry"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_arrival_entry__offer_id"),
        sa.ForeignKeyConstraint(["roll_child_id"], ["roll_child.id"], name="fk_arrival_entry__roll_child_id"),
    )
    op.create_index("ix_arrival_entry__roll_child_id", "arrival_entry", ["roll_child_id"])
    # children who have arrived already; which entries their arrival ended is not known
    op.execute("""
        INSERT INTO arrival_entry (offer_id, roll_child_id, ended, at)
        SELECT DISTINCT ON (offer.id) offer.id, roll_child.id, '{}', offer.answered_at
        FROM offer
        JOIN child ON child.id = offer.child_id
        JOIN programme ON programme.id = offer.programme_id
        JOIN roll_child ON roll_child.id_index = child.id_index AND roll_child.left_on IS NULL
        JOIN roll_class ON roll_class.id = roll_child.class_id
            AND roll_class.kindergarten_id = programme.kindergarten_id AND roll_class.school_year = programme.year
        WHERE offer.state = 'arrived'
    """)


def _contacts() -> None:
    op.create_table(
        "arrival_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_arrival_contact"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_arrival_contact__offer_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_arrival_contact__account_id"),
        sa.CheckConstraint("way IN ('call','message','visit')", name="ck_arrival_contact__known_way"),
        sa.CheckConstraint(
            "outcome IN ('no_answer','will_come','not_coming')", name="ck_arrival_contact__known_outcome"
        ),
    )
    op.create_index("ix_arrival_contact__offer_id", "arrival_contact", ["offer_id"])


def downgrade() -> None:
    op.drop_table("arrival_contact")
    op.drop_table("arrival_entry")
    op.drop_table("arrival_tap")
    op.drop_column("arrival_check", "pickup_on")
