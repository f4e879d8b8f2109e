"""A correction that is not decided in time goes to the next office, once, and the family hears who decides now."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.corrections import decisions, escalation, request_list
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.places.areas import Area
from enrollment.reports import case_desk
from enrollment.reports.case_desk import Clock
from enrollment.review.correction_rows import CorrectionState
from enrollment.season import policy_approval
from tests.support.prepared import prepared

MINUTE = dt.timedelta(minutes=1)


@prepared
def asked(town):
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安那", wishes=[town.garden])
    town.registration_is_over()
    text = policy_approval.template("whole_district", "510104", town.ana.year)
    town.policy(text=text + "\n[corrections]\ndays = 4\n")
    town.request = town.requests_correction(town.ana, "name", name="安娜")
    town.clerk, town.official = town.clerk_of(town.garden), town.area_official()
    return town


def told(town, kind):
    return town.session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == kind))


def numbers_of(town):
    """Undecided, and past half of their time."""
    return tuple(town.session.execute(request_list.numbers_query(by=town.clerk, now=town.now)).one())


def listed(town, by, show="half"):
    return [each.request.id for each in request_list.listing(town.session, show=show, by=by, now=town.now)]


def test_at_half_of_the_policys_time_the_request_stands_out_at_its_desk(asked):
    town = asked
    assert town.request.due_at == town.request.requested_at + dt.timedelta(days=4)
    town.at(town.request.requested_at + dt.timedelta(days=2) - MINUTE)
    assert numbers_of(town) == (1, 0)
    town.at(town.now + MINUTE)
    assert numbers_of(town) == (1, 1)
    assert listed(town, town.clerk) == [town.request.id]


def test_at_its_end_the_area_decides_and_the_family_is_told_once(asked):
    town = asked
    version = town.request.version
    decisions.agree(town.session, town.request.id, version=version, reason="对", by=town.clerk, now=town.now)
    town.at(town.request.due_at)
    assert escalation.hand_on_overdue(town.session, now=town.now) == 0
    town.at(town.now + MINUTE)
    assert [escalation.hand_on_overdue(town.session, now=town.now) for _run in range(3)] == [1, 0, 0]
    assert (told(town, "correction_late"), told(town, "correction_late_city")) == (1, 0)
    (line,) = case_desk.listing(town.session, by=town.official, now=town.now, kind="correction").rows
    assert (line.id, line.clock, line.state) == (town.request.id, Clock.LATE, CorrectionState.SIGNED)
    assert line.owner == town.session.get_one(Area, town.request.area_code).name
    second = town.head_of(town.garden)
    with pytest.raises(Refused) as refused:
        decisions.agree(
            town.session, town.request.id, version=town.request.version, reason="对", by=second, now=town.now
        )
    assert refused.value.code == "correction_handed_on", "the kindergarten reads it and decides no more"
    elsewhere = town.clerk_of(town.kindergarten("别处", places=1))
    with pytest.raises(NotFound):
        decisions.find(town.session, town.request.id, by=elsewhere)
    decided = decisions.agree(
        town.session, town.request.id, version=town.request.version, reason="对", by=town.official, now=town.now
    )
    assert (decided.state, town.ana.child.name) == (CorrectionState.APPLIED, "安娜"), "the first signature stayed"


def test_what_an_area_leaves_undecided_goes_to_the_city_and_a_held_one_waits(asked):
    town = asked
    town.request.kindergarten_id = None
    town.ana.on_hold = True
    town.at(town.request.due_at + MINUTE)
    assert escalation.hand_on_overdue(town.session, now=town.now) == 0, "nobody could decide"
    town.ana.on_hold = False
    assert escalation.hand_on_overdue(town.session, now=town.now) == 1
    assert (town.request.kindergarten_id, town.request.area_code) == (None, None)
    assert told(town, "correction_late_city") == 1
