"""FAM31: whatever the register of data marks as the family's is in its download, with words in both languages."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint

from allocation.outcome import REASONS
from enrollment.applications.application_rows import Stage
from enrollment.applications.child_needs.rows import NeedKind
from enrollment.applications.lifecycle import MOVES
from enrollment.corrections.correction_lifecycle import CORRECTION_MOVES
from enrollment.ground.outbox import DeliveryError
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import OfferState
from enrollment.people.desk_rows import PhoneChangeOutcome
from enrollment.people.person_rows import ID_KINDS, RELATIONS
from enrollment.places.roll import LEAVE_REASONS
from enrollment.reports.family_records import LEFT_OUT, QUERIES, columns_of
from enrollment.review.case_rows import CaseOutcome
from enrollment.review.correction_rows import CorrectionState
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact
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


CODES = re.compile(r"\b(\w+) IN \(((?:'\w+',? ?)+)\)")


def coded_columns() -> dict[tuple[str, str], list[str]]:
    """The codes that a constraint of the database allows, of each column that the document says in words."""
    found: dict[tuple[str, str], list[str]] = {}
    for held in QUERIES:
        shown = set(columns_of(held)) - ONLY_IN_DATA
        for check in METADATA.tables[held.__tablename__].constraints:
            if isinstance(check, CheckConstraint):
                for column, codes in CODES.findall(str(check.sqltext)):
                    if column in shown:
                        found.setdefault((held.__tablename__, column), []).extend(re.findall(r"\w+", codes))
    return found


WITHOUT_A_CONSTRAINT: dict[tuple[str, str], Iterable[str]] = {
    ("case_file", "outcome"): CaseOutcome, ("child", "id_kind"): ID_KINDS, ("child_document", "kind"): ID_KINDS,
    ("child_needs", "kinds"): NeedKind, ("correction_move", "move"): CORRECTION_MOVES, ("correction_request", "fact"): Fact,
    ("correction_move", "before"): CorrectionState, ("correction_move", "after"): CorrectionState,
    ("evidence_page", "document"): Document, ("guardian", "id_kind"): ID_KINDS, ("guardianship", "relation"): RELATIONS,
    ("identity_check", "document_kind"): ID_KINDS, ("move_made", "move"): MOVES, ("move_made", "after"): Stage,
    ("notice", "last_error"): DeliveryError, ("offer_move", "move"): OFFER_MOVES, ("offer_move", "after"): OfferState,
    ("phone_change", "outcome"): PhoneChangeOutcome, ("returned_item", "item"): (*Fact, *Document),
    ("roll_child", "leave_reason"): LEAVE_REASONS, ("wish_reason", "reason"): REASONS,
}  # fmt: skip
"""Columns of codes that the code alone bounds.  `offer_move.reason` and the reasons of moves are free text beside codes."""


def test_fam31_no_code_stands_in_the_document_as_it_is_stored():
    words, raw = table(), []
    assert ("phone_change", "way") in coded_columns()
    for (name, column), codes in (coded_columns() | WITHOUT_A_CONSTRAINT).items():
        groups = GROUPS_OF.get((name, column), GROUPS.get(column, ()))
        raw += [(name, column, code) for code in codes if not any(code in words[group] for group in groups)]
    assert raw == []
