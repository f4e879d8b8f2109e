"""coordinates, birth dates, details of claims and findings are stored sealed

A migration has no keys: it stores the plain text after a zero byte, which the portal reads as no value, and
`portal.operations.migrations` seals these texts before the next migration.

The way back cannot read what is sealed: sealed birth dates become the day 1-1-1, other sealed values are lost, and so are claims and
findings whose code is a token.

Revision ID: 0050_sealed_facts
Revises: 0049_audit_seals
"""

from alembic import op

revision = "0050_sealed_facts"
down_revision = "0049_audit_seals"
branch_labels = None
depends_on = None

COLUMNS = (
    ("child", "born", "date", "DATE '0001-01-01'"),
    ("roll_child", "born", "date", "NULL"),
    ("household", "home_longitude", "numeric(9,6)", "NULL"),
    ("household", "home_latitude", "numeric(8,6)", "NULL"),
    ("register_answer", "value", "jsonb", "NULL"),
    ("verified_fact", "reason", "varchar", "''"),
    ("returned_item", "note", "varchar", "''"),
    ("refusal_proposal", "explanation", "varchar", "''"),
)
"""Table, column, its type before, and what stands for a sealed value on the way back."""

VALUES_TO_SEAL = """
    UPDATE verified_fact SET sealed_value = '\\x00'::bytea || convert_to(value::text, 'UTF8'), value = NULL
    WHERE value IS NOT NULL AND fact IN ('born','home_place','policy_care','staff_child_at')
"""
GROUNDS = (
    "'local_hukou','collective_hukou','home_owner','service_area','estate_owner','residence_permit','workplace',"
    "'elder_sibling','sibling_right','policy_care','staff_child','special_need','multi_child'"
)
FACTS = (
    "'born','hukou_area','hukou_kind','hukou_street','home_area','home_place','home_owned','work_area',"
    "'residence_permit_area','sibling_at','sibling_right_at','policy_care','staff_child_at','special_need',"
    "'children_in_family'"
)
CASES = "'guardians_dispute','appeal','disability','register_dispute','add_guardian','remove_guardian'"
EMPTY = "'{}'"
KEYED = "^~[0-9a-f]{16}$"


def upgrade() -> None:
    for table, column, _kind, _lost in COLUMNS:
        _retype(table, column, "bytea", f"'\\x00'::bytea || convert_to({column}::text, 'UTF8')")
    _retype(
        "claim",
        "details",
        "bytea",
        "CASE WHEN details = '{}' THEN ''::bytea ELSE '\\x00'::bytea || convert_to(details::text, 'UTF8') END",
    )
    op.execute("ALTER TABLE verified_fact ADD COLUMN sealed_value bytea")
    _constrain(
        "verified_fact", "verified_has_a_value", "(outcome = 'verified') = (num_nonnulls(value, sealed_value) = 1)"
    )
    op.execute(VALUES_TO_SEAL)
    op.execute("ALTER TABLE roll_child ADD COLUMN school_from integer")
    op.execute(
        "UPDATE roll_child SET school_from = extract(year FROM birth.day + interval '4 months') + 6"
        " FROM (SELECT id, convert_from(substr(born, 2), 'UTF8')::date AS day FROM roll_child) AS birth"
        " WHERE birth.id = roll_child.id AND birth.day IS NOT NULL"
    )
    _constrain("claim", "known_ground", f"ground IN ({GROUNDS}) OR ground ~ '{KEYED}'")
    _constrain("verified_fact", "known_fact", f"fact IN ({FACTS}) OR fact ~ '{KEYED}'")
    _constrain("case_file", "known_kind", f"kind IN ({CASES}) OR kind ~ '{KEYED}'")


def downgrade() -> None:
    op.execute("DELETE FROM claim WHERE ground LIKE '~%'")
    op.execute("DELETE FROM verified_fact WHERE fact LIKE '~%'")
    op.execute("UPDATE case_file SET kind = 'disability' WHERE kind LIKE '~%'")
    _constrain("case_file", "known_kind", f"kind IN ({CASES})")
    _constrain("verified_fact", "known_fact", f"fact IN ({FACTS})")
    _constrain("claim", "known_ground", f"ground IN ({GROUNDS})")
    op.execute("ALTER TABLE roll_child DROP COLUMN school_from")
    op.execute("ALTER TABLE verified_fact DROP CONSTRAINT ck_verified_fact__verified_has_a_value")
    opened = _opened("sealed_value", "jsonb", "'\"sealed\"'")
    op.execute(f"UPDATE verified_fact SET value = {opened} WHERE sealed_value IS NOT NULL")  # noqa: S608 (constants)
    op.execute("ALTER TABLE verified_fact DROP COLUMN sealed_value")
    op.execute(
        "ALTER TABLE verified_fact ADD CONSTRAINT ck_verified_fact__verified_has_a_value"
        " CHECK ((outcome = 'verified') = (value IS NOT NULL))"
    )
    _retype(
        "claim",
        "details",
        "jsonb",
        f"CASE WHEN details = '' THEN '{{}}' ELSE {_opened('details', 'jsonb', EMPTY)} END",
    )
    for table, column, kind, lost in COLUMNS:
        _retype(table, column, kind, _opened(column, kind, lost))


def _retype(table: str, column: str, kind: str, value: str) -> None:
    op.execute(
        f"-- squawk-ignore changing-column-type\nALTER TABLE {table} ALTER COLUMN {column} TYPE {kind} USING {value}"
    )


def _opened(column: str, kind: str, lost: str) -> str:
    return (
        f"CASE WHEN substr({column}, 1, 1) = '\\x00' THEN convert_from(substr({column}, 2), 'UTF8')::{kind}"
        f" WHEN {column} IS NOT NULL THEN ({lost})::{kind} END"
    )


def _constrain(table: str, name: str, condition: str) -> None:
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT ck_{table}__{name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}__{name} CHECK ({condition}) NOT VALID")
