"""indexes of applications over the rows that have a value: a submission writes two entries less

Revision ID: 0044_application_indexes
Revises: 0043_round_stages
"""

import sqlalchemy as sa
from alembic import op

revision = "0044_application_indexes"
down_revision = "0043_round_stages"
branch_labels = None
depends_on = None

INDEXES = {"ix_application__helped": "entered_for", "ix_application__bound": "unit"}
REPLACED = {"ix_application__entered_for": "entered_for", "ix_application__unit": "unit"}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, column in INDEXES.items():
            op.create_index(
                name,
                "application",
                [column],
                postgresql_where=sa.text(f"{column} IS NOT NULL"),
                postgresql_concurrently=True,
                if_not_exists=True,
            )
        for name in REPLACED:
            op.drop_index(name, "application", postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    for name, column in REPLACED.items():
        op.create_index(name, "application", [column])
    for name in INDEXES:
        op.drop_index(name, "application")
