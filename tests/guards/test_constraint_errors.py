"""The map of constraints names only constraints that a table has, and codes whose words need no parameters."""

import string

import enrollment.tables  # noqa: F401  every table is in the metadata
from enrollment.ground.constraint_errors import CONSTRAINT_ERRORS
from enrollment.ground.db import Base
from portal.text.words import table


def names_of_constraints() -> set[str]:
    tables = Base.metadata.tables.values()
    named = {str(rule.name) for each in tables for rule in each.constraints}
    return named | {str(index.name) for each in tables for index in each.indexes}


def test_each_name_belongs_to_a_table():
    assert CONSTRAINT_ERRORS.keys() - names_of_constraints() == set()


def test_each_code_has_words_without_parameters():
    errors = table()["error"]
    for code in {error.code for error in CONSTRAINT_ERRORS.values()}:
        for words in errors[code].values():
            assert not [name for _text, name, _format, _convert in string.Formatter().parse(words) if name], code
