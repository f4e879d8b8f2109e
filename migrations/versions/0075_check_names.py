"""check constraints that carried their prefix twice have the names of the models

Revision ID: 0075_check_names
Revises: 0074_policy_laboratory
"""

from alembic import op

revision = "0075_check_names"
down_revision = "0074_policy_laboratory"
branch_labels = None
depends_on = None

NAMES = {
    "alarm": ("known_code",),
    "arrival_contact": ("known_outcome", "known_way"),
    "arrival_tap": ("known_act", "matched_with_an_offer", "of_an_offer_or_to_match", "only_what_was_kept_is_settled"),
    "correction_request": ("decided_has_a_time", "duplicate_of_another", "known_kind", "known_state"),
    "demand": ("no_small_numbers",),
    "full_file_grant": (
        "approval_has_a_time", "approved_by_another", "code_after_approval", "known_kind", "revocation_has_a_time",
    ),
    "full_file_issue": ("few_downloads",),
    "laboratory_study": ("has_a_name", "known_state", "some_draws"),
    "named_place": ("known_kind",),
    "report_export": ("decided_whole", "second_person"),
}  # fmt: skip
SHORTENED = {
    "ck_correction_request__decided_has_a_time": "ck_correction_request__ck_correction_request__decided_h_9576",
    "ck_correction_request__duplicate_of_another": "ck_correction_request__ck_correction_request__duplicate_5d57",
}
"""Old names that were too long for PostgreSQL."""


def _pairs() -> list[tuple[str, str, str]]:
    """Table, old and new name."""
    names = [(table, f"ck_{table}__{name}") for table, each in NAMES.items() for name in each]
    return [(table, SHORTENED.get(name, f"ck_{table}__{name}"), name) for table, name in names]


def upgrade() -> None:
    for table, before, after in _pairs():  # only the map of refusals reads these names, and it has the new ones
        op.execute(f"-- squawk-ignore renaming-object\nALTER TABLE {table} RENAME CONSTRAINT {before} TO {after}")


def downgrade() -> None:
    for table, before, after in reversed(_pairs()):
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {after} TO {before}")
