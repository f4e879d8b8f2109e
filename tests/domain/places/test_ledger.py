"""The places ledger: a clerk proposes, the area approves, and nothing falls below what families hold."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import ledger, programmes
from enrollment.places.ledger import LedgerEntry


@pytest.fixture
def told(town):
    """A kindergarten with an approved plan of 25 places, its clerk and its area's official."""

    class Told:
        kindergarten = town.kindergarten("金苹果", places=25)
        programme = town.programme_of(kindergarten)
        clerk = town.clerk_of(kindergarten)
        official = town.area_official("510104")

        def propose(self, by=None, reason="新开一个小班", **numbers):
            numbers = numbers or {"planned_classes": 2, "staffed_classes": 2}
            return ledger.propose(
                town.session, self.programme.id, by=by or self.clerk, now=town.now, reason=reason, **numbers
            )

        def approve(self, by=None):
            ledger.approve_kindergarten(town.session, self.kindergarten.id, 2026, by=by or self.official, now=town.now)
            return self.programme

    return Told()


def entries(session, programme):
    found = select(LedgerEntry).where(LedgerEntry.programme_id == programme.id).order_by(LedgerEntry.number)
    return [(e.field, e.before, e.after, e.account_id, e.reason) for e in session.scalars(found)]


def refusal(act, *args, **more):
    with pytest.raises(Refused) as refused:
        act(*args, **more)
    return refused.value.code


def test_a_proposal_changes_nothing_until_the_area_approves(told):
    told.propose()
    assert (told.programme.places, told.programme.state) == (25, "approved")
    told.approve()
    assert told.programme.places == 50


def test_each_change_is_in_the_ledger_with_reason_and_author(town, told):
    before = len(entries(town.session, told.programme))
    told.propose(reason="新开一个小班")
    told.approve()
    assert entries(town.session, told.programme)[before:] == [
        ("planned_classes", "1", "2", told.clerk.account_id, "新开一个小班"),
        ("staffed_classes", "1", "2", told.clerk.account_id, "新开一个小班"),
        ("places", "25", "50", told.clerk.account_id, "新开一个小班"),
    ]


def test_ledger_lines_are_only_ever_added(town, told):
    with pytest.raises(IntegrityError, match="only ever added"), town.session.begin_nested():
        town.session.execute(text("UPDATE ledger_entry SET reason = 'x'"))


def test_the_newer_proposal_replaces_the_open_one(town, told):
    first = told.propose()
    second = told.propose(withheld=5)
    assert (first.decision, second.decision) == ("replaced", None)
    assert told.approve().places == 20


def test_a_plan_that_was_never_approved_waits_as_proposed_and_may_come_back(town, told):
    middle = programmes.ensure(town.session, told.kindergarten.id, "middle", 2026)
    ask = {"by": told.clerk, "now": town.now, "reason": "中班计划", "planned_classes": 1, "staffed_classes": 1}
    ledger.propose(town.session, middle.id, **ask)
    assert middle.state == "proposed"
    proposal = ledger.send_back(town.session, middle.id, by=told.official, now=town.now, remark="请先补教师名单")
    assert (middle.state, proposal.remark, middle.places) == ("draft", "请先补教师名单", 0)
    ledger.propose(town.session, middle.id, **ask)
    told.approve()
    assert (middle.state, middle.places) == ("approved", 30)


def test_a_clerk_approves_nothing(told):
    told.propose()
    with pytest.raises(NotFound):
        told.approve(by=told.clerk)


def test_people_of_other_places_find_nothing(town, told):
    elsewhere = town.kindergarten("别处", area="510105")
    for stranger in (town.clerk_of(elsewhere), town.area_official("510105")):
        with pytest.raises(NotFound):
            told.propose(by=stranger)
        with pytest.raises(NotFound):
            told.approve(by=stranger)


def test_the_city_may_approve_everywhere(town, told):
    told.propose()
    assert told.approve(by=town.city_official()).places == 50


def test_the_area_proposes_and_approves_too(told):
    told.propose(by=told.official, reason="减班", withheld=5)
    assert told.approve().places == 20


def test_a_reason_is_needed(told):
    assert refusal(told.propose, reason="  ") == "reason_missing"


def test_a_number_never_falls_below_what_is_taken(town, told):
    town.session.execute(text("UPDATE programme SET taken = 20 WHERE id = :id"), {"id": told.programme.id})
    told.propose(withheld=5)
    assert told.approve().places == 20
    assert refusal(told.propose, withheld=6) == "places_below_taken"


def test_what_was_proposed_in_time_is_refused_when_families_took_the_places_meanwhile(town, told):
    told.propose(withheld=5)
    town.session.execute(text("UPDATE programme SET taken = 24 WHERE id = :id"), {"id": told.programme.id})
    assert refusal(told.approve) == "places_below_taken"


def test_a_number_never_falls_below_its_pools(town, told):
    town.pool(told.kindergarten, "care", 10, ["policy_care"])
    assert refusal(told.propose, withheld=16) == "places_below_pools"


def test_a_stale_page_changes_nothing(town, told):
    seen = told.programme.version
    town.pool(told.kindergarten, "care", 1, ["policy_care"])
    with pytest.raises(Stale):
        told.propose(version=seen, withheld=1)


def test_the_whole_plan_must_hold_with_what_is_proposed_beside_it(town, told):
    told.kindergarten.licensed_classes = 3
    middle = programmes.ensure(town.session, told.kindergarten.id, "middle", 2026)
    ask = {"by": told.clerk, "now": town.now, "reason": "中班计划", "planned_classes": 2, "staffed_classes": 2}
    ledger.propose(town.session, middle.id, **ask)
    assert refusal(told.propose) == "more_classes_than_licensed"


def test_classes_move_between_levels_when_a_kindergarten_is_approved_whole(town, told):
    told.kindergarten.licensed_classes = 3
    middle = programmes.ensure(town.session, told.kindergarten.id, "middle", 2026)
    numbers = {"planned_classes": 2, "staffed_classes": 2}
    town.plan(middle, **numbers)
    ask = {"by": told.clerk, "now": town.now, "reason": "中班改小班"}
    ledger.propose(town.session, middle.id, **ask, planned_classes=1)
    told.propose()
    assert ledger.approve_kindergarten(town.session, told.kindergarten.id, 2026, by=told.official, now=town.now) == 2
    assert (told.programme.places, middle.places) == (50, 30)


def test_pools_are_in_the_ledger_and_keep_their_order(town, told):
    town.pool(told.kindergarten, "care", 10, ["policy_care"])
    town.pool(told.kindergarten, "need", 2, ["special_need"])
    assert [(pool.code, pool.precedence) for pool in told.programme.pools] == [("care", 0), ("need", 1)]
    assert ("pool:need", None, "2") in [entry[:3] for entry in entries(town.session, told.programme)]
