"""The data register: purpose, legal basis, retention and sensitivity of every column; sensitive columns are sealed."""

import pytest

from enrollment.ground.data_register import DEGREES, register
from enrollment.ground.sealed.codes import KeyedCode, KeyedJson, KeyedText
from enrollment.ground.sealed.values import Sealed
from enrollment.tables import METADATA

REGISTER = register()
SEALED_FILES = {
    (table.name, column.name) for table in METADATA.sorted_tables for column in table.columns if "sealed" in column.info
}
"""Columns with files that a service function seals; their `info` names the purpose."""


def test_the_register_names_exactly_the_tables():
    assert set(REGISTER) == set(METADATA.tables)


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_the_register_names_every_column_once(table):
    entry = REGISTER[table]
    assert all(entry[what] for what in ("purpose", "basis", "retention"))
    named = [column for degree in DEGREES for column in entry.get(degree, [])]
    assert sorted(named) == sorted(column.name for column in METADATA.tables[table].columns)


def test_exactly_the_sealed_columns_are_registered_as_sealed():
    for name, table in METADATA.tables.items():
        sealed = {
            column.name
            for column in table.columns
            if isinstance(column.type, Sealed) or (name, column.name) in SEALED_FILES
        }
        assert sealed == set(REGISTER[name].get("sealed", [])), name


def test_exactly_the_columns_with_tokens_are_registered_as_keyed():
    for name, table in METADATA.tables.items():
        keyed = {column.name for column in table.columns if isinstance(column.type, KeyedCode | KeyedJson | KeyedText)}
        assert keyed == set(REGISTER[name].get("keyed", [])), name


def test_personal_data_are_sealed():
    telling = {"name", "id_number", "phone", "home_address", "answers", "to", "body"}
    for name in (
        "account",
        "guardian",
        "child",
        "roll_child",
        "household",
        "application_version",
        "text_message",
        "sent_message",
    ):
        for column in telling & {column.name for column in METADATA.tables[name].columns}:
            assert isinstance(METADATA.tables[name].columns[column].type, Sealed), (name, column)
