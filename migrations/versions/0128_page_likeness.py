"""the likeness of uploaded pages, so that copies of one file are found that were saved anew

Revision ID: 0128_page_likeness
Revises: 0127_answers_and_approvals
"""

from alembic import op

revision = "0128_page_likeness"
down_revision = "0127_answers_and_approvals"
branch_labels = None
depends_on = None

INDEX = "ix_evidence_page__likeness"


def upgrade() -> None:
    op.execute("ALTER TABLE evidence_page ADD COLUMN IF NOT EXISTS likeness bigint[]")
    with op.get_context().autocommit_block():
        op.create_index(
            INDEX,
            "evidence_page",
            ["likeness"],
            postgresql_using="gin",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, "evidence_page", postgresql_concurrently=True, if_exists=True)
    op.drop_column("evidence_page", "likeness")
