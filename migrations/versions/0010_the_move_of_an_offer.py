"""the history of an offer names the move

The column stays nullable: a version that knows no moves may still write rows while this one is installed.

Revision ID: 0010_the_move_of_an_offer
Revises: 0009_coverage
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_the_move_of_an_offer"
down_revision = "0009_coverage"
branch_labels = None
depends_on = None

NAME_THE_MOVES = """
    UPDATE offer_move SET move = CASE
        WHEN before IS NULL AND after = 'confirmed' THEN 'move_up'
        WHEN before IS NULL AND after = 'confirmed_waiting' THEN 'move_up_and_wait'
        WHEN before IS NULL AND EXISTS (SELECT 1 FROM central_proposal WHERE central_proposal.offer_id = offer_move.offer_id)
            THEN 'place_centrally'
        WHEN before IS NULL THEN 'offer'
        WHEN after = 'confirmed' THEN 'confirm'
        WHEN after = 'confirmed_waiting' THEN 'confirm_and_wait'
        WHEN after = 'declined' THEN 'decline'
        WHEN after = 'arrived' THEN 'mark_arrived'
        WHEN after = 'no_show' THEN 'mark_no_show'
        WHEN after = 'expired' THEN 'expire'
        WHEN after = 'superseded' THEN 'supersede'
        WHEN after = 'revoked' THEN 'revoke'
    END
"""


def upgrade() -> None:
    op.add_column("offer_move", sa.Column("move", sa.String(), nullable=True))
    op.execute("ALTER TABLE offer_move DISABLE TRIGGER only_added")  # the rows refuse every change, also this one
    op.execute(NAME_THE_MOVES)
    op.execute("ALTER TABLE offer_move ENABLE TRIGGER only_added")


def downgrade() -> None:
    op.drop_column("offer_move", "move")
