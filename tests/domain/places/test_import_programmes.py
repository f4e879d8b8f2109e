"""Admission plans from a district's list."""

import pytest
from sqlalchemy import select

from enrollment.ground.accounts import SYSTEM
from enrollment.places import ledger
from enrollment.places.ledger import LedgerEntry
from tests.support.office_files import xlsx
from tests.support.prepared import prepared

HEADINGS = ["学校标识码", "园所名称", "年级段", "班数", "在园人数", "招生计划", "预留学位", "预留对象"]
LOWER = ["5151040001", "锦官新城幼儿园", "小班", 2, "", "50人", 5, "政策照顾"]
MIDDLE = ["5151040001", "锦官新城幼儿园", "中班", 3, 90, 0, "", ""]


@prepared
def kindergarten(town):
    return town.kindergarten("锦官新城幼儿园", code="5151040001", licensed_classes=9)


def plan(*rows, headings=HEADINGS):
    return xlsx(headings, [list(row) for row in rows], title="2026 年招生计划")


def changed(row, heading, value):
    row = list(row)
    row[HEADINGS.index(heading)] = value
    return row


def test_a_plan_comes_in_approved_with_its_reserve_and_its_ledger(town, kindergarten, take_in):
    difference = take_in("programmes", plan(LOWER, MIDDLE))
    assert difference.counts["added"] == 2
    lower, middle = town.programme_of(kindergarten), town.programme_of(kindergarten, "middle")
    assert (lower.places, lower.state, lower.staffed_classes) == (50, "approved", 2)
    assert (middle.places, middle.continuing) == (0, 90)
    assert [(pool.code, pool.places, pool.groups) for pool in lower.pools] == [("reserved", 5, ["policy_care"])]
    entries = town.session.scalars(select(LedgerEntry).where(LedgerEntry.programme_id == lower.id)).all()
    assert {(e.field, e.before, e.after) for e in entries} >= {("places", None, "50"), ("pool:reserved", None, "5")}
    assert {e.reason for e in entries} == {"import:名册.xlsx"}


def test_a_second_import_changes_nothing(town, kindergarten, take_in):
    take_in("programmes", plan(LOWER, MIDDLE))
    version = town.programme_of(kindergarten).version
    again = take_in("programmes", plan(LOWER, MIDDLE))
    assert (again.is_empty, again.unchanged) == (True, 2)
    assert town.programme_of(kindergarten).version == version


def test_fewer_places_than_the_classes_hold_are_withheld(town, kindergarten, take_in):
    take_in("programmes", plan(changed(LOWER, "招生计划", 45)))
    assert (town.programme_of(kindergarten).places, town.programme_of(kindergarten).withheld) == (45, 5)
    take_in("programmes", plan(LOWER))
    assert (town.programme_of(kindergarten).places, town.programme_of(kindergarten).withheld) == (50, 0)


def test_without_a_column_of_levels_the_list_speaks_of_lower_classes(town, kindergarten, take_in):
    difference = take_in("programmes", plan(["锦官新城幼儿园", 1], headings=["园所名称", "班数"]))
    assert difference.remarks["level_assumed_lower"].count == 1
    assert town.programme_of(kindergarten).places == 25


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (changed(LOWER, "招生计划", 51), ("F3", "plan_does_not_add_up")),
        (changed(LOWER, "年级段", "研究班"), ("C3", "level_unknown")),
        (changed(LOWER, "年级段", "混龄班"), ("C3", "level_not_offered")),
        (changed(LOWER, "班数", ""), ("D3", "value_missing")),
        (changed(LOWER, "学校标识码", "5151049999"), ("A3", "kindergarten_unknown")),
        (changed(LOWER, "预留对象", ""), ("H3", "reserved_for_whom")),
        (changed(LOWER, "预留对象", "熟人"), ("H3", "group_unknown")),
        (changed(LOWER, "预留学位", 51), ("G3", "reserved_exceeds_places")),
    ],
)
def test_faults_of_a_plan(kindergarten, faults_of, row, fault):
    assert faults_of("programmes", plan(row)) == [fault]


def test_the_plan_of_a_kindergarten_must_hold_as_a_whole(kindergarten, faults_of):
    upper = ["5151040001", "", "大班", 5, 175, 0, "", ""]
    assert faults_of("programmes", plan(LOWER, MIDDLE, upper)) == [("D5", "more_classes_than_licensed")]


def test_levels_that_the_file_does_not_name_count_too(kindergarten, take_in, faults_of):
    take_in("programmes", plan(["5151040001", "", "大班", 8, 280, 0, "", ""]))
    assert faults_of("programmes", plan(LOWER)) == [("D3", "more_classes_than_licensed")]


def test_what_families_hold_is_not_taken_away(town, kindergarten, take_in, faults_of):
    take_in("programmes", plan(LOWER))
    programme = town.programme_of(kindergarten)
    programme.taken = 40
    town.session.flush()
    assert faults_of("programmes", plan([*LOWER[:3], 1, "", 25, "", ""])) == [("D3", "places_below_taken")]


def test_an_open_proposal_is_overtaken_by_the_areas_own_list(town, kindergarten, take_in):
    programme = town.programme_of(kindergarten)
    ledger.propose(
        town.session, programme.id, by=town.clerk_of(kindergarten), now=town.now, reason="申请", planned_classes=1, staffed_classes=1
    )  # fmt: skip
    take_in("programmes", plan(LOWER), overwrite=None)
    assert ledger.open_proposal(town.session, programme.id) is None
    assert ledger.approve_kindergarten(town.session, kindergarten.id, programme.year, by=SYSTEM, now=town.now) == 0
    assert programme.places == 50


def test_the_same_level_twice_is_told(kindergarten, faults_of):
    assert faults_of("programmes", plan(LOWER, LOWER)) == [("C4", "twice_in_file")]


def test_a_name_that_two_kindergartens_bear_needs_the_code(town, kindergarten, faults_of):
    town.kindergarten("锦官新城幼儿园", area="510105", code="5151040099")
    assert faults_of("programmes", plan(changed(LOWER, "学校标识码", ""))) == [("B3", "name_not_unique")]


def test_a_foreign_kindergarten_is_unknown_to_an_area_official(town, kindergarten, faults_of):
    assert faults_of("programmes", plan(LOWER), by=town.area_official("510105")) == [("A3", "kindergarten_unknown")]


class TestStaffedClasses:
    LEVEL = ("学校标识码", "年级段", "班数")

    @pytest.fixture
    def two_of_three(self, kindergarten, take_in):
        headings = [*self.LEVEL, "已配教师班数"]
        take_in("programmes", plan(["5151040001", "小班", 3, 2], headings=headings))
        return kindergarten

    def numbers(self, town, kindergarten):
        found = town.programme_of(kindergarten)
        return (found.planned_classes, found.staffed_classes, found.places, found.withheld)

    def test_without_their_column_they_stay_as_they_are(self, town, two_of_three, take_in):
        assert self.numbers(town, two_of_three) == (3, 2, 50, 0)
        assert take_in("programmes", plan(["5151040001", "小班", 3], headings=self.LEVEL)).is_empty
        headings = [*self.LEVEL, "招生计划"]
        assert take_in("programmes", plan(["5151040001", "小班", 3, 50], headings=headings)).is_empty
        assert self.numbers(town, two_of_three) == (3, 2, 50, 0)

    def test_more_classes_have_no_teachers_by_themselves_which_is_told(self, town, two_of_three, take_in):
        difference = take_in("programmes", plan(["5151040001", "小班", 4], headings=self.LEVEL))
        assert difference.remarks["staffed_kept"].examples == ["锦官新城幼儿园 小班"]
        assert self.numbers(town, two_of_three) == (4, 2, 50, 0)
        headings = [*self.LEVEL, "已配教师班数"]
        take_in("programmes", plan(["5151040001", "小班", 4, 4], headings=headings))
        assert self.numbers(town, two_of_three) == (4, 4, 100, 0)

    def test_fewer_classes_need_fewer_teachers(self, town, two_of_three, take_in):
        difference = take_in("programmes", plan(["5151040001", "小班", 1], headings=self.LEVEL))
        assert (difference.remarks, self.numbers(town, two_of_three)) == ({}, (1, 1, 25, 0))

    def test_places_beyond_the_teachers_are_asked_for(self, two_of_three, faults_of):
        headings = [*self.LEVEL, "招生计划"]
        assert faults_of("programmes", plan(["5151040001", "小班", 3, 75], headings=headings)) == [
            ("D3", "plan_needs_teachers")
        ]
