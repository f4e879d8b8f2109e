"""Arrivals: each tick its own fact, undoing, classes, taps that come late or twice, and places of children who do not come."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from enrollment.draw import freed_places
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.offers.arrivals import absences, arrival, checks, children, classes, taps
from enrollment.offers.arrivals.children import Group
from enrollment.offers.arrivals.rows import ArrivalCheck, ArrivalTap, Check, TapAct
from enrollment.offers.arrivals.taps import Tap
from enrollment.places import roll
from enrollment.places.roll import RollChild, RollClass
from tests.support.prepared import prepared
from tests.support.town_season import at

MINUTE = dt.timedelta(minutes=1)


@prepared
def door(town):
    """Ana and Ben have confirmed; it is the second day of arrival."""
    town.here = town.kindergarten("锦官新城幼儿园", places=2)
    town.open_registration()
    town.ana, town.ben = (town.child(name, wishes=[town.here]) for name in ("李沐晨", "王小雨"))
    town.drawn(town.ana, town.ben)
    for each in (town.ana, town.ben):
        town.confirm(each)
    town.at(at(8, 21, 10))
    town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
    return town


def tap(town, act, child=None, **how) -> Tap:
    offer = town.offer_for(child).id if child else None
    return Tap(how.pop("id", None) or uuid.uuid4(), TapAct(act), offer, **how)


def take(town, *given, by=None):
    got = taps.take(town.session, given, town.here.id, 2026, by=by or town.clerk, now=town.now)
    return [each.refusal for each in got]


def seen(town, child):
    row = town.session.get(ArrivalCheck, town.last_offer_for(child).id, populate_existing=True)
    return {check for check in Check if row is not None and getattr(row, f"{check}_on")}


def test_a_tick_and_its_undoing_keep_their_order_however_long_each_was_on_its_way(door):
    """Ticked at 0 s, undone at 0.3 s; the first was under way for 0.8 s, the second waited for its answer."""
    town, begun = door, door.now
    ticked = tap(town, "health", town.ana)
    town.now = begun + dt.timedelta(seconds=0.8)
    assert take(town, ticked) == [None]
    town.now = begun + dt.timedelta(seconds=1.7)
    undone = tap(town, "health", town.ana, done=False, ago=dt.timedelta(seconds=1.3), after=ticked.id)
    assert take(town, undone) == [None]
    assert seen(town, town.ana) == set()
    colleague = tap(town, "health", town.ana, ago=dt.timedelta(seconds=1.5))
    assert take(town, colleague, by=town.clerk) == [None]
    assert seen(town, town.ana) == set(), "an older tap of another tablet changes nothing"


def told(town, child):
    about = select(Notice.kind).where(Notice.application_id == child.id, Notice.withheld_at.is_(None))
    return {kind for kind in town.session.scalars(about) if "arriv" in kind}


def places_on_roll(town, child):
    rows = town.session.execute(
        select(RollClass.name, RollChild.left_on)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollChild.id_index == child.child.id_index)
        .order_by(RollChild.left_on)
    )
    return [(name, left is None) for name, left in rows]


def test_stf09_two_tablets_tick_two_checks_and_both_stay(door):
    town = door
    assert take(town, tap(town, "health", town.ana)) == [None]
    assert take(town, tap(town, "vaccination", town.ana), by=town.head) == [None]
    assert seen(town, town.ana) == {Check.HEALTH, Check.VACCINATION}
    who = town.session.scalars(select(ArrivalTap.account_id).order_by(ArrivalTap.received_at)).all()
    assert set(who) == {town.clerk.account_id, town.head.account_id}


def test_stf09_a_tap_that_is_sent_again_counts_once_and_an_older_one_does_not_win(door):
    town = door
    late = tap(town, "health", town.ana, done=False, ago=3 * MINUTE)
    assert take(town, tap(town, "health", town.ana)) == [None]
    assert take(town, late, late) == [None, None]
    assert seen(town, town.ana) == {Check.HEALTH}, "it was taken away before it was ticked"
    town.at(town.now + MINUTE)
    checks.note(town.session, town.offer_for(town.ana).id, Check.HEALTH, False, by=town.clerk, now=town.now)
    assert seen(town, town.ana) == set()
    assert len(town.session.scalars(select(ArrivalTap)).all()) == 3


def test_stf10_arrived_children_are_completed_mended_and_undone(door):
    town = door
    said = tap(town, "arrived", town.ana, class_name="小一班")
    assert take(town, tap(town, "health", town.ana), said) == [None, None]
    assert children.counts(town.session, 2026, by=town.clerk) == children.Counts(1, 1, 1, 0, 0)
    (missing,) = children.children(town.session, 2026, Group.MISSING, by=town.clerk)
    assert (missing.initials, missing.class_name, missing.missing) == ("LMC", "小一班", ["vaccination", "pickup"])
    assert take(town, *(tap(town, check, town.ana) for check in ("vaccination", "pickup"))) == [None, None]
    assert children.children(town.session, 2026, Group.MISSING, by=town.clerk) == []
    assert take(town, tap(town, "arrived", town.ana, class_name="小一班")) == [None], "a colleague said the same"
    assert take(town, tap(town, "not_arrived", town.ana)) == [None]
    assert (town.offer_for(town.ana).state, places_on_roll(town, town.ana)) == ("confirmed", [("小一班", False)])
    assert told(town, town.ana) == set(), "undone before the family was told"
    assert take(town, tap(town, "arrived", town.ana, class_name="小一班")) == [None]
    sent = update(Notice).where(Notice.kind == "marked_arrived", Notice.withheld_at.is_(None)).values(state="sent")
    town.session.execute(sent)
    assert take(town, tap(town, "not_arrived", town.ana)) == [None]
    assert told(town, town.ana) == {"marked_arrived", "arrival_undone"}


def test_stf10_undoing_an_arrival_lets_the_entries_go_on_that_it_ended(door):
    town = door
    programme = town.programme_of(town.here)
    before = roll.enter_child(
        town.session, town.here.id, "nursery", 2025, name="李沐晨", class_name="托一班",
        id_number=town.ana.child.id_number, id_kind="resident", born=town.ana.child.born, by=town.clerk, now=town.now,
    )  # fmt: skip
    offer = town.offer_for(town.ana)
    arrival.arrive(town.session, offer.id, class_name="小一班", by=town.clerk, now=town.now)
    assert before.left_on == dt.date(2026, 9, 1)
    arrival.undo_arrival(town.session, offer.id, by=town.clerk, now=town.now)
    assert (before.left_on, before.leave_reason) == (None, None)
    assert classes.choices(town.session, programme, by=town.clerk, now=town.now)[0].children == 0
    with pytest.raises(Refused, match="offer_not_arrived"):
        arrival.undo_arrival(town.session, offer.id, by=town.clerk, now=town.now)


def test_stf11_classes_of_the_level_the_least_full_first_and_above_the_norm_the_head_decides(town):
    here = town.here = town.kindergarten("锦官驿幼儿园", places=4)
    town.plan(town.programme_of(here), planned_classes=2, staffed_classes=2, class_norm=2, withheld=0)
    town.open_registration()
    five = [town.child(name, wishes=[here]) for name in ("安一", "白二", "陈三", "丁四")]
    town.drawn(*five)
    for each in five:
        town.confirm(each)
    town.at(at(8, 20, 10))
    town.clerk, town.head = town.clerk_of(here), town.head_of(here)
    roll.enter_child(
        town.session, here.id, "nursery", 2026, name="托小小", class_name="托一班", by=town.clerk, now=town.now
    )

    def listed():
        found = classes.choices(town.session, town.programme_of(here), by=town.clerk, now=town.now)
        return [(each.name, each.children, each.is_full) for each in found]

    assert listed() == [("小一班", 0, False), ("小二班", 0, False)]
    for each in five[:2]:
        assert take(town, tap(town, "arrived", each, class_name="小一班")) == [None]
    assert listed() == [("小二班", 0, False), ("小一班", 2, True)]
    assert take(town, tap(town, "arrived", five[2], class_name="托一班")) == ["class_not_of_this_level"]
    assert take(town, tap(town, "arrived", five[2], class_name="小一班")) == ["class_is_full"]
    kept = {each.refusal: each.id for each in taps.to_match(town.session, [here.id], 2026)}
    with pytest.raises(Refused, match="class_is_full"), town.session.begin_nested():
        taps.match(town.session, kept["class_is_full"], None, by=town.clerk, now=town.now)
    taps.match(town.session, kept["class_is_full"], None, by=town.head, now=town.now)
    assert town.offer_for(five[2]).state == "arrived"
    arrival.mend_class(town.session, town.offer_for(five[2]).id, class_name="小二班", by=town.clerk, now=town.now)
    assert listed() == [("小二班", 1, False), ("小一班", 2, True)]
    town.at(at(9, 2, 10))  # in August the child is not in its class yet
    with pytest.raises(Refused, match="class_change_in_roll"):
        arrival.mend_class(town.session, town.offer_for(five[2]).id, class_name="小一班", by=town.head, now=town.now)


def test_stf09_what_cannot_take_effect_is_kept_and_matched_later(door):
    town = door
    elsewhere = town.kindergarten("小蜜蜂幼儿园", places=1)
    stranger = town.clerk_of(elsewhere)
    foreign = Tap(uuid.uuid4(), TapAct.ARRIVED, uuid.uuid4(), class_name="小一班", ago=MINUTE)
    noted = Tap(uuid.uuid4(), TapAct.NOTED, noted="李木晨，妈妈在门口")
    assert take(town, foreign, noted) == ["tap_child_unknown", "tap_noted"]
    with pytest.raises(NotFound):
        taps.take(town.session, [noted], town.here.id, 2026, by=stranger, now=town.now)
    first, second = taps.to_match(town.session, [town.here.id], 2026)
    with pytest.raises(Refused, match="tap_needs_a_child"):
        taps.match(town.session, first.id, None, by=town.clerk, now=town.now)
    found = town.offer_for(town.ana).id
    with pytest.raises(Refused, match="class_not_of_this_level"), town.session.begin_nested():
        taps.match(town.session, first.id, found, class_name="大一班", by=town.clerk, now=town.now)
    taps.match(town.session, first.id, found, by=town.clerk, now=town.now)
    assert town.offer_for(town.ana).state == "arrived"
    with pytest.raises(NotFound):
        taps.set_aside(town.session, second.id, by=stranger, now=town.now)
    taps.set_aside(town.session, second.id, by=town.clerk, now=town.now)
    assert taps.to_match(town.session, [town.here.id], 2026) == []
    with pytest.raises(Refused, match="tap_settled"):
        taps.set_aside(town.session, second.id, by=town.clerk, now=town.now)


def test_stf12_no_place_is_lost_before_the_last_day_or_without_a_try(door):
    town = door
    ana, ben = (town.offer_for(each).id for each in (town.ana, town.ben))

    def release(*offers):
        return {
            each.offer_id: each.refusal for each in absences.release(town.session, offers, by=town.clerk, now=town.now)
        }

    with pytest.raises(Refused, match="nobody_chosen"):
        release()
    assert release(ana, ben) == {ana: "still_expected", ben: "still_expected"}
    absences.record_contact(town.session, ana, "call", "not_coming", by=town.clerk, now=town.now)
    assert [each.obstacle for each in absences.absent(town.session, 2026, by=town.clerk, now=town.now)] == [
        None,
        "still_expected",
    ]
    assert release(ana, ben) == {ana: None, ben: "still_expected"}, "the family's word"
    town.at(at(8, 31, 18))
    assert release(ben) == {ben: "contact_first"}
    absences.record_contact(town.session, ben, "visit", "no_answer", by=town.clerk, now=town.now)
    assert release(ana, ben) == {ana: "offer_not_confirmed", ben: None}
    assert {town.last_offer_for(each).state for each in (town.ana, town.ben)} == {"no_show"}
    freed_places.undo_no_show(town.session, ben, by=town.clerk, now=town.now)
    assert town.offer_for(town.ben).state == "confirmed"


def test_stf20_the_kindergarten_sees_each_child_from_the_minute_of_publication(town):
    here = town.kindergarten("锦官新城幼儿园", places=1)
    town.open_registration()
    ana, ben = (town.child(name, wishes=[here]) for name in ("李沐晨", "王小雨"))
    town.drawn(ana, ben)
    clerk = town.clerk_of(here)
    (offered,) = children.children(town.session, 2026, Group.OFFERED, by=clerk)
    assert (offered.child_name, offered.state, offered.answer_by) == (
        "李沐晨",
        "offered",
        town.offer_for(ana).answer_by,
    )
    assert children.find(town.session, 2026, "lmc", by=clerk) == [offered]
    assert children.find(town.session, 2026, f"https://x/verify/{offered.notice_code}", by=clerk) == [offered]
    assert (
        children.find(town.session, 2026, ana.registration_code, by=town.clerk_of(town.kindergarten("牡丹", places=1)))
        == []
    )
    town.decline(ana)
    (gone,) = children.children(town.session, 2026, Group.GONE, by=clerk)
    assert (gone.state, gone.state_since) == ("declined", town.now)
    assert children.counts(town.session, 2026, by=clerk) == children.Counts(0, 0, 0, 0, 1)


def test_stf09_a_late_undoing_does_not_erase_a_newer_arrival(door):
    """9:00 noted by mistake and 9:01 undone without a network; 9:05 the child comes and a colleague notes it; 9:30 the network."""
    town, begun = door, door.now
    said = tap(town, "arrived", town.ana, class_name="小一班", ago=30 * MINUTE)
    undone = tap(town, "not_arrived", town.ana, ago=29 * MINUTE, after=said.id)
    other = tap(town, "class", town.ana, class_name="小二班", ago=29 * MINUTE)
    town.now = begun - 25 * MINUTE
    assert take(town, tap(town, "arrived", town.ana, class_name="小一班"), by=town.head) == [None]
    town.now = begun
    assert take(town, said, undone, other) == [None, "tap_overtaken", "tap_overtaken"]
    assert (town.offer_for(town.ana).state, places_on_roll(town, town.ana)) == ("arrived", [("小一班", True)])
    assert told(town, town.ana) == {"marked_arrived"}
    for kept in (undone, other):
        with pytest.raises(Refused, match="tap_overtaken"), town.session.begin_nested():
            taps.match(town.session, kept.id, None, by=town.head, now=town.now)
    assert take(town, tap(town, "not_arrived", town.ana)) == [None], "who sees the arrival can undo it"
    late = tap(town, "arrived", town.ana, class_name="小一班", ago=MINUTE)
    assert take(town, late, tap(town, "not_arrived", town.ana, ago=2 * MINUTE)) == ["tap_overtaken", None]
    assert town.offer_for(town.ana).state == "confirmed"


def test_stf09_what_a_person_matches_is_newer_than_what_a_tablet_still_keeps(door):
    town, begun = door, door.now
    foreign = Tap(uuid.uuid4(), TapAct.ARRIVED, uuid.uuid4(), class_name="小一班", ago=40 * MINUTE)
    assert take(town, foreign) == ["tap_child_unknown"]
    taps.match(town.session, foreign.id, town.offer_for(town.ana).id, by=town.head, now=begun)
    town.now = begun + MINUTE
    assert take(town, tap(town, "not_arrived", town.ana, ago=2 * MINUTE)) == ["tap_overtaken"]
    assert town.offer_for(town.ana).state == "arrived"


def test_an_arrival_and_its_undoing_keep_their_order_however_long_each_was_on_its_way(door):
    town, begun = door, door.now
    said = tap(town, "arrived", town.ana, class_name="小一班")
    town.now = begun + dt.timedelta(seconds=0.8)
    assert take(town, said) == [None]
    town.now = begun + dt.timedelta(seconds=1.7)
    assert take(town, tap(town, "not_arrived", town.ana, ago=dt.timedelta(seconds=1.3), after=said.id)) == [None]
    assert town.offer_for(town.ana).state == "confirmed"


def test_stf09_a_tap_stands_under_the_kindergarten_of_its_child(town):
    """A clerk of two kindergartens taps on one page: each colleague sees, and each head settles, what is theirs."""
    town.here, there = town.kindergarten("锦官新城幼儿园", places=1), town.kindergarten("小蜜蜂幼儿园", places=1)
    town.open_registration()
    town.ana, town.ben = town.child("李沐晨", wishes=[town.here]), town.child("王小雨", wishes=[there])
    town.drawn(town.ana, town.ben)
    town.confirm(town.ana)
    town.confirm(town.ben)
    town.at(at(8, 21, 10))
    town.clerk, their_head = town.clerk_of(town.here), town.head_of(there)
    both = replace(town.clerk, kindergartens=frozenset((town.here.id, there.id)))
    ticked, wrong = tap(town, "health", town.ben), tap(town, "arrived", town.ben, class_name="大一班")
    assert take(town, ticked, wrong, tap(town, "health", town.ana), by=both) == [None, "class_not_of_this_level", None]
    of_ben = select(ArrivalTap.kindergarten_id).where(ArrivalTap.offer_id == ticked.offer_id).distinct()
    assert town.session.scalars(of_ben).all() == [there.id]
    assert [each.id for each in taps.to_match(town.session, [there.id], 2026)] == [wrong.id]
    assert taps.to_match(town.session, [town.here.id], 2026) == []
    news = taps.since(town.session, town.now - MINUTE, by=their_head)
    assert [(each.offer_id, each.act) for each in news] == [(ticked.offer_id, "health")]
    taps.set_aside(town.session, wrong.id, by=their_head, now=town.now)


def test_a_tablet_is_not_told_of_a_colleagues_tap_that_it_has_overtaken(door):
    town = door
    assert take(town, tap(town, "arrived", town.ana, class_name="小一班", ago=MINUTE), by=town.head) == [None]
    assert take(town, tap(town, "health", town.ana, ago=MINUTE), by=town.head) == [None]
    assert take(town, tap(town, "not_arrived", town.ana)) == [None]
    assert [each.act for each in taps.since(town.session, town.now - MINUTE, by=town.clerk)] == ["health"]


def test_stf10_after_a_week_a_child_leaves_in_the_roll_instead_of_never_having_come(door):
    """One click in November would take the child away from all days since September."""
    town = door
    for child in (town.ana, town.ben):
        assert take(town, tap(town, "arrived", child, class_name="小一班")) == [None]
    town.at(at(9, 8, 10))  # it is in its class from 1 September
    arrival.undo_arrival(town.session, town.offer_for(town.ben).id, by=town.clerk, now=town.now)
    town.at(at(9, 9, 10))
    with pytest.raises(Refused, match="undo_in_roll"):
        arrival.undo_arrival(town.session, town.offer_for(town.ana).id, by=town.head, now=town.now)
    assert (town.offer_for(town.ana).state, places_on_roll(town, town.ana)) == ("arrived", [("小一班", True)])
    assert take(town, tap(town, "not_arrived", town.ana)) == ["undo_in_roll"]


def test_the_trail_tells_whose_tap_a_colleague_sent(door):
    """The clerk's taps waited in the tablet; the head signed in on it."""
    town = door
    mine, theirs, unknown = (
        tap(town, "health", town.ana, who=who) for who in (town.head.account_id, town.clerk.account_id, uuid.uuid4())
    )
    assert take(town, mine, theirs, unknown, by=town.head) == [None, None, None]
    sent = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "send_tap_of_colleague")).one()
    assert sent.subject_id == str(theirs.id)
    assert sent.details == {"tapped_by": str(town.clerk.account_id)}
