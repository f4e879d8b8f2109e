"""the language in which an account is written to

Revision ID: 0010_account_language
Revises: 0009_coverage
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_account_language"
down_revision = "0009_coverage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("language", sa.String(), server_default="zh", nullable=False))
    op.execute("""
        ALTER TABLE account ADD CONSTRAINT ck_account__known_language CHECK (language IN ('zh','en')) NOT VALID
    """)
    with op.get_context().autocommit_block():  # reads the rows without a lock that anybody waits for
        op.execute("ALTER TABLE account VALIDATE CONSTRAINT ck_account__known_language")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_account__known_language"), "account", type_="check")
    op.drop_column("account", "language")
