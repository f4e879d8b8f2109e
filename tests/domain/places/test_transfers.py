"""Transfers over a summer: the class is one of the school year of the day, and the transfer follows the child."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from enrollment.ground.errors import Refused
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes, moves, promotion_undo, transfer_entries, transfers
from tests.support.prepared import prepared

NUMBER = "510104202112012011"
JULY = dt.datetime(2026, 7, 15, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
SEPTEMBER = dt.date(2026, 9, 1)


@prepared
def here(town):
    """Two kindergartens in July: the child of one of them is to go to the other."""

    class Here:
        old, new = town.kindergarten("金苹果"), town.kindergarten("别处", code="5151050001")
        old_clerk, new_clerk = town.clerk_of(old), town.clerk_of(new)
        now = JULY

        def open(self, kindergarten, year, name, level):
            by = self.old_clerk if kindergarten is self.old else self.new_clerk
            told = {"name": name, "level": level, "school_year": year, "kept_as": "rows"}
            return classes.open_class(town.session, kindergarten.id, **told, by=by, now=self.now)

        def asks_to_leave(self, moves_on):
            told = {"to_code": self.new.code, "moves_on": moves_on, "due_on": moves_on, "reason": "搬家"}
            return transfers.ask_to_leave(town.session, self.ana.id, **told, by=self.old_clerk, now=self.now)

        def asks_to_take(self, roll_class, moves_on):
            told = {"id_number": NUMBER, "name": "安娜", "moves_on": moves_on, "due_on": moves_on, "reason": "搬家"}
            return transfers.ask_to_take(town.session, roll_class.id, **told, by=self.new_clerk, now=self.now)

        def takes(self, transfer, roll_class):
            told = {"class_id": roll_class.id, "by": self.new_clerk, "now": self.now}
            return transfers.agree(town.session, transfer.id, **told)

        def refuses(self, act, *args):
            """The code with which this is refused; as on a page, nothing of it stays."""
            with pytest.raises(Refused) as fault, town.session.begin_nested():
                act(*args)
            return fault.value.code

        def promote(self, kindergarten):
            by = self.old_clerk if kindergarten is self.old else self.new_clerk
            return promotion.promote(town.session, kindergarten.id, 2025, by=by, now=self.now)

        def entries(self):
            of_ana = select(RollChild, RollClass).join(RollClass, RollClass.id == RollChild.class_id)
            rows = town.session.execute(of_ana)
            found = [
                (kept.school_year, kept.name, row.entered_on, row.left_on) for row, kept in rows if row.name == "安娜"
            ]
            return sorted(found, key=lambda each: (each[2], each[3] or dt.date.max))

        def offered(self, first, last=None):
            told = {"by": self.new_clerk, "now": self.now}
            lines = transfer_entries.classes_on(town.session, self.new.id, first, last or first, **told)
            return [(line.school_year, line.name) for line in lines]

    found = Here()
    found.ana = town.child_on_roll(found.old, "安娜", level="middle", id_number=NUMBER, born=dt.date(2021, 12, 1))
    found.last = found.open(found.new, 2025, "中一班", "middle")
    return found


class TestSchoolYear:
    def test_a_move_in_september_is_into_a_class_of_the_new_year(self, town, here):
        """A child in a class of the year before would hold up the promotion of all children, or miss it."""
        day = dt.date(2026, 9, 5)
        next_year = here.open(here.new, 2026, "大一班", "upper")
        assert here.offered(JULY.date(), day) == [(2025, "中一班"), (2026, "大一班")]
        assert here.offered(day) == [(2026, "大一班")]
        assert here.refuses(here.asks_to_take, here.last, day) == "class_of_that_year"
        asked = here.asks_to_leave(day)
        assert here.refuses(here.takes, asked, here.last) == "class_of_that_year"
        here.takes(asked, next_year)
        assert here.entries()[-1] == (2026, "大一班", day, None)

    def test_a_move_in_july_is_into_a_class_of_this_year(self, town, here):
        next_year, day = here.open(here.new, 2026, "小一班", "lower"), dt.date(2026, 7, 20)
        assert here.refuses(here.asks_to_take, next_year, day) == "class_of_that_year"
        here.takes(here.asks_to_leave(day), here.last)
        here.promote(here.new)
        assert here.entries()[-1][:3] == (2026, "大一班", SEPTEMBER)

    def test_a_class_that_has_moved_up_takes_no_child(self, town, here):
        town.child_on_roll(here.new, "本本", level="middle", class_name="中一班", born=dt.date(2021, 12, 1))
        here.promote(here.new)
        day = dt.date(2026, 8, 20)
        assert here.refuses(here.asks_to_take, here.last, day) == "class_has_moved_up"
        assert here.offered(day) == [] and here.offered(day, SEPTEMBER) == [(2026, "大一班")]

    def test_a_late_entry_of_the_old_year_moves_up_from_its_own_day(self, town, here):
        """Such rows were written by transfers; they must not stop the others."""
        row = roll.class_of_name(town.session, here.new.id, 2025, "中一班")
        late = RollChild(class_id=row.id, name="晚晚", born=dt.date(2021, 12, 1), entered_on=dt.date(2026, 9, 5))
        town.session.add(late)
        town.session.flush()
        assert here.promote(here.new).children == 1
        rows = town.session.scalars(select(RollChild).order_by(RollChild.left_on)).all()
        spans = [(each.entered_on, each.left_on) for each in rows if each.name == "晚晚"]
        assert spans == [(dt.date(2026, 9, 5), dt.date(2026, 9, 5)), (dt.date(2026, 9, 5), None)]


class TestChildThatMoved:
    def test_it_goes_on_from_another_class_of_its_kindergarten(self, town, here):
        day = dt.date(2026, 7, 20)
        asked = here.asks_to_leave(day)
        beside = here.open(here.old, 2025, "中九班", "middle")
        moves.change_class(town.session, here.ana.id, beside.id, day=JULY.date(), by=here.old_clerk, now=JULY)
        here.takes(asked, here.last)
        assert [each[1:] for each in here.entries()[1:]] == [("中九班", JULY.date(), day), ("中一班", day, None)]

    def test_only_one_transfer_of_it_is_open(self, town, here):
        here.asks_to_leave(dt.date(2026, 7, 20))
        beside = here.open(here.old, 2025, "中九班", "middle")
        here.ana = moves.change_class(
            town.session, here.ana.id, beside.id, day=JULY.date(), by=here.old_clerk, now=JULY
        )
        assert here.refuses(here.asks_to_leave, dt.date(2026, 7, 20)) == "transfer_is_open"

    @pytest.mark.parametrize("number", [NUMBER, None])
    def test_it_goes_on_from_the_class_into_which_it_was_promoted(self, town, here, number):
        here.ana.id_number = number
        here.ana.id_index = here.ana.id_index if number else None
        town.child_on_roll(here.old, "安安", level="middle", born=dt.date(2021, 12, 1))
        asked = here.asks_to_leave(dt.date(2026, 8, 20))
        here.promote(here.old)
        town.session.refresh(asked)
        next_year = here.open(here.new, 2026, "大一班", "upper")
        assert here.refuses(here.takes, asked, here.last) == "class_of_that_year"
        here.takes(asked, next_year)
        assert [each[2:] for each in here.entries()[1:]] == [(SEPTEMBER, SEPTEMBER), (SEPTEMBER, None)]
        made = promotion.last_promotion(town.session, here.old.id, 2025)
        with pytest.raises(Refused, match="promotion_used"):
            promotion_undo.undo(town.session, made.id, by=here.old_clerk, now=JULY)

    def test_who_has_left_does_not_move(self, town, here):
        asked = here.asks_to_leave(dt.date(2026, 7, 20))
        roll.leave(town.session, here.ana.id, on=JULY.date(), reason="moved", by=here.old_clerk, now=JULY)
        assert here.refuses(here.takes, asked, here.last) == "left_already"
