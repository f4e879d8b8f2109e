"""the ready-made sentence of a returned item as a code, so that each family reads it in its own language

Revision ID: 0134_return_phrases
Revises: 0133_comparisons_and_approvals
"""

import sqlalchemy as sa
from alembic import op

revision = "0134_return_phrases"
down_revision = "0133_comparisons_and_approvals"
branch_labels = None
depends_on = None

PHRASES = (
    "'not_uploaded','blurred','page_missing','name_differs','address_differs','expired','other_paper','check_number',"
    "'choose_street','to_the_room','say_rented','check_entry','bring_proof'"
)


def upgrade() -> None:
    op.add_column("returned_item", sa.Column("phrase", sa.String(), nullable=True))
    # a new column without values: nothing is there to be checked, and the check takes no time
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE returned_item ADD CONSTRAINT ck_returned_item__known_phrase CHECK (phrase IN ({PHRASES}))"
    )


def downgrade() -> None:
    op.drop_column("returned_item", "phrase")
