"""The roll as a record: one roll a day for each child, counts as entries, classes as objects, moves and their undoing."""

import datetime as dt

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.constraint_errors import refusal_of
from enrollment.ground.errors import Refused, Stale
from enrollment.places import roll
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollClassChange, RollCount
from enrollment.places.roll_changes import classes, counts, entry_chain, moves, transfers
from enrollment.places.roll_rows import RollCorrection
from tests.support.prepared import prepared

NUMBER = "510104202112012011"
MARCH, MAY = dt.date(2026, 3, 1), dt.date(2026, 5, 20)


@prepared
def here(town):
    """A kindergarten with two clerks, and the short names of the services for one of them."""

    class Here:
        kindergarten = town.kindergarten("金苹果")
        clerk, second = town.clerk_of(kindergarten), town.head_of(kindergarten)

        def __init__(self):
            self.by = {"by": self.clerk, "now": town.now}

        def count(self, name, children, level="lower", reason="按点名表", year=2025):
            kept = roll.class_of_name(town.session, self.kindergarten.id, year, name)
            if kept is None:
                told = {"name": name, "level": level, "school_year": year, "kept_as": "count"}
                kept = classes.open_class(town.session, self.kindergarten.id, **told, **self.by)
            day = roll.day_within(year, self.by["now"])
            return counts.enter(town.session, kept.id, children=children, day=day, reason=reason, **self.by)

        def open(self, name, level="middle", kept_as="rows"):
            told = {"name": name, "level": level, "school_year": 2025, "kept_as": kept_as}
            return classes.open_class(town.session, self.kindergarten.id, **told, **self.by)

        def enter(self, name="安娜", level="middle", **more):
            told = {"class_name": "中二班", "entered_on": dt.date(2025, 9, 1)} | more
            return roll.enter_child(town.session, self.kindergarten.id, level, 2025, name=name, **told, **self.by)

    return Here()


def refusal(act, *args, **more):
    with pytest.raises(Refused) as refused:
        act(*args, **more)
    return refused.value


def on_days(session, number_index):
    rows = session.scalars(select(RollChild).where(RollChild.id_index == number_index).order_by(RollChild.entered_on))
    return [(row.entered_on, row.left_on, row.leave_reason) for row in rows]


def test_a_child_is_on_at_most_one_roll_on_any_day(town, here):
    """By the database: an overlapping row is refused whoever writes it, an adjoining one is taken."""
    ana = here.enter(id_number=NUMBER)
    other = town.child_on_roll(town.kindergarten("别处", area="510105"), "别人")
    roll.leave(town.session, ana.id, on=MAY, reason="moved", **here.by)
    copy = text(
        "INSERT INTO roll_child (id, class_id, kept_as, name, id_index, entered_on)"
        " SELECT gen_random_uuid(), :class, 'rows', name, id_index, CAST(:day AS date) FROM roll_child WHERE id = :id"
    )
    row = {"class": other.class_id, "id": ana.id}
    for day in (dt.date(2025, 12, 1), MAY - dt.timedelta(days=1)):
        with pytest.raises(IntegrityError, match="one_roll_a_day") as fault, town.session.begin_nested():
            town.session.execute(copy, row | {"day": day})
    assert refusal_of(fault.value).code == "on_roll_already"
    town.session.execute(copy, row | {"day": MAY})
    town.session.execute(
        text("UPDATE roll_child SET left_on = entered_on WHERE class_id = :class AND id_index IS NOT NULL"), row
    )
    town.session.execute(copy, row | {"day": MAY})


def test_stf06_a_number_is_a_dated_entry_with_a_reason(town, here):
    """21 → 22 by one person; 60 waits for a second one; nothing is overwritten."""
    first = here.count("小一班", 21)
    assert refusal(here.count, "小一班", 22, reason=" ").code == "reason_missing"
    here.count("小 一班", 22, reason="转入 1 人")
    waiting = here.count("小一班", 60, reason="并入")
    (line,) = roll.class_list(town.session, here.kindergarten.id, 2025, **here.by)
    assert (line.name, line.children, waiting.state) == ("小一班", 22, "open"), (
        "no phantom class, and 60 does not count"
    )
    assert refusal(here.count, "小一班", 23).code == "count_waits"
    assert refusal(counts.decide, town.session, waiting.number, agree=True, **here.by).code == "second_person_needed"
    counts.decide(town.session, waiting.number, agree=True, by=here.second, now=town.now)
    (line,) = roll.class_list(town.session, here.kindergarten.id, 2025, **here.by)
    assert line.children == 60
    there = [(count.children, count.state, maker) for count, maker, _ in counts.entries(town.session, [line.id])]
    assert [row[0] for row in there] == [60, 22, 21, 0]
    stale = {"children": 30, "day": town.now.date(), "reason": "旧页面", "seen": first.number}
    with pytest.raises(Stale):
        counts.enter(town.session, line.id, **stale, **here.by)


def test_stf06_the_table_takes_a_number_by_an_entry_alone(town, here):
    count = here.count("小一班", 21)
    session = town.session
    for statement, fault in (
        ("UPDATE roll_class SET counted = 60", "changes by a dated entry"),
        ("UPDATE roll_count SET children = 60", "does not change"),
        ("DELETE FROM roll_count", "are kept"),
        (
            "INSERT INTO roll_count (class_id, day, children, source, reason, state, made_at)"
            " SELECT id, as_of, 60, 'desk', 'x', 'in_force', now() FROM roll_class",
            "needs a second person",
        ),
        ("DELETE FROM roll_class_change", "only ever added"),
    ):
        here.open("大一班", "upper") if "class_change" in statement else None
        with pytest.raises(IntegrityError, match=fault), session.begin_nested():
            session.execute(text(statement))
    assert session.get(RollCount, count.number).children == 21


def test_stf06_only_this_school_year_and_in_summer_the_next(town, here):
    assert refusal(here.count, "小一班", 20, year=2024).code == "school_year_is_closed"
    assert refusal(here.count, "小一班", 20, year=2027).code == "school_year_is_closed"
    assert refusal(here.count, "小一班", 20, year=2026).code == "school_year_is_closed"
    here.by["now"] = town.now + dt.timedelta(days=30)
    assert here.count("小一班", 20, year=2026).day == dt.date(2026, 9, 1)


def test_stf06_a_count_is_that_of_its_day(town, here):
    counted = here.count("小一班", 21)
    counts.enter(town.session, counted.class_id, children=19, day=MARCH, reason="三月点名", **here.by)
    then = dt.datetime(2026, 3, 5, 9, tzinfo=town.now.tzinfo)

    def children(now):
        (line,) = roll.class_list(town.session, here.kindergarten.id, 2025, by=here.clerk, now=now)
        return line.children

    assert (children(then), children(town.now)) == (19, 21)


def test_stf06_classes_are_renamed_merged_and_closed_and_keep_their_history(town, here):
    one, two = here.open("中一班"), here.open("中二班")
    here.enter("安娜", class_name="中一班", id_number=NUMBER)
    assert (
        refusal(classes.rename, town.session, one.id, name="中 二班", reason="改名", **here.by).code
        == "class_name_taken"
    )
    classes.rename(town.session, one.id, name="向日葵班", reason="家长投票", **here.by)
    assert refusal(classes.close, town.session, one.id, reason="撤班", **here.by).details == {"n": 1}
    classes.merge(town.session, one.id, two.id, reason="教师不足", **here.by)
    lines = roll.class_list(town.session, here.kindergarten.id, 2025, **here.by)
    assert [(line.name, line.children) for line in lines] == [("中二班", 1)]
    history = town.session.scalars(select(RollClassChange).order_by(RollClassChange.number)).all()
    assert [(row.kind, row.before, row.after) for row in history] == [
        ("opened", None, "中一班"), ("opened", None, "中二班"), ("renamed", "中一班", "向日葵班"),
        ("merged", "向日葵班", "中二班"),
    ]  # fmt: skip
    assert refusal(here.enter, "本本", class_name="向日葵班").code == "class_is_closed"


def test_stf06_a_merge_above_the_norm_is_refused_with_its_sum(town, here):
    here.count("小一班", 15), here.count("小二班", 12)
    one, two = (roll.class_of_name(town.session, here.kindergarten.id, 2025, name) for name in ("小一班", "小二班"))
    refused = refusal(classes.merge, town.session, one.id, two.id, reason="并班", **here.by)
    assert (refused.code, refused.details["sum"], refused.details["norm"]) == ("class_above_norm", 27, 25)
    here.count("小二班", 10, reason="离园 2 人")
    classes.merge(town.session, one.id, two.id, reason="并班", **here.by)
    assert (town.session.get(RollClass, one.id).counted, town.session.get(RollClass, two.id).counted) == (0, 25)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"id_number": "510104199001011234", "level": "lower", "class_name": "小一班"}, "age_does_not_fit"),
        ({"born": dt.date(2015, 1, 1)}, "age_does_not_fit"),
        ({"entered_on": dt.date(1999, 9, 1)}, "entered_impossible"),
        ({"entered_on": dt.date(2099, 9, 1)}, "entered_impossible"),
        ({"born": dt.date(2021, 6, 1), "entered_on": dt.date(2021, 5, 1)}, "entered_impossible"),
        ({"name": "无名"}, "no_name"),
        ({"name": "安"}, "no_name"),
        ({"id_number": NUMBER, "born": dt.date(2021, 12, 2)}, "birthday_contradicts_number"),
    ],
)
def test_stf07_what_cannot_be_is_refused_with_its_reason(here, told, code):
    assert refusal(here.enter, **told).code == code


def test_stf08_a_child_changes_its_class_and_is_counted_once_each_day(town, here):
    ana, there = here.enter(id_number=NUMBER), here.open("中三班")
    full = here.open("中四班")
    for n in range(30):
        here.enter(f"幼儿{n}号", class_name="中四班")
    day = town.now.date()
    assert refusal(moves.change_class, town.session, ana.id, full.id, day=day, **here.by).details == {
        "n": 30,
        "norm": 30,
    }
    moved = moves.change_class(town.session, ana.id, there.id, day=day, **here.by)
    assert on_days(town.session, ana.id_index) == [
        (dt.date(2025, 9, 1), day, "class_change"),
        (day, None, None),
    ]
    assert moved.class_id == there.id


@pytest.mark.parametrize("number", [NUMBER, None])
def test_the_day_of_entry_is_that_of_the_kindergarten_after_a_class_change(town, here, number):
    child = here.enter(id_number=number)
    other = here.enter("别人")
    there = here.open("中五班")
    moved = moves.change_class(town.session, child.id, there.id, day=town.now.date(), **here.by)
    assert moved.entered_on == town.now.date()
    entered = entry_chain.entered_kindergarten_on(town.session, [moved, other], here.kindergarten.id)
    assert entered == {moved.id: dt.date(2025, 9, 1), other.id: dt.date(2025, 9, 1)}


def test_stf08_a_leaving_is_taken_back_and_what_stood_there_is_kept(town, here):
    ana = here.enter(id_number=NUMBER)
    roll.leave(town.session, ana.id, on=MAY, reason="moved", **here.by)
    moves.undo_leave(town.session, ana.id, **here.by)
    assert on_days(town.session, ana.id_index) == [(dt.date(2025, 9, 1), None, None)]
    (correction,) = town.session.scalars(select(RollCorrection)).all()
    assert '"left_on": "2026-05-20"' in correction.before
    roll.leave(town.session, ana.id, on=MAY, reason="moved", **here.by)
    town.child_on_roll(town.kindergarten("别处"), "安娜", id_number=NUMBER, entered_on=MAY)
    assert refusal(moves.undo_leave, town.session, ana.id, **here.by).code == "on_roll_already"


def test_a_merge_takes_along_who_comes_later_and_who_has_announced_to_leave(town, here):
    """The closed class keeps no child: who enters in June enters the other class, and who leaves in July leaves that one."""
    one, two = here.open("中一班"), here.open("中二班")
    ben = here.enter("本本", class_name="中一班", id_number=NUMBER)
    here.enter("安娜", class_name="中一班")
    later = here.enter("后来", class_name="中一班")
    later.entered_on = dt.date(2026, 6, 1)
    gone = here.enter("已离", class_name="中一班")
    roll.leave(town.session, gone.id, on=dt.date(2026, 4, 1), reason="moved", **here.by)
    roll.leave(town.session, ben.id, on=dt.date(2026, 7, 1), reason="moved", **here.by)
    classes.merge(town.session, one.id, two.id, reason="教师不足", **here.by)
    rows = town.session.scalars(select(RollChild).where(RollChild.class_id == two.id))
    day = town.now.date()
    assert sorted((row.name, row.entered_on, row.left_on, row.leave_reason) for row in rows) == [
        ("后来", dt.date(2026, 6, 1), None, None),
        ("安娜", day, None, None),
        ("本本", day, dt.date(2026, 7, 1), "moved"),
    ]
    assert roll.entries_from(town.session, one.id, day) == []
    assert [ended for _entered, ended, _reason in on_days(town.session, ben.id_index)] == [day, dt.date(2026, 7, 1)]


def test_a_merge_counts_who_comes_later_against_the_norm(town, here):
    one, two = here.open("中一班"), here.open("中二班")
    for n in range(30):
        here.enter(f"幼儿{n}号", class_name="中二班")
    here.enter("后来", class_name="中一班").entered_on = dt.date(2026, 6, 1)
    refused = refusal(classes.merge, town.session, one.id, two.id, reason="并班", **here.by)
    assert (refused.code, refused.details["sum"]) == ("class_above_norm", 31)


def test_a_merge_leads_an_open_transfer_to_the_other_class(town, here):
    one, two = here.open("中一班"), here.open("中二班")
    town.child_on_roll(town.kindergarten("别处"), "安娜", level="middle", id_number=NUMBER)
    told = {"id_number": NUMBER, "name": "安娜", "reason": "搬家", "due_on": dt.date(2026, 6, 30)}
    transfer = transfers.ask_to_take(town.session, one.id, moves_on=dt.date(2026, 6, 1), **told, **here.by)
    classes.merge(town.session, one.id, two.id, reason="教师不足", **here.by)
    town.session.refresh(transfer)
    assert transfer.to_class_id == two.id
