"""letters that belong to the account that asked for them

Revision ID: 0102_letters_of_accounts
Revises: 0090_valid_quarters
"""

import sqlalchemy as sa
from alembic import op

revision = "0102_letters_of_accounts"
down_revision = "0090_valid_quarters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the version that still runs finds letters by their application and reads no other
    op.execute("-- squawk-ignore ban-drop-not-null\nALTER TABLE letter ALTER COLUMN application_id DROP NOT NULL")
    op.add_column("letter", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.add_column("letter", sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "ALTER TABLE letter ADD CONSTRAINT fk_letter__account_id"
        " FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE NOT VALID"
    )
    op.execute(
        "ALTER TABLE letter ADD CONSTRAINT ck_letter__one_subject"
        " CHECK (num_nonnulls(application_id, account_id) = 1) NOT VALID"
    )


def downgrade() -> None:
    op.execute("DELETE FROM letter WHERE application_id IS NULL")
    op.drop_constraint("ck_letter__one_subject", "letter")
    op.drop_constraint("fk_letter__account_id", "letter")
    op.drop_column("letter", "keep_until")
    op.drop_column("letter", "account_id")
    op.alter_column("letter", "application_id", nullable=False)
