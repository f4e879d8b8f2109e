"""leases of the review, what groups a queue, notes, and saved filters

Revision ID: 0056_review_leases
Revises: 0070_coverage_rollup
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0056_review_leases"
down_revision = "0070_coverage_rollup"
branch_labels = None
depends_on = None

CHECKS = {
    "lease_of_a_clerk": "lease_until IS NULL OR reviewer_id IS NOT NULL",
    "known_register_state": "register_state IN ('differs','silent','agrees')",
}

VALUES = """\
            ('local_hukou','hukou_area'), ('local_hukou','hukou_kind'), ('collective_hukou','hukou_area'),
            ('collective_hukou','hukou_kind'), ('home_owner','home_area'), ('home_owner','home_place'),
            ('home_owner','home_owned'), ('service_area','home_area'), ('service_area','home_place'),
            ('estate_owner','home_place'), ('estate_owner','home_owned'), ('residence_permit','residence_permit_area'),
            ('workplace','work_area'), ('elder_sibling','sibling_at'), ('sibling_right','sibling_right_at'),
            ('policy_care','policy_care'), ('staff_child','staff_child_at'), ('special_need','special_need'),
            ('multi_child','children_in_family')"""
"""The facts of each ground that a register can confirm, as they were when this migration was written."""

RETURNED = """
    UPDATE application SET returned_at = asked.at
    FROM (SELECT application_id, max(asked_at) AS at FROM returned_item GROUP BY application_id) AS asked
    WHERE asked.application_id = application.id
"""
OPENED = """
    UPDATE application SET opened_at = coalesce(taken_at, changed_at)
    WHERE stage IN ('in_review', 'returned') OR id IN (SELECT application_id FROM move_made WHERE move = 'release')
"""
SAID = f"""
    WITH waiting AS (
        SELECT application.id, child_id, on_hold, coalesce(
            (SELECT max(submitted_at) FROM application_version WHERE application_id = application.id),
            submitted_at) AS handed_in
        FROM application WHERE stage IN ('submitted', 'in_review')),
    said AS (
        SELECT waiting.id, fact, answer, disputed_at FROM waiting
        JOIN register_answer ON register_answer.application_id = waiting.id AND at >= handed_in),
    asked (ground, fact) AS (VALUES
{VALUES}),
    unmatched AS (
        SELECT claim.application_id AS id FROM claim JOIN asked USING (ground)
        JOIN waiting ON waiting.id = claim.application_id
        LEFT JOIN said ON said.id = claim.application_id AND said.fact = asked.fact
            AND said.answer = 'matches' AND said.disputed_at IS NULL
        WHERE said.id IS NULL
        UNION SELECT application_id FROM claim WHERE ground LIKE '~%'),
    state AS (
        SELECT waiting.id, CASE
            WHEN bool_or(answer = 'differs' AND fact <> 'vaccination') OR bool_or(disputed_at IS NOT NULL) THEN 'differs'
            WHEN NOT on_hold AND bool_or(fact = 'born' AND answer = 'matches')
                AND waiting.id NOT IN (SELECT id FROM unmatched)
                AND EXISTS (SELECT FROM guardianship WHERE guardianship.child_id = waiting.child_id
                    AND accepted_at IS NOT NULL AND relation IN ('father', 'mother')) THEN 'agrees'
            ELSE 'silent' END AS register_state
        FROM waiting JOIN said ON said.id = waiting.id
        GROUP BY waiting.id, waiting.child_id, on_hold)
    UPDATE application SET register_state = state.register_state FROM state WHERE state.id = application.id
"""  # noqa: S608  (constants)


def upgrade() -> None:
    for name in ("lease_until", "opened_at", "returned_at"):
        op.add_column("application", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("application", sa.Column("register_state", sa.String(), nullable=True))
    for name, rule in CHECKS.items():
        op.execute(f"ALTER TABLE application ADD CONSTRAINT ck_application__{name} CHECK ({rule}) NOT VALID")
    op.execute(RETURNED)
    op.execute(OPENED)
    op.execute(SAID)
    op.create_table(
        "saved_filter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_saved_filter__account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_filter"),
        sa.UniqueConstraint("account_id", "name", name="uq_saved_filter__name"),
    )
    op.create_table(
        "review_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_review_note__account_id"),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_review_note__application_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review_note"),
    )
    op.create_index("ix_review_note__application_id", "review_note", ["application_id"])


def downgrade() -> None:
    op.drop_table("review_note")
    op.drop_table("saved_filter")
    for name in CHECKS:
        op.execute(f"ALTER TABLE application DROP CONSTRAINT ck_application__{name}")
    for name in ("register_state", "returned_at", "opened_at", "lease_until"):
        op.drop_column("application", name)
