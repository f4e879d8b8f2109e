"""The promotion sheet: exceptions first, once, and exactly back within seven days."""

import datetime as dt
import time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, text

from enrollment.ground.errors import Refused
from enrollment.places import promotion, roll
from enrollment.places.class_promotion.sheet import ExceptionKind
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes, counts, promotion_undo
from tests.support.prepared import prepared

JULY = dt.datetime(2026, 7, 6, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@prepared
def sheet(town):
    """A kindergarten before the summer: a lower, a middle and an upper class by name, and one middle class as a number."""

    class Sheet:
        kindergarten = town.kindergarten("金苹果")
        clerk = town.clerk_of(kindergarten)
        now = JULY

        def enter(self, name, level, born, **more):
            return town.child_on_roll(self.kindergarten, name, level=level, born=dt.date.fromisoformat(born), **more)

        def preview(self, **choices):
            told = {"choices": choices.pop("choices", None), "by": self.clerk, "now": self.now}
            return promotion.preview(town.session, self.kindergarten.id, 2025, **told)

        def promote(self, choices=None):
            told = {"choices": choices, "by": self.clerk, "now": self.now}
            return promotion.promote(town.session, self.kindergarten.id, 2025, **told)

        def undo(self):
            row = promotion.last_promotion(town.session, self.kindergarten.id, 2025)
            return promotion_undo.undo(town.session, row.id, by=self.clerk, now=self.now)

        def rows(self):
            tables = ("SELECT * FROM roll_child ORDER BY id", "SELECT * FROM roll_class ORDER BY id")
            return [town.session.execute(text(query)).all() for query in tables]

    found = Sheet()
    found.ana = found.enter("安娜", "lower", "2022-03-01", id_number="510104202203010018")
    found.luo = found.enter("罗罗", "middle", "2020-08-19")
    found.ben = found.enter("本本", "middle", "2021-05-05")
    found.big = found.enter("大大", "upper", "2020-02-02")
    found.small = found.enter("小小", "upper", "2020-09-01")
    town.roll(found.kindergarten, "middle", 33, name="中三班")
    return found


def test_exceptions_come_first_and_the_sum_is_the_whole_roll(sheet):
    seen = sheet.preview()
    assert [(one.kind, one.class_name, one.n, one.norm) for one in seen.exceptions] == [
        (ExceptionKind.OF_SCHOOL_AGE, "中二班", 0, 0),
        (ExceptionKind.TOO_YOUNG_FOR_SCHOOL, "大二班", 0, 0),
    ]
    assert seen.open == seen.exceptions
    choices = {f"child-{sheet.luo.id}": "graduate", f"child-{sheet.small.id}": "stay"}
    seen = sheet.preview(choices=choices)
    assert not seen.open
    assert seen.by_target == [("middle", 1), ("upper", 35), ("graduated", 2)]
    assert sum(n for _, n in seen.by_target) == 38


def test_a_class_above_the_norm_and_a_level_without_teachers_are_accepted_knowingly(town, sheet):
    town.plan(town.programme_of(sheet.kindergarten, "upper"), planned_classes=2, staffed_classes=1)
    kept = roll.class_of_name(town.session, sheet.kindergarten.id, 2025, "中三班")
    ask = {"children": 36, "day": JULY.date(), "reason": "转入", "by": town.city_official(), "now": JULY}
    counts.enter(town.session, kept.id, **ask)
    waiting = counts.entries(town.session, [kept.id])
    counts.decide(town.session, waiting[0][0].number, agree=True, by=sheet.clerk, now=JULY)
    found = {one.kind: (one.n, one.norm) for one in sheet.preview().exceptions}
    assert found[ExceptionKind.ABOVE_NORM] == (36, 35)
    assert found[ExceptionKind.NO_TEACHERS] == (2, 1)


def test_nothing_moves_while_an_exception_is_open_and_then_once(town, sheet):
    before = sheet.rows()
    with pytest.raises(Refused, match="exceptions_open") as refused:
        sheet.promote({f"child-{sheet.luo.id}": "graduate", f"child-{sheet.small.id}": "nonsense"})
    assert refused.value.details == {"n": 1}
    assert sheet.rows() == before
    choices = {f"child-{sheet.luo.id}": "graduate", f"child-{sheet.small.id}": "stay"}
    assert sheet.promote(choices).leavers == 3
    lines = roll.class_list(town.session, sheet.kindergarten.id, 2026, by=sheet.clerk, now=JULY)
    assert [(line.name, line.children) for line in lines] == [("中二班", 1), ("大三班", 33), ("大二班", 2)]
    with pytest.raises(Refused, match="promoted_before"):
        sheet.promote(choices)


def test_a_promotion_is_taken_back_exactly_and_may_be_made_again(sheet):
    choices = {f"child-{sheet.luo.id}": "promote", f"child-{sheet.small.id}": "graduate"}
    before = sheet.rows()
    sheet.promote(choices)
    sheet.now = JULY + dt.timedelta(days=6)
    sheet.undo()
    assert sheet.rows() == before
    sheet.promote(choices)
    sheet.now += dt.timedelta(days=8)
    with pytest.raises(Refused, match="too_late_to_undo"):
        sheet.undo()


def test_a_promotion_that_others_built_on_stays(town, sheet):
    sheet.promote({f"child-{sheet.luo.id}": "promote", f"child-{sheet.small.id}": "graduate"})
    rows = roll.lock_entries_from(town.session, [sheet.ana.id_index], dt.date(2026, 9, 1))
    sheet.now = dt.datetime(2026, 7, 10, 9, tzinfo=JULY.tzinfo)
    roll.leave(town.session, rows[0].id, on=dt.date(2026, 9, 1), reason="moved", by=sheet.clerk, now=sheet.now)
    with pytest.raises(Refused, match="promotion_used") as refused:
        sheet.undo()
    assert refused.value.details == {"n": 1}


@pytest.mark.parametrize("act", ["rename", "close"])
def test_a_promotion_stays_whose_classes_have_a_history_since(town, sheet, act):
    """The undoing would delete the class together with the entry that says who renamed or closed it."""
    by = {"by": sheet.clerk, "now": sheet.now}
    told = {"name": "小九班", "level": "lower", "school_year": 2025, "kept_as": "rows"}
    classes.open_class(town.session, sheet.kindergarten.id, **told, **by)
    sheet.promote({f"child-{sheet.luo.id}": "promote", f"child-{sheet.small.id}": "graduate"})
    empty = roll.class_of_name(town.session, sheet.kindergarten.id, 2026, "中九班")
    if act == "rename":
        classes.rename(town.session, empty.id, name="向日葵班", reason="家长投票", **by)
    else:
        classes.close(town.session, empty.id, reason="没有幼儿", **by)
    with pytest.raises(Refused) as refused:
        sheet.undo()
    assert (refused.value.code, refused.value.details["n"]) == ("promotion_used", 1)


def test_360_children_move_up_within_a_second(town, sheet):
    for n in range(12):
        town.child_on_roll(sheet.kindergarten, "样本", level="lower", class_name=f"小{n}班", born=dt.date(2022, 1, 1))
    of_class = ("class_id", "kept_as", "name", "born", "school_from", "entered_on")
    found = (
        select(*(getattr(RollChild, part) for part in of_class))
        .join(RollClass)
        .where(RollClass.name.op("~")("^小[0-9]+班"))
    )
    copies = [dict(row) for row in town.session.execute(found).mappings() for _copy in range(29)]
    town.session.execute(insert(RollChild), copies)
    choices = {f"child-{sheet.luo.id}": "promote", f"child-{sheet.small.id}": "graduate"}
    began = time.perf_counter()
    seen = sheet.preview(choices=choices)
    previewed = time.perf_counter()
    assert not seen.open
    sheet.promote(choices)
    assert (previewed - began, time.perf_counter() - previewed) < (2, 1)
    assert seen.children + seen.leavers == 12 * 30 + 5 + 33
