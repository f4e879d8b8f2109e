"""The places ledger: a clerk proposes, the area approves, and nothing falls below what families hold."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import ledger, programmes
from enrollment.places.ledger import LedgerEntry
from tests.support.prepared import prepared


@prepared
def plan(town):
    """A kindergarten with an approved plan of 25 places, its clerk and its area's official."""

    class ApprovedPlan:
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

    return ApprovedPlan()


def entries(session, programme):
    found = select(LedgerEntry).where(LedgerEntry.programme_id == programme.id).order_by(LedgerEntry.number)
    return [(e.field, e.before, e.after, e.account_id, e.reason) for e in session.scalars(found)]


def refusal(act, *args, **more):
    with pytest.raises(Refused) as refused:
        act(*args, **more)
    return refused.value.code


def test_a_proposal_changes_nothing_until_the_area_approves(plan):
    plan.propose()
    assert (plan.programme.places, plan.programme.state) == (25, "approved")
    plan.approve()
    assert plan.programme.places == 50


def test_each_change_is_in_the_ledger_with_reason_and_author(town, plan):
    before = len(entries(town.session, plan.programme))
    plan.propose(reason="新开一个小班")
    plan.approve()
    assert entries(town.session, plan.programme)[before:] == [
        ("planned_classes", "1", "2", plan.clerk.account_id, "新开一个小班"),
        ("staffed_classes", "1", "2", plan.clerk.account_id, "新开一个小班"),
        ("places", "25", "50", plan.clerk.account_id, "新开一个小班"),
    ]


def test_ledger_lines_are_only_ever_added(town, plan):
    with pytest.raises(IntegrityError, match="only ever added"), town.session.begin_nested():
        town.session.execute(text("UPDATE ledger_entry SET reason = 'x'"))


def test_the_newer_proposal_replaces_the_open_one(town, plan):
    first = plan.propose()
    second = plan.propose(withheld=5)
    assert (first.decision, second.decision) == ("replaced", None)
    assert plan.approve().places == 20


def test_a_plan_that_was_never_approved_waits_as_proposed_and_may_come_back(town, plan):
    middle = programmes.ensure(town.session, plan.kindergarten.id, "middle", 2026)
    ask = {"by": plan.clerk, "now": town.now, "reason": "中班计划", "planned_classes": 1, "staffed_classes": 1}
    ledger.propose(town.session, middle.id, **ask)
    assert middle.state == "proposed"
    proposal = ledger.send_back(town.session, middle.id, by=plan.official, now=town.now, remark="请先补教师名单")
    assert (middle.state, proposal.remark, middle.places) == ("draft", "请先补教师名单", 0)
    ledger.propose(town.session, middle.id, **ask)
    plan.approve()
    assert (middle.state, middle.places) == ("approved", 30)


def test_a_clerk_approves_nothing(plan):
    plan.propose()
    with pytest.raises(NotFound):
        plan.approve(by=plan.clerk)


def test_people_of_other_places_find_nothing(town, plan):
    elsewhere = town.kindergarten("别处", area="510105")
    for stranger in (town.clerk_of(elsewhere), town.area_official("510105")):
        with pytest.raises(NotFound):
            plan.propose(by=stranger)
        with pytest.raises(NotFound):
            plan.approve(by=stranger)


def test_the_city_may_approve_everywhere(town, plan):
    plan.propose()
    assert plan.approve(by=town.city_official()).places == 50


def test_the_area_proposes_and_approves_too(plan):
    plan.propose(by=plan.official, reason="减班", withheld=5)
    assert plan.approve().places == 20


def test_a_reason_is_needed(plan):
    assert refusal(plan.propose, reason="  ") == "reason_missing"


def test_a_number_never_falls_below_what_is_taken(town, plan):
    town.session.execute(text("UPDATE programme SET taken = 20 WHERE id = :id"), {"id": plan.programme.id})
    plan.propose(withheld=5)
    assert plan.approve().places == 20
    assert refusal(plan.propose, withheld=6) == "places_below_taken"


def test_what_was_proposed_in_time_is_refused_when_families_took_the_places_meanwhile(town, plan):
    plan.propose(withheld=5)
    town.session.execute(text("UPDATE programme SET taken = 24 WHERE id = :id"), {"id": plan.programme.id})
    assert refusal(plan.approve) == "places_below_taken"


def test_a_number_never_falls_below_its_pools(town, plan):
    town.pool(plan.kindergarten, "care", 10, ["policy_care"])
    assert refusal(plan.propose, withheld=16) == "places_below_pools"


def test_a_stale_page_changes_nothing(town, plan):
    seen = plan.programme.version
    town.pool(plan.kindergarten, "care", 1, ["policy_care"])
    with pytest.raises(Stale):
        plan.propose(version=seen, withheld=1)


def test_the_whole_plan_must_hold_with_what_is_proposed_beside_it(town, plan):
    plan.kindergarten.licensed_classes = 3
    middle = programmes.ensure(town.session, plan.kindergarten.id, "middle", 2026)
    ask = {"by": plan.clerk, "now": town.now, "reason": "中班计划", "planned_classes": 2, "staffed_classes": 2}
    ledger.propose(town.session, middle.id, **ask)
    assert refusal(plan.propose) == "more_classes_than_licensed"


def test_classes_move_between_levels_when_a_kindergarten_is_approved_whole(town, plan):
    plan.kindergarten.licensed_classes = 3
    middle = programmes.ensure(town.session, plan.kindergarten.id, "middle", 2026)
    numbers = {"planned_classes": 2, "staffed_classes": 2}
    town.plan(middle, **numbers)
    ask = {"by": plan.clerk, "now": town.now, "reason": "中班改小班"}
    ledger.propose(town.session, middle.id, **ask, planned_classes=1)
    plan.propose()
    assert ledger.approve_kindergarten(town.session, plan.kindergarten.id, 2026, by=plan.official, now=town.now) == 2
    assert (plan.programme.places, middle.places) == (50, 30)


def test_pools_are_in_the_ledger_and_keep_their_order(town, plan):
    town.pool(plan.kindergarten, "care", 10, ["policy_care"])
    town.pool(plan.kindergarten, "need", 2, ["special_need"])
    assert [(pool.code, pool.precedence) for pool in plan.programme.pools] == [("care", 0), ("need", 1)]
    assert ("pool:need", None, "2") in [entry[:3] for entry in entries(town.session, plan.programme)]
