"""Families hear of every step once, and nobody loses a place because our clock stood still."""

import datetime as dt

from sqlalchemy import select

from enrollment.ground.city_time import format_time
from enrollment.ground.outbox import Notice
from enrollment.offers import answer_deadlines, offers
from tests.support.prepared import prepared


def notices_of(town, application, kind):
    found = select(Notice).where(Notice.application_id == application.id, Notice.kind == kind)
    return list(town.session.scalars(found.order_by(Notice.created_at)))


@prepared
def published(town):
    jinpingguo = town.kindergarten("金苹果", places=1)
    town.ana = town.child("安娜", wishes=[jinpingguo])
    town.ben = town.child("本本", wishes=[jinpingguo])
    town.father = town.second_guardian(town.ana)
    town.drawn(town.ana, town.ben)
    return town


def test_both_guardians_hear_of_the_result_and_so_does_who_has_no_place(published):
    town = published
    told = notices_of(town, town.ana, "result_published")
    assert {notice.account_id for notice in told} == {town.ana.entered_by, town.father.account.id}
    assert len(notices_of(town, town.ben, "result_published")) == 1


def test_a_reminder_goes_out_once_the_day_before(published):
    town, offer = published, published.offer_for(published.ana)
    assert answer_deadlines.remind_due(town.session, now=offer.answer_by - dt.timedelta(days=1, minutes=1)) == 0
    town.at(offer.answer_by - dt.timedelta(hours=23))
    assert answer_deadlines.remind_due(town.session, now=town.now) == 1
    assert answer_deadlines.remind_due(town.session, now=town.now) == 0
    reminders = notices_of(town, town.ana, "answer_reminder")
    assert [notice.params for notice in reminders] == [{"due": format_time(offer.answer_by)}] * 2


def test_a_family_that_was_not_reminded_gets_a_day_more(published):
    town, offer = published, published.offer_for(published.ana)
    town.at(offer.answer_by + dt.timedelta(hours=5))
    assert answer_deadlines.expire_due(town.session, now=town.now) == 0
    later = town.offer_for(town.ana).answer_by
    assert later == town.now + dt.timedelta(days=1)
    assert len(notices_of(town, town.ana, "answer_reminder")) == 2
    town.at(later)
    assert answer_deadlines.expire_due(town.session, now=town.now) == 1
    assert town.last_offer_for(town.ana).state == "expired"
    assert len(notices_of(town, town.ana, "offer_expired")) == 2


def test_a_dispute_between_guardians_stops_the_clock_and_the_answers(published):
    town, offer = published, published.offer_for(published.ana)
    town.ana.on_hold = True
    town.session.flush()
    town.at(offer.answer_by + dt.timedelta(days=2))
    assert answer_deadlines.expire_due(town.session, now=town.now) == 0
    assert town.offer_for(town.ana).state == "offered"


def test_who_comes_next_is_told_until_when_to_answer(published):
    town = published
    offer = town.decline(town.ana)
    offers.decline(town.session, offer.id, by=town.father.actor, now=town.now)
    town.replay()
    (told,) = notices_of(town, town.ben, "place_offered")
    assert told.params == {"due": format_time(town.offer_for(town.ben).answer_by), "who": "city_office"}
    assert town.offer_for(town.ben).answer_by >= town.now + dt.timedelta(days=2)
