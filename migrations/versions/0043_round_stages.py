"""no round is `finished`: the result of a round stays published when its year is closed

Revision ID: 0043_round_stages
Revises: 0042_signature_note
"""

from alembic import op

revision = "0043_round_stages"
down_revision = "0042_signature_note"
branch_labels = None
depends_on = None

STAGES = "'planned','open','closed','frozen','drawn','published'"


def _allow(stages: str) -> None:
    # a few rows for each year, so that checking them takes no time; no version of the program wrote the stage
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE round DROP CONSTRAINT ck_round__known_stage")
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        f"ALTER TABLE round ADD CONSTRAINT ck_round__known_stage CHECK (stage IN ({stages}))"
    )


def upgrade() -> None:
    _allow(STAGES)


def downgrade() -> None:
    _allow(f"{STAGES},'finished'")
