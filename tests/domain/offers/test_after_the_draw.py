"""After the draw: free places near home, the officer of a family, appeals and requests for another kindergarten."""

import pytest
from sqlalchemy import select

from enrollment.draw.unserved import officers
from enrollment.draw.vacancies import near_home
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.offers import family_requests
from enrollment.review import case_withdrawals, cases
from tests.support.prepared import prepared


@prepared
def drawn(town):
    """Ana has the only place of the first kindergarten; Ben waits and has two free places near home, one full, one private."""
    point = {"longitude": 104.08, "latitude": 30.64}
    full = town.kindergarten("满园", places=1, **point)
    town.near = town.kindergarten("近园", places=2, longitude=104.083, latitude=30.641)
    town.far = town.kindergarten("远园", places=2, longitude=104.2, latitude=30.6)
    town.kindergarten("私园", places=9, nature="private", **point)
    town.open_registration()
    town.ana = town.child("安娜", wishes=[full])
    town.ben = town.child("本本", wishes=[full], home_longitude=104.081, home_latitude=30.641)
    town.drawn(town.ana, town.ben)
    return town


def test_free_places_are_told_nearest_first_from_the_familys_home(drawn):
    found = near_home.near_home(drawn.session, drawn.ben, round_id=None, now=drawn.now)
    assert [each.kindergarten.name for each in found.items] == ["近园", "远园"]
    first = found.items[0]
    assert first.free == 2 and 150 < first.metres < 250 and first.minutes <= 5 and found.counted_at == drawn.now
    without_point = near_home.near_home(drawn.session, drawn.ana, round_id=None, now=drawn.now)
    assert all(each.measured_from for each in without_point.items), "from the point of its street"
    assert near_home.near_home(drawn.session, drawn.ben, round_id=drawn.the_round.id, now=drawn.now).items


def test_the_officer_is_one_of_the_area_and_stays_the_same(drawn):
    of_city = officers.officer_of(drawn.session, drawn.ben.id, "510104")
    assert of_city is not None
    for number in range(2):
        drawn.account_of_staff(f"area{number}", f"何老师{number}", "area_official", area_code="510104")
    found = {officers.officer_of(drawn.session, drawn.ben.id, "510104").name for _ in range(3)}
    assert len(found) == 1 and found < {"何老师0", "何老师1"}
    assert officers.officer_of(drawn.session, drawn.ben.id, None) is not None


def test_an_appeal_has_an_officer_a_date_and_a_message_and_is_answered(drawn):
    parent = drawn.parent_of(drawn.ben)
    with pytest.raises(Refused, match="text_missing"):
        family_requests.ask(drawn.session, drawn.ben.id, "appeal", text=" ", by=parent, now=drawn.now)
    case = family_requests.ask(drawn.session, drawn.ben.id, "appeal", text="请核实。", by=parent, now=drawn.now)
    again = family_requests.ask(drawn.session, drawn.ben.id, "appeal", text="还有", by=parent, now=drawn.now)
    assert again.id == case.id and case.officer_id and (case.due_at - drawn.now).days in (10, 11, 12)
    with pytest.raises(NotFound):
        family_requests.ask(
            drawn.session, drawn.ben.id, "appeal", text="x", by=drawn.parent_of(drawn.ana), now=drawn.now
        )
    assert not drawn.ben.on_hold
    official = drawn.city_pair()[0]
    said = {"outcome": "rejected", "reason": "核对无误", "by": official, "now": drawn.now}
    with pytest.raises(Refused, match="answer_to_family_missing"):
        cases.settle(drawn.session, case.id, **said)
    cases.settle(drawn.session, case.id, answer="派位号在录取线以后。", **said)
    told = drawn.session.scalars(select(Notice.kind).where(Notice.account_id == parent.account_id)).all()
    assert {"case_opened", "request_rejected"} <= set(told) and "dispute_ended" not in told


def test_a_move_needs_a_place_and_can_be_taken_back(drawn):
    with pytest.raises(Refused, match="no_place_to_change"):
        family_requests.ask(
            drawn.session, drawn.ben.id, "transfer", text="近一点", by=drawn.parent_of(drawn.ben), now=drawn.now
        )
    drawn.confirm(drawn.ana)
    parent = drawn.parent_of(drawn.ana)
    case = family_requests.ask(drawn.session, drawn.ana.id, "transfer", text="搬家了", by=parent, now=drawn.now)
    assert drawn.offer_for(drawn.ana).state == "confirmed"
    case_withdrawals.take_back(drawn.session, case.id, reason="不转了", by=parent, now=drawn.now)
    assert family_requests.open_request(drawn.session, drawn.ana.id, "transfer", by=parent) is None
