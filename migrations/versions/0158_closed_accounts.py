"""a closed family account gives its telephone number back

Revision ID: 0158_closed_accounts
Revises: 0157_way_of_versions
"""

from alembic import op

revision = "0158_closed_accounts"
down_revision = "0157_way_of_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "UPDATE account SET phone = NULL, phone_index = NULL, phone_proven_at = NULL"
        " WHERE disabled_at IS NOT NULL AND login IS NULL AND phone_index IS NOT NULL"
    )


def downgrade() -> None:
    """Whose number it was stands nowhere any more, and the number may belong to a new account."""
