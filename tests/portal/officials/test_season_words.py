"""Each code of the season package that a page can show has words; the codes are read from the source files."""

import ast
from pathlib import Path

import pytest

from enrollment.season import policy_file
from enrollment.season.calendar import STEPS
from enrollment.season.document_kinds import Document
from enrollment.season.policy_parser import TYPE_NAMES
from enrollment.season.round_rows import PAIR_RULES
from portal.text.words import table

SEASON = Path(policy_file.__file__).parent


def first_arguments(*names: str) -> set[str]:
    """The first argument of every call of these names in the package, if it is a string literal."""
    found = set()
    for file in SEASON.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


CODES = {
    "policy_fault": first_arguments("PolicyFault", "fault"),
    "calendar_conflict": first_arguments("Conflict"),
    "notice": {f"new_date_{step}" for step in STEPS},
    "document": set(Document),
    "care_kind": set(policy_file.CARE_KINDS),
    "policy_family": set(policy_file.FAMILIES),
    "policy_family_meaning": set(policy_file.FAMILIES),
    "pair_rule_meaning": set(PAIR_RULES),
    "policy_type": set(TYPE_NAMES.values()) | {"list_of_codes", "list_of_ways"},
    "policy_state": {"draft", "tried", "signed_once", "in_force", "withdrawn", "passed_over"},
    "trial_change": {"wins", "loses", "same"},
}


def test_the_codes_are_found():
    assert {"unknown_key", "example_differs", "duplicate_tier", "never_reached"} <= CODES["policy_fault"]
    assert {"overlap", "announcement_too_short"} <= CODES["calendar_conflict"]


@pytest.mark.parametrize("group", CODES)
def test_every_code_has_words(group):
    assert not {str(code) for code in CODES[group]} - table()[group].keys()
