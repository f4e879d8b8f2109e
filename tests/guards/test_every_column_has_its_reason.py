"""The register of data: each column has a purpose, a legal basis, a retention and a degree, and what is sensitive is sealed."""

import pytest

from enrollment.ground.data_register import DEGREES, register
from enrollment.ground.vault import Sealed
from enrollment.tables import METADATA

REGISTER = register()
SEALED_FILES = {
    (table.name, column.name) for table in METADATA.sorted_tables for column in table.columns if "sealed" in column.info
}
"""Whole files, sealed by the verb that writes them rather than by the column's type; the column says for what purpose."""


def test_the_register_names_exactly_the_tables():
    assert set(REGISTER) == set(METADATA.tables)


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_every_column_stands_in_it_once(table):
    entry = REGISTER[table]
    assert all(entry[what] for what in ("purpose", "basis", "retention"))
    named = [column for degree in DEGREES for column in entry.get(degree, [])]
    assert sorted(named) == sorted(column.name for column in METADATA.tables[table].columns)


def test_what_is_sealed_is_said_to_be_and_the_other_way_round():
    for name, table in METADATA.tables.items():
        sealed = {
            column.name
            for column in table.columns
            if isinstance(column.type, Sealed) or (name, column.name) in SEALED_FILES
        }
        assert sealed == set(REGISTER[name].get("sealed", [])), name


def test_names_numbers_phones_and_addresses_of_people_are_never_plain():
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
