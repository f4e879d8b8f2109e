"""a telephone number that the carrier gave to another person: when it was proven, doubts, and its release

Revision ID: 0123_doubted_phones
Revises: 0126_roll_confirmations
"""

import sqlalchemy as sa
from alembic import op

revision = "0123_doubted_phones"
down_revision = "0126_roll_confirmations"
branch_labels = None
depends_on = None

WAYS = "way IN ('session','desk')"
MORE_WAYS = "way IN ('session','desk','new_holder')"
NOBODYS = "(way = 'new_holder') = (new_phone IS NULL) AND (way = 'new_holder') = (asked_by IS NULL)"


def upgrade() -> None:
    # The default is computed once, for the rows that exist: the clock of their numbers begins with this migration.  A row
    # that is written later has no value until its number is proven again, and its clock begins when it was made.
    op.execute("ALTER TABLE account ADD COLUMN phone_proven_at timestamptz DEFAULT now()")
    op.execute("-- squawk-ignore ban-drop-default\nALTER TABLE account ALTER COLUMN phone_proven_at DROP DEFAULT")
    op.create_table(
        "phone_doubt",
        sa.Column(
            "account_id",
            sa.Uuid(),
            sa.ForeignKey("account.id", name="fk_phone_doubt__account_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account_id", name="pk_phone_doubt"),
    )
    for column in ("new_phone", "asked_by"):  # the version that still runs writes both in each of its rows
        op.execute(f"-- squawk-ignore ban-drop-not-null\nALTER TABLE phone_change ALTER COLUMN {column} DROP NOT NULL")
    _replace("known_way", MORE_WAYS)
    op.execute(
        f"ALTER TABLE phone_change ADD CONSTRAINT ck_phone_change__a_release_has_no_number CHECK ({NOBODYS}) NOT VALID"
    )


def downgrade() -> None:
    op.execute("DELETE FROM phone_change WHERE way = 'new_holder'")
    op.execute("ALTER TABLE phone_change DROP CONSTRAINT ck_phone_change__a_release_has_no_number")
    _replace("known_way", WAYS)
    op.alter_column("phone_change", "asked_by", nullable=False)
    op.alter_column("phone_change", "new_phone", nullable=False)
    op.drop_table("phone_doubt")
    op.drop_column("account", "phone_proven_at")


def _replace(name: str, condition: str) -> None:
    # the version that still runs writes only rows that the wider constraint allows too
    name = f"ck_phone_change__{name}"
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE phone_change DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE phone_change ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
