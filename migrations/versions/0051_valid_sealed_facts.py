"""the constraints of the migration before are valid, and nothing is left unsealed

Revision ID: 0051_valid_sealed_facts
Revises: 0050_sealed_facts
"""

from alembic import op

revision = "0051_valid_sealed_facts"
down_revision = "0050_sealed_facts"
branch_labels = None
depends_on = None

ADDED = (
    ("claim", "known_ground"),
    ("verified_fact", "known_fact"),
    ("verified_fact", "verified_has_a_value"),
    ("case_file", "known_kind"),
)
SEALED = (
    ("claim", "details"),
    ("child", "born"),
    ("roll_child", "born"),
    ("household", "home_longitude"),
    ("household", "home_latitude"),
    ("register_answer", "value"),
    ("verified_fact", "reason"),
    ("verified_fact", "sealed_value"),
    ("returned_item", "note"),
    ("refusal_proposal", "explanation"),
)


def upgrade() -> None:
    for table, name in ADDED:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}__{name}")
    for table, column in SEALED:
        op.execute(f"""
            DO $$ BEGIN
                IF EXISTS (SELECT FROM {table} WHERE substr({column}, 1, 1) = '\\x00') THEN
                    RAISE EXCEPTION '{table}.{column} is not sealed yet: run flask migrate, which has the keys';
                END IF;
            END $$
        """)


def downgrade() -> None:
    """A valid constraint stays valid."""
