"""The map of constraints names only constraints that a table has, and codes whose words need no parameters."""

import re
import string

import enrollment.tables  # noqa: F401  every table is in the metadata
from enrollment.ground.constraint_errors import CONSTRAINT_ERRORS
from enrollment.ground.db import Base
from portal.text.words import table
from tests.guards.test_texts_of_codes import ROOT


def names_of_constraints() -> set[str]:
    tables = Base.metadata.tables.values()
    named = {str(rule.name) for each in tables for rule in each.constraints}
    return named | {str(index.name) for each in tables for index in each.indexes}


def names_given_by_triggers() -> set[str]:
    """The names of rules that a trigger reports as a constraint."""
    functions = (ROOT / "migrations" / "versions" / "sql").rglob("*.sql")
    return {name for path in functions for name in re.findall(r"CONSTRAINT = '(\w+)'", path.read_text("utf-8"))}


def test_each_name_belongs_to_a_table_or_a_trigger():
    assert CONSTRAINT_ERRORS.keys() - names_of_constraints() - names_given_by_triggers() == set()


def test_each_code_has_words_without_parameters():
    errors = table()["error"]
    for code in {error.code for error in CONSTRAINT_ERRORS.values()}:
        for words in errors[code].values():
            names = {name for _text, name, _format, _convert in string.Formatter().parse(words) if name}
            assert names <= {"contact"}, f"{code}: a constraint gives no values, and the page gives the contact alone"
