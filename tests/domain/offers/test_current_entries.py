"""After a class change, a merge or a promotion the kindergarten still reads what the child needs, and in which class it is."""

import datetime as dt

import pytest
from sqlalchemy import select, update

from enrollment.applications.child_needs import answers
from enrollment.family_messages import selection
from enrollment.offers.arrivals import arrival, care, children, roll_entry
from enrollment.offers.arrivals.children import Group
from enrollment.places import promotion, roll
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes, moves, promotion_undo, transfers
from enrollment.reports import audit_scope
from tests.support.prepared import prepared
from tests.support.town_season import at

NOTE = "对花生过敏"
NUMBERS = pytest.mark.parametrize("number", [True, False], ids=["number", "no number"])


@prepared
def arrived(town):
    """Ana and Ben are in 小一班 since 1 September 2026; Ana is allergic.  小二班 is empty."""
    town.here, town.other = town.kindergarten("锦官新城幼儿园", places=2), town.kindergarten("牡丹", places=2)
    town.open_registration()
    town.ana, town.ben = (town.child(name, wishes=[town.here]) for name in ("李沐晨", "王小雨"))
    told = {"kinds": ["allergy"], "note": NOTE, "agrees": True, "version": 0}
    answers.save(town.session, town.ana.id, **told, by=town.parent_of(town.ana), now=town.now)
    town.drawn(town.ana, town.ben)
    for each in (town.ana, town.ben):
        town.confirm(each)
    town.at(at(8, 21, 10))
    town.clerk = town.clerk_of(town.here)
    for each in (town.ana, town.ben):
        offer = town.offer_for(each)
        arrival.arrive(town.session, offer.id, class_name="小一班", by=town.clerk, now=town.now)
    town.at(at(9, 10))
    second = {"name": "小二班", "level": "lower", "school_year": 2026, "kept_as": "rows"}
    classes.open_class(town.session, town.here.id, **second, by=town.clerk, now=town.now)
    return town


def without_number(town) -> None:
    """The entries of the roll have no number, as of a child of whom a kindergarten knows the name alone."""
    town.session.execute(update(RollChild).values(id_number=None, id_index=None))
    town.session.expire_all()


def class_of(town, name, year=2026) -> RollClass:
    return town.session.scalars(select(RollClass).where(RollClass.name == name, RollClass.school_year == year)).one()


def entry_in(town, name, year=2026, *, child=None) -> RollChild:
    rows = town.session.scalars(select(RollChild).where(RollChild.class_id == class_of(town, name, year).id))
    wanted = (child or town.ana).child.name
    return max((each for each in rows if each.name == wanted), key=lambda each: each.entered_on)


def change(town, name="小二班", *, child=None, before="小一班") -> None:
    entry, there = entry_in(town, before, child=child), class_of(town, name)
    moves.change_class(town.session, entry.id, there.id, day=town.now.date(), by=town.clerk, now=town.now)


def merge(town) -> None:
    here, there = class_of(town, "小一班"), class_of(town, "小二班")
    classes.merge(town.session, here.id, there.id, reason="人少", by=town.clerk, now=town.now)


def promote(town):
    made = promotion.promote(town.session, town.here.id, 2026, by=town.clerk, now=town.now)
    town.session.expire_all()
    return made


def needs_on_page(town, name, year=2026, by=None) -> list[str]:
    """The notes on the page of a class."""
    by = by or town.clerk
    here = class_of(town, name, year)
    listed = roll.children_of(town.session, here.id, by=town.clerk, now=town.now).items
    told = care.of_roll(town.session, [each.id for each in listed], by=by, now=town.now)
    return [told[each.id].note for each in listed if each.id in told]


def classes_at_the_door(town) -> dict[str, str | None]:
    listed = children.children(town.session, 2026, Group.ARRIVED, by=town.clerk)
    assert len(listed) == 2, "each child once"
    for each in listed:
        assert roll_entry.class_of(town.session, each.offer_id) == each.class_name
    return {each.child_name: each.class_name for each in listed}


def audiences(town) -> dict[str, int]:
    found = selection.audiences(town.session, town.here.id, 2026, by=town.clerk, now=town.now)
    return {name: number for name, number in found.items() if name.startswith("class-")}


def chosen(town, name):
    choice = selection.choice_of({"audience": f"class-{name}", "year": "2026"})
    return selection.applications(town.session, town.here.id, choice, by=town.clerk, now=town.now)


def audited(town) -> list[str]:
    about = audit_scope.subjects_about(town.session, town.ana.registration_code)
    return [subject_id for subject, subject_id in about if subject == "roll_child"]


@NUMBERS
def test_a_child_that_changes_its_class(arrived, number):
    town = arrived
    if not number:
        without_number(town)
    first = entry_in(town, "小一班")
    assert needs_on_page(town, "小一班") == [NOTE]
    change(town)
    assert needs_on_page(town, "小二班") == [NOTE] and needs_on_page(town, "小一班") == []
    assert classes_at_the_door(town) == {"李沐晨": "小二班", "王小雨": "小一班"}
    assert audiences(town) == {"class-小一班": 1, "class-小二班": 1}
    assert (chosen(town, "小二班"), chosen(town, "小一班")) == ([town.ana.id], [town.ben.id])
    assert audited(town) == [str(first.id), str(entry_in(town, "小二班").id)]
    town.at(at(9, 20))
    change(town, "小一班", before="小二班")
    assert needs_on_page(town, "小一班") == [NOTE] and needs_on_page(town, "小二班") == []
    assert classes_at_the_door(town) == {"李沐晨": "小一班", "王小雨": "小一班"}


@NUMBERS
def test_a_class_that_is_merged(arrived, number):
    town = arrived
    if not number:
        without_number(town)
    merge(town)
    assert needs_on_page(town, "小二班") == [NOTE]
    assert classes_at_the_door(town) == {"李沐晨": "小二班", "王小雨": "小二班"}
    assert chosen(town, "小二班") == sorted([town.ana.id, town.ben.id])


@NUMBERS
def test_a_class_that_is_promoted_in_july(arrived, number):
    town = arrived
    if not number:
        without_number(town)
    change(town)
    town.at(at(7, 10, year=2027))
    promote(town)
    assert needs_on_page(town, "小二班") == needs_on_page(town, "中二班", 2027) == [NOTE], "小二班 until 1 September"
    assert classes_at_the_door(town) == {"李沐晨": "中二班", "王小雨": "中一班"}
    assert audiences(town) == {"class-中一班": 1, "class-中二班": 1}
    assert chosen(town, "中二班") == [town.ana.id]
    assert len(audited(town)) == 3
    town.at(at(9, 1, year=2027))
    assert needs_on_page(town, "中二班", 2027) == [NOTE]
    assert needs_on_page(town, "小二班") == [], "the class of last year is over"


def test_a_promotion_that_is_undone(arrived):
    town = arrived
    town.at(at(7, 10, year=2027))
    made = promote(town)
    row = town.session.scalars(select(RollChild.promotion_id).where(RollChild.promotion_id.is_not(None))).first()
    promotion_undo.undo(town.session, row, by=town.clerk, now=town.now)
    assert made.children == 2 and needs_on_page(town, "小一班") == [NOTE]
    assert classes_at_the_door(town) == {"李沐晨": "小一班", "王小雨": "小一班"}


@NUMBERS
def test_nothing_is_read_after_the_child_has_left(arrived, number):
    town = arrived
    if not number:
        without_number(town)
    change(town)
    entry = entry_in(town, "小二班")
    town.at(at(9, 20))
    roll.leave(town.session, entry.id, on=dt.date(2026, 9, 20), reason="moved", by=town.clerk, now=town.now)
    everything = town.session.scalars(select(RollChild.id)).all()
    assert care.of_roll(town.session, everything, by=town.clerk, now=town.now) == {}
    assert classes_at_the_door(town) == {"李沐晨": None, "王小雨": "小一班"}
    assert audiences(town) == {"class-小一班": 1} and chosen(town, "小二班") == []


@NUMBERS
def test_another_kindergarten_reads_nothing(arrived, number):
    """Not by the id of an entry, and not after a transfer of the child, which the old one reads no more either."""
    town = arrived
    if not number:
        without_number(town)
    change(town)
    elsewhere = town.clerk_of(town.other)
    assert needs_on_page(town, "小二班", by=elsewhere) == []
    there = classes.open_class(
        town.session, town.other.id, name="小三班", level="lower", school_year=2026, kept_as="rows",
        by=elsewhere, now=town.now,
    )  # fmt: skip
    town.at(at(9, 20))
    entry = entry_in(town, "小二班")
    asked = transfers.ask_to_leave(
        town.session, entry.id, to_code=town.other.code, moves_on=town.now.date(),
        due_on=town.now.date() + dt.timedelta(days=10), reason="搬家", by=town.clerk, now=town.now,
    )  # fmt: skip
    transfers.agree(town.session, asked.id, class_id=there.id, by=elsewhere, now=town.now)
    assert entry_in(town, "小三班").left_on is None
    everything = town.session.scalars(select(RollChild.id)).all()
    for by in (town.clerk, elsewhere):
        assert care.of_roll(town.session, everything, by=by, now=town.now) == {}
    assert classes_at_the_door(town) == {"李沐晨": None, "王小雨": "小一班"}


def test_an_arrival_that_is_undone_shows_no_earlier_class(arrived):
    """Ana's entry ends on its first day; the class in which the roll lists her otherwise is not the one she arrived in."""
    town = arrived
    first = entry_in(town, "小一班")
    first.left_on, first.leave_reason = first.entered_on, roll_entry.NEVER_CAME
    town.session.flush()
    town.child_on_roll(
        town.here, town.ana.child.name, level="lower", year=2026, class_name="小二班",
        id_number=town.ana.child.id_number, born=town.ana.child.born,
    )  # fmt: skip
    assert classes_at_the_door(town) == {"李沐晨": None, "王小雨": "小一班"}
    assert needs_on_page(town, "小二班") == []


def test_of_two_children_of_one_name_without_a_number_neither_is_taken_for_the_other(arrived):
    town = arrived
    without_number(town)
    ana = entry_in(town, "小一班")
    twin = RollChild(class_id=ana.class_id, name=ana.name, born=ana.born, entered_on=ana.entered_on)
    town.session.add(twin)
    town.session.flush()
    merge(town)
    assert needs_on_page(town, "小二班") == []
    assert classes_at_the_door(town) == {"李沐晨": None, "王小雨": "小二班"}
