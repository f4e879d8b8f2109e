"""The roll: who is in which class, who leaves, and what becomes of it in September."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild
from enrollment.reports import roll_export
from tests.support.prepared import prepared

SEPTEMBER = dt.datetime(2026, 9, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai"))


@prepared
def kindergarten(town):
    return town.kindergarten("金苹果")


def lines(town, kindergarten, year=2025, now=None):
    found = roll.class_list(town.session, kindergarten.id, year, by=SYSTEM, now=now or town.now)
    return [(line.name, line.level, line.children) for line in found]


def test_classes_stand_in_order_with_their_numbers(town, kindergarten):
    town.roll(kindergarten, "upper", 33)
    town.roll(kindergarten, "lower", 25)
    town.child_on_roll(kindergarten, "安娜", level="middle")
    assert lines(town, kindergarten) == [("小一班", "lower", 25), ("中二班", "middle", 1), ("大一班", "upper", 33)]


def test_a_child_that_left_is_counted_until_that_day(town, kindergarten):
    ana = town.child_on_roll(kindergarten, "安娜")
    roll.leave(town.session, ana.id, on=dt.date(2026, 6, 1), reason="moved", by=SYSTEM, now=town.now)
    assert lines(town, kindergarten) == [("中二班", "middle", 1)]
    assert lines(town, kindergarten, now=town.now + dt.timedelta(days=30)) == [("中二班", "middle", 0)]


@pytest.mark.parametrize(
    ("on", "reason", "code"),
    [("2026-06-01", "boredom", "leave_reason"), ("2024-01-01", "moved", "left_before_entering")],
)
def test_leaving_needs_a_reason_and_a_possible_day(town, kindergarten, on, reason, code):
    ana = town.child_on_roll(kindergarten, "安娜")
    with pytest.raises(Refused, match=code):
        roll.leave(town.session, ana.id, on=dt.date.fromisoformat(on), reason=reason, by=SYSTEM, now=town.now)


def test_nobody_leaves_twice(town, kindergarten):
    ana = town.child_on_roll(kindergarten, "安娜")
    leave = {"on": dt.date(2026, 6, 1), "reason": "moved", "by": SYSTEM, "now": town.now}
    roll.leave(town.session, ana.id, **leave)
    with pytest.raises(Refused, match="left_already"):
        roll.leave(town.session, ana.id, **leave)


def test_a_number_is_on_one_roll_at_a_time(town, kindergarten):
    ana = town.child_on_roll(kindergarten, "安娜", id_number="510104202112012011")
    other = town.kindergarten("别处", area="510105")
    with pytest.raises(Refused, match="on_roll_already"):
        town.child_on_roll(other, "安娜", id_number="510104202112012011")
    roll.leave(town.session, ana.id, on=dt.date(2026, 5, 1), reason="transferred", by=SYSTEM, now=town.now)
    moved = {"id_number": "510104202112012011", "entered_on": dt.date(2026, 5, 1)}
    again = town.child_on_roll(other, "安娜", **moved)
    assert (ana.left_on, again.left_on) == (dt.date(2026, 5, 1), None)


def test_a_class_is_kept_one_way(town, kindergarten):
    town.roll(kindergarten, "lower", 25, name="小一班")
    with pytest.raises(Refused, match="class_is_counted"):
        town.child_on_roll(kindergarten, "安娜", level="lower", class_name="小一班")
    town.child_on_roll(kindergarten, "安娜", level="middle", class_name="中二班")
    with pytest.raises(Refused, match="class_has_children"):
        town.roll(kindergarten, "middle", 30, name="中二班")


def test_clerks_see_their_own_roll_and_the_view_is_noted(town, kindergarten):
    ana = town.child_on_roll(kindergarten, "安娜")
    clerk = town.clerk_of(kindergarten)
    page = roll.children_of(town.session, ana.class_id, by=clerk, now=town.now)
    assert [child.name for child in page] == ["安娜"]
    noted = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "view")).one()
    assert (noted.account_id, noted.subject_id) == (clerk.account_id, str(ana.class_id))
    stranger = town.clerk_of(town.kindergarten("别处", area="510105"))
    with pytest.raises(NotFound):
        roll.children_of(town.session, ana.class_id, by=stranger, now=town.now)
    with pytest.raises(NotFound):
        roll.leave(town.session, ana.id, on=dt.date(2026, 6, 1), reason="moved", by=stranger, now=town.now)


def test_continuing_children_are_last_years_roll_a_year_up(town, kindergarten):
    for level, children in (("nursery", 18), ("lower", 25), ("middle", 30), ("upper", 35)):
        town.roll(kindergarten, level, children)
    found = roll.continuing_children(town.session, [kindergarten.id], 2026, now=town.now)[kindergarten.id]
    assert found == {"lower": 18, "middle": 25, "upper": 30}


def test_who_leaves_before_september_does_not_continue_in_the_plan_and_in_the_promotion(town, kindergarten):
    """The ledger and the sheet of the promotion say the same number, before and after it."""
    by = {"by": town.clerk_of(kindergarten), "now": town.now}
    born = dt.date(2021, 12, 1)
    for name in ("安娜", "本本", "翠翠"):
        kept = town.child_on_roll(kindergarten, name, level="middle", born=born)
    later = town.child_on_roll(kindergarten, "后来", level="middle", born=born)
    later.entered_on = dt.date(2026, 8, 1)
    roll.leave(town.session, kept.id, on=dt.date(2026, 8, 20), reason="moved", **by)

    def numbers(now):
        told = roll.continuing_children(town.session, [kindergarten.id], 2026, now=now)[kindergarten.id]
        return told.get("upper")

    sheet = promotion.outlook(town.session, kindergarten.id, 2025, by=by["by"])
    assert (numbers(town.now), dict(sheet.by_target)["upper"]) == (3, 3)
    promotion.promote(town.session, kindergarten.id, 2025, by=by["by"], now=SEPTEMBER)
    assert numbers(SEPTEMBER) == 3
    gone = town.session.scalars(select(RollChild).where(RollChild.left_on.is_(None))).first()
    roll.leave(town.session, gone.id, on=dt.date(2026, 10, 1), reason="moved", by=by["by"], now=SEPTEMBER)
    assert numbers(SEPTEMBER) == 3, "it was there when the year began"


def test_a_closed_class_has_nobody_who_continues(town, kindergarten):
    kept = town.roll(kindergarten, "lower", 25)
    kept.closed_on = town.now.date()
    town.session.flush()
    assert roll.continuing_children(town.session, [kindergarten.id], 2026, now=town.now) == {kindergarten.id: {}}


def test_classes_move_up_in_september_and_the_old_year_stays(town, kindergarten):
    for level, children in (("lower", 25), ("upper", 35)):
        town.roll(kindergarten, level, children)
    town.child_on_roll(kindergarten, "安娜", level="middle", id_number="510104202112012011", born=dt.date(2021, 12, 1))
    before = lines(town, kindergarten)
    done = promotion.promote(town.session, kindergarten.id, 2025, by=town.clerk_of(kindergarten), now=SEPTEMBER)
    assert (done.children, done.leavers) == (26, 35)
    assert lines(town, kindergarten, 2026, SEPTEMBER) == [("中一班", "middle", 25), ("大二班", "upper", 1)]
    assert lines(town, kindergarten) == before
    rows = town.session.scalars(select(RollChild).order_by(RollChild.entered_on)).all()
    assert [(c.name, c.left_on, c.leave_reason) for c in rows] == [
        ("安娜", dt.date(2026, 9, 1), "promoted"),
        ("安娜", None, None),
    ]


def test_in_mixed_classes_those_of_school_age_go_on(town, kindergarten):
    more = {"level": "mixed", "class_name": "彩虹班"}
    town.child_on_roll(kindergarten, "大的", born=dt.date(2020, 8, 31), **more)
    town.child_on_roll(kindergarten, "小的", born=dt.date(2020, 9, 1), **more)
    done = promotion.promote(town.session, kindergarten.id, 2025, by=SYSTEM, now=SEPTEMBER)
    assert (done.children, done.leavers) == (1, 1)
    assert lines(town, kindergarten, 2026, SEPTEMBER) == [("彩虹班", "mixed", 1)]


def test_a_mixed_class_kept_as_a_number_is_to_be_looked_at(town, kindergarten):
    town.roll(kindergarten, "mixed", 20, name="混龄班")
    assert promotion.preview(town.session, kindergarten.id, 2025, by=SYSTEM, now=SEPTEMBER).to_check == ["混龄班"]


def test_classes_move_up_once_and_not_too_early(town, kindergarten):
    town.roll(kindergarten, "lower", 25)
    with pytest.raises(Refused, match="too_early_to_promote"):
        promotion.promote(town.session, kindergarten.id, 2025, by=SYSTEM, now=town.now)
    promotion.promote(town.session, kindergarten.id, 2025, by=SYSTEM, now=SEPTEMBER)
    with pytest.raises(Refused, match="promoted_before"):
        promotion.promote(town.session, kindergarten.id, 2025, by=SYSTEM, now=SEPTEMBER)


def test_children_who_arrived_before_do_not_stop_the_promotion(town, kindergarten):
    """The new 小一班 opens with the first arrival, days before anybody thinks of moving the others up."""
    town.roll(kindergarten, "nursery", 18)
    town.roll(kindergarten, "lower", 25)
    arrived = {"year": 2026, "level": "lower", "class_name": "小一班", "entered_on": dt.date(2026, 9, 1)}
    town.child_on_roll(kindergarten, "新来的", **arrived)
    promotion.promote(town.session, kindergarten.id, 2025, by=SYSTEM, now=SEPTEMBER)
    there = {(name, children) for name, _level, children in lines(town, kindergarten, 2026, SEPTEMBER)}
    assert there == {("小一班", 1), ("小一班（升）", 18), ("中一班", 25)}


def test_what_is_taken_away_is_masked_and_noted(town, kindergarten):
    town.child_on_roll(kindergarten, "安娜", id_number="510104202112012011")
    ((_class, _level, name, number, _born, _entered),) = roll_export.export_children(
        town.session, kindergarten.id, 2025, by=town.clerk_of(kindergarten), now=town.now
    )
    assert (name, number) == ("安*", "5101**********2011")
    assert town.session.scalars(select(AuditEntry.subject).where(AuditEntry.act == "export")).all() == ["roll_children"]
