"""the trail is read by person and day

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_entry__account_id", "audit_entry", ["account_id", "number"])
    op.create_index("ix_audit_entry__at", "audit_entry", ["at"], postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("ix_audit_entry__at", table_name="audit_entry")
    op.drop_index("ix_audit_entry__account_id", table_name="audit_entry")
