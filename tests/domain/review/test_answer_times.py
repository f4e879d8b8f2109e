"""Until when a family answers a return: what a clerk may choose, and who honours it."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import submission
from enrollment.draw import participants, snapshot
from enrollment.eligibility import deadline_reminders, return_times
from enrollment.ground.city_time import CHENGDU, format_time
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import return_undo, review
from enrollment.review.returns.answer_times import answer_times
from enrollment.review.review import Ask
from enrollment.season import policy_approval
from tests.support.prepared import prepared

ASK = [Ask("hukou_booklet", "请补拍孩子那一页")]


def at(month: int, day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=CHENGDU)


@prepared
def ana(town):
    here = town.kindergarten("锦官新城幼儿园", places=10)
    text = policy_approval.template("whole_district", "510104", 2026)
    bounds = "opens_early = false\nanswer_days_least = 1\nanswer_days_most = 3"
    town.policy("510104", text=text.replace("opens_early = false", bounds))
    town.open_registration()
    return town.child("安娜", wishes=[here])


def told(town) -> list[Notice]:
    return list(town.session.scalars(select(Notice).where(Notice.kind == "returned_reminder")))


def test_a_clerk_chooses_within_the_days_of_the_policy_and_before_the_review_ends(town, ana):
    """The review ends on 3 June at 18:00, the draw begins on 4 June at 9:00."""
    offered = {}
    for now in (at(5, 29, 18, 1), at(6, 2, 10), at(6, 2, 20, 30), at(6, 3, 17), at(6, 3, 19), at(6, 5, 9)):
        times = answer_times(town.session, ana, now=now)
        offered[now] = [(each.at, each.evenings, each.fits) for each in times.times]
        assert times.suggested in times.possible or not times.possible
    assert offered == {
        at(5, 29, 18, 1): [(at(5, 30, 21), 2, True), (at(5, 31, 21), 3, True), (at(6, 1, 21), 4, True)],
        at(6, 2, 10): [(at(6, 3, 18), 1, True), (at(6, 3, 21), 2, False)],
        at(6, 2, 20, 30): [],  # less than a day is left: the least time of the policy holds
        at(6, 3, 17): [],
        at(6, 3, 19): [],
        at(6, 5, 9): [(at(6, 6, 21), 2, True), (at(6, 7, 21), 3, True), (at(6, 8, 21), 4, True)],
    }
    assert answer_times(town.session, ana, now=at(5, 30, 9)).suggested == at(5, 31, 21), "two evenings"


def test_the_chosen_moment_is_told_reminded_of_and_honoured_by_the_freeze(town, ana):
    clerk, chosen = town.clerk_takes(ana), at(5, 31, 21)
    for impossible in (town.now, at(5, 31, 20), at(6, 2, 21), at(6, 4, 21)):
        with pytest.raises(Refused, match="answer_time_impossible") as refused:
            review.send_back(town.session, ana.id, ASK, answer_by=impossible, by=clerk, now=town.now)
    assert (refused.value.details["first"], refused.value.details["last"]) == (at(5, 30, 21), at(6, 1, 21))
    review.send_back(town.session, ana.id, ASK, answer_by=chosen, by=clerk, now=town.now)
    message = town.session.scalars(select(Notice).where(Notice.kind == "review_returned")).one()
    assert message.params["due"] == format_time(chosen)
    assert return_undo.open_return(town.session, ana, now=town.now).due_at == chosen
    assert return_times.answer_until(town.session, ana, returned_at=ana.returned_at) == chosen

    for early in (at(5, 29, 17, 30), at(5, 30, 17, 30)):  # not at once after the message, and two days are left
        deadline_reminders.remind_returned(town.session, now=early)
        assert told(town) == []
    for _again in range(2):
        deadline_reminders.remind_returned(town.session, now=at(5, 31, 17, 30))
        assert [each.params["due"] for each in told(town)] == [format_time(chosen)]

    town.close_registration()
    with pytest.raises(Refused, match="returns_have_time") as refused:
        snapshot.precheck(town.session, town.the_round, now=at(5, 31, 20, 59))
    assert refused.value.details == {"n": 1, "until": format_time(chosen)}
    with pytest.raises(Refused, match="draw_form_missing"):  # what the freeze asks for next
        snapshot.precheck(town.session, town.the_round, now=chosen)
    submission.submit(town.session, ana.id, by=town.parent_of(ana), now=at(5, 30, 9))
    with pytest.raises(Refused, match="still_under_review"):
        snapshot.precheck(town.session, town.the_round, now=at(5, 30, 10))


def test_the_last_moment_of_a_round_is_that_of_its_returns_looked_at_one_by_one(town, ana):
    """With and without a chosen moment, before and after the review ends; what was handed in again and what is over count no more."""
    here = town.session.scalars(select(Kindergarten)).one()
    others = [town.child(name, wishes=[here]) for name in ("贝贝", "聪聪", "丹丹")]
    chosen = {ana.id: at(5, 31, 21)}
    sent_back = {ana: at(5, 30, 9), others[0]: at(5, 30, 10), others[1]: at(6, 3, 15), others[2]: at(6, 3, 16)}
    for application, moment in sent_back.items():
        town.at(moment)
        clerk = town.clerk_takes(application)
        review.send_back(town.session, application.id, ASK, answer_by=chosen.get(application.id), by=clerk, now=moment)
    submission.submit(town.session, others[2].id, by=town.parent_of(others[2]), now=at(6, 3, 17))
    waiting = [ana, others[0], others[1]]
    until = {each.id: return_times.answer_until(town.session, each, returned_at=each.returned_at) for each in waiting}
    assert until == {ana.id: at(5, 31, 21), others[0].id: at(6, 3, 18), others[1].id: at(6, 4, 15)}
    for now in (at(5, 30, 11), at(6, 3, 17), at(6, 3, 19), at(6, 4, 14, 59), at(6, 4, 15), at(6, 9, 9)):
        last = max((moment for moment in until.values() if moment > now), default=None)
        assert participants.returned(town.session, town.the_round, now=now) == (3, last)
    submission.submit(town.session, others[1].id, by=town.parent_of(others[1]), now=at(6, 3, 18))
    assert participants.returned(town.session, town.the_round, now=at(5, 30, 9)) == (2, at(6, 3, 18))
    submission.submit(town.session, others[0].id, by=town.parent_of(others[0]), now=at(6, 3, 18))
    assert participants.returned(town.session, town.the_round, now=at(5, 30, 9)) == (1, at(5, 31, 21))
    assert participants.returned(town.session, town.the_round, now=at(6, 1, 9)) == (1, None)
