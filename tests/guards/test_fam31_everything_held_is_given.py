"""FAM31: whatever the register of data marks as the family's is in its download, with words in both languages."""

import tomllib
from pathlib import Path

import pytest

from enrollment.reports.family_records import LEFT_OUT, QUERIES, columns_of
from enrollment.tables import METADATA
from portal.letters.personal_data import GROUPS, GROUPS_OF, ONLY_IN_DATA
from portal.text.words import LANGUAGES, table

ROOT = Path(__file__).parents[2]
REGISTER = tomllib.loads((ROOT / "enrollment/ground/data_register.toml").read_text("utf-8"))
OF_A_FAMILY = {"child_id", "application_id", "guardian_id", "offer_id"}


def about_people() -> set[str]:
    """Tables with data of a person, or with a key that leads to one family."""
    return {
        name
        for name, entry in REGISTER.items()
        if any(entry.get(degree) for degree in ("sealed", "indexed", "keyed", "personal"))
        or OF_A_FAMILY & set(entry.get("key", []))
    }


def test_fam31_each_table_about_people_says_whether_a_family_gets_it():
    silent = {name for name in about_people() if not REGISTER[name].get("export")}
    assert not silent, 'add export = "family", or "no: " and why, to the register'
    reasons = {name: entry["export"] for name, entry in REGISTER.items() if entry.get("export", "family") != "family"}
    assert all(reason.startswith("no: ") and len(reason) > 10 for reason in reasons.values())


def test_fam31_the_download_holds_exactly_the_tables_that_the_register_gives():
    given = {name for name, entry in REGISTER.items() if entry.get("export") == "family"}
    assert {table_.__tablename__ for table_ in QUERIES} == given


@pytest.mark.parametrize(
    "held", sorted(QUERIES, key=lambda each: each.__tablename__), ids=lambda each: each.__tablename__
)
def test_fam31_no_column_with_personal_data_is_left_out_without_a_reason(held):
    name = held.__tablename__
    personal = {column for degree in ("sealed", "keyed", "personal") for column in REGISTER[name].get(degree, [])}
    missing = {column for column in personal - set(columns_of(held)) if (name, column) not in LEFT_OUT}
    assert not missing


def test_fam31_nothing_is_left_out_that_does_not_exist():
    assert all(column in METADATA.tables[name].columns for name, column in LEFT_OUT)


def test_fam31_each_part_and_line_of_the_document_has_words():
    words = table()
    shown = {column for held in QUERIES for column in columns_of(held)} - ONLY_IN_DATA
    assert shown <= words["data_column"].keys()
    assert {held.__tablename__ for held in QUERIES} <= words["data_table"].keys()
    for group in (name for name in words if name.startswith("data_")):
        assert all(set(said) == set(LANGUAGES) for said in words[group].values())
    assert all(group in words for known in (GROUPS, GROUPS_OF) for groups in known.values() for group in groups)
    held = {table_.__tablename__: set(columns_of(table_)) for table_ in QUERIES}
    assert all(column in held[name] for name, column in GROUPS_OF)
