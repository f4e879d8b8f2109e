"""Staff counts: entered by a kindergarten for a day, or imported; the newest entry of a day counts."""

import datetime as dt

import pytest

from enrollment.ground.errors import NotFound, Refused
from enrollment.places.staffing import counts
from tests.support.office_files import csv_file

HEADINGS = ["学校标识码", "统计日期", "专任教师", "保育员"]


def told(town, garden):
    return [(each.day.isoformat(), each.teachers, each.carers) for each in counts.history(town.session, garden.id, by=town.head_of(garden))]  # fmt: skip


def test_a_kindergarten_counts_its_staff_for_a_day(town):
    garden, other = town.kindergarten("锦官园"), town.kindergarten("别园")
    clerk, day = town.clerk_of(garden), dt.date(2026, 3, 31)
    counts.enter(town.session, garden.id, day, 20, 9, by=clerk, now=town.now)
    later = town.now + dt.timedelta(hours=1)
    counts.enter(town.session, garden.id, day, 21, 9, by=clerk, now=later)
    assert told(town, garden) == [("2026-03-31", 21, 9), ("2026-03-31", 20, 9)]
    newest = town.session.execute(counts.newest_query(town.now.date()).select()).all()
    assert [(row.teachers, row.carers) for row in newest] == [(21, 9)]
    with pytest.raises(Refused, match="staff_day"):
        counts.enter(town.session, garden.id, dt.date(2030, 1, 1), 1, 1, by=clerk, now=town.now)
    with pytest.raises(Refused, match="staff_number"):
        counts.enter(town.session, garden.id, day, 501, 1, by=clerk, now=town.now)
    with pytest.raises(NotFound):
        counts.enter(town.session, other.id, day, 1, 1, by=clerk, now=town.now)


def test_a_list_of_staff_counts_comes_in_once(town, take_in, faults_of):
    garden = town.kindergarten("锦官园", code="5151040001")
    rows = [["5151040001", "2026-03-31", 20, 9]]
    assert take_in("staff", csv_file(HEADINGS, rows)).counts["added"] == 1
    assert take_in("staff", csv_file(HEADINGS, rows)).is_empty
    rows[0][2:] = [22, ""]
    assert take_in("staff", csv_file(HEADINGS, rows)).changed[0].fields["teachers"] == (20, 22)
    assert told(town, garden)[0] == ("2026-03-31", 22, 9)
    wrong = [*rows, *rows, ["5151040001", "2031-01-01", 3, 1], ["5151049999", "2026-03-31", 3, 1]]
    assert faults_of("staff", csv_file(HEADINGS, wrong)) == [
        ("C3", "number_told_twice"), ("B4", "staff_day_in_future"), ("A5", "kindergarten_unknown"),
    ]  # fmt: skip
