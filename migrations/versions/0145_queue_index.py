"""the index of the queue holds everything by which it is grouped, counted and limited

Revision ID: 0145_queue_index
Revises: 0144_queue_columns
"""

import sqlalchemy as sa
from alembic import op

revision = "0145_queue_index"
down_revision = "0144_queue_columns"
branch_labels = None
depends_on = None

HELD = ["id", "level", "register_state", "on_hold", "opened_at", "returned_at", "decided_at", "reviewer_id", "grounds"]


def upgrade() -> None:
    # squawk misses the transaction that Alembic has begun; a second run sets the same
    op.execute(
        "-- squawk-ignore prefer-robust-stmts\nALTER TABLE application SET (autovacuum_vacuum_scale_factor = 0.02)"
    )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_application__in_queue", "application", ["review_kindergarten_id", "year", "stage", "submitted_at"],
            postgresql_include=HELD, postgresql_where=sa.text("stage NOT IN ('draft','withdrawn')"),
            postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_application__in_queue", "application")
    op.execute("ALTER TABLE application RESET (autovacuum_vacuum_scale_factor)")
