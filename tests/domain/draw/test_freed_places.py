"""A place that was given up by mistake can be had back, until somebody else is given it."""

import datetime as dt

import pytest

from enrollment.draw import freed_places, replay
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.offers.arrivals import absences
from tests.support.prepared import prepared


@prepared
def placed(town):
    """Ana holds the place that Ben waits for."""
    town.garden = town.kindergarten("金苹果", places=1)
    town.ana, town.ben = (town.child(name, wishes=[town.garden]) for name in ("安娜", "本本"))
    town.drawn(town.ana, town.ben)
    return town


def take_back(town, child, **how):
    offer = town.last_offer_for(child)
    return freed_places.take_back(town.session, offer.id, by=how.get("by") or town.parent_of(child), now=town.now)


def test_a_place_given_up_by_mistake_is_taken_back_in_time(placed):
    town = placed
    town.decline(town.ana)
    assert (town.offer_for(town.ana), town.taken_at(town.garden)) == (None, 0)
    assert freed_places.may_take_back(town.session, town.last_offer_for(town.ana), now=town.now)
    take_back(town, town.ana)
    offer = town.offer_for(town.ana)
    assert (offer.state, offer.ended_at, town.taken_at(town.garden)) == ("confirmed", None, 1)
    assert town.session.query(Notice).filter_by(kind="answer_take_back", application_id=town.ana.id).count() == 1
    with pytest.raises(Refused, match="offer_is_over"):
        take_back(town, town.ana)


def test_nothing_is_taken_back_after_the_answer_was_due(placed):
    town = placed
    town.decline(town.ana)
    town.at(town.last_offer_for(town.ana).answer_by)
    assert not freed_places.may_take_back(town.session, town.last_offer_for(town.ana), now=town.now)
    with pytest.raises(Refused, match="answer_too_late"):
        take_back(town, town.ana)


def test_nothing_is_taken_back_while_a_replay_gives_the_place_on(placed):
    town = placed
    town.decline(town.ana)
    started = replay.start(town.session, town.the_round.id, by=town.city_pair()[0], now=town.now)
    assert started.replays is not None
    with pytest.raises(Refused, match="place_went_on"):
        take_back(town, town.ana)


def test_nothing_is_taken_back_after_the_place_went_on(placed):
    town = placed
    town.decline(town.ana)
    town.replay()
    assert town.place_of(town.ben) == town.garden
    with pytest.raises(Refused, match="place_went_on"):
        take_back(town, town.ana)
    assert town.taken_at(town.garden) == 1


def test_only_a_guardian_takes_it_back(placed):
    town = placed
    town.decline(town.ana)
    with pytest.raises(NotFound):
        take_back(town, town.ana, by=town.parent_of(town.ben))


def test_bound_twins_come_back_together(town):
    garden = town.kindergarten("金苹果", places=2)
    lin, mu = town.twins("林林", "木木", wishes=[garden])
    town.drawn(lin, mu)
    town.decline(lin)
    assert town.taken_at(garden) == 0
    take_back(town, mu)
    assert [town.offer_for(each).state for each in (lin, mu)] == ["confirmed", "confirmed"]
    assert town.taken_at(garden) == 2


def test_stf12_a_wrong_no_show_is_undone_until_the_place_goes_on(placed):
    town = placed
    town.confirm(town.ana)
    town.at(town.offer_for(town.ana).answer_by)
    clerk, offer = town.clerk_of(town.garden), town.offer_for(town.ana)
    stranger = town.clerk_of(town.kindergarten("牡丹", places=1))
    absences.mark_no_show(town.session, offer.id, by=clerk, now=town.now, reason="没有来")
    with pytest.raises(NotFound):
        freed_places.undo_no_show(town.session, offer.id, by=stranger, now=town.now)
    freed_places.undo_no_show(town.session, offer.id, by=clerk, now=town.now)
    assert (town.offer_for(town.ana).state, town.taken_at(town.garden)) == ("confirmed", 1)
    absences.mark_no_show(town.session, offer.id, by=clerk, now=town.now, reason="电话确认不来")
    told = town.session.query(Notice.kind).filter(Notice.application_id == town.ana.id)
    assert sorted(kind for (kind,) in told if "no_show" in kind) == [
        "marked_no_show",
        "marked_no_show",
        "no_show_undone",
    ]
    town.replay()
    with pytest.raises(Refused, match="place_went_on"):
        freed_places.undo_no_show(town.session, offer.id, by=clerk, now=town.now)


def test_a_wrong_no_show_leaves_the_child_in_the_line_for_its_better_wish(town):
    """Ana waits for the garden beside her place; the absence is a mistake, and Cui gives the better place up."""
    garden, other = town.kindergarten("金苹果", places=1), town.kindergarten("牡丹", places=1)
    cui, ana = town.child("崔崔", wishes=[garden]), town.child("安娜", wishes=[garden, other])
    town.drawn(cui, ana)
    town.confirm(cui)
    town.confirm(ana, wait=True)
    town.at(town.offer_for(ana).answer_by)
    offer, clerk = town.offer_for(ana), town.clerk_of(other)
    absences.record_contact(town.session, offer.id, "call", "not_coming", by=clerk, now=town.now)
    town.at(town.now + dt.timedelta(hours=1))
    absences.mark_no_show(town.session, offer.id, by=clerk, now=town.now, reason="家长说不来")
    town.at(town.now + dt.timedelta(hours=1))
    freed_places.undo_no_show(town.session, offer.id, by=clerk, now=town.now)
    assert town.offer_for(ana).state == "confirmed_waiting"
    (line,) = absences.absent(town.session, 2026, by=clerk, now=town.now)
    assert (line.obstacle, len(line.contacts)) == ("still_expected", 1), "the call was about the mistake"
    assert absences.one_absent(town.session, offer.id, by=clerk, now=town.now).obstacle == "still_expected"
    (released,) = absences.release(town.session, [offer.id], by=clerk, now=town.now)
    assert released.refusal is not None
    assert town.offer_for(ana).state == "confirmed_waiting"
