"""the language in which an account is written to

Revision ID: 0011_account_language
Revises: 0010_the_move_of_an_offer
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_account_language"
down_revision = "0010_the_move_of_an_offer"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # one statement: the check reads the accounts once, some hundred thousand short rows
    known = sa.CheckConstraint("language IN ('zh','en')", name=op.f("ck_account__known_language"))
    op.add_column("account", sa.Column("language", sa.String(), known, server_default="zh", nullable=False))


def downgrade() -> None:
    op.drop_column("account", "language")
