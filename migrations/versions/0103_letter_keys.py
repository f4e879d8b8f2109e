"""the unique key of an account's letters

Revision ID: 0103_letter_keys
Revises: 0102_letters_of_accounts
"""

from alembic import op

revision = "0103_letter_keys"
down_revision = "0102_letters_of_accounts"
branch_labels = None
depends_on = None

KEY = "uq_letter__of_an_account"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            KEY,
            "letter",
            ["account_id", "name", "language"],
            unique=True,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(KEY, "letter", postgresql_concurrently=True, if_exists=True)
