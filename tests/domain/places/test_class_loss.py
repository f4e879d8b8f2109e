"""A season in which a kindergarten loses a class in July, and every placed child keeps its place."""

import datetime as dt

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from enrollment.ground.errors import NotFound, Refused
from enrollment.maintenance import invariants
from enrollment.offers.arrivals import arrival
from enrollment.offers.offers import LIVE, Offer
from enrollment.places import ledger, place_plans, plan_decisions
from enrollment.places.ledger import LedgerEntry
from enrollment.places.plans import class_loss
from enrollment.places.plans.class_loss import ClassLoss
from enrollment.places.programmes import Programme
from tests.support.prepared import prepared
from tests.support.town_season import at

CHILDREN, PLACES, KEPT = 8, 50, 25


@prepared
def crowded(town):
    """金苹果 gave all the places of its class, to 25 families that applied, were drawn and confirmed."""
    town.jinpingguo = town.kindergarten("金苹果", places=KEPT)
    names = [f"{first}{second}" for first in "安本陈丁方" for second in "一二三四五"]
    town.children = [town.child(name, wishes=[town.jinpingguo]) for name in names]
    town.drawn()
    for child in town.children:
        town.confirm(child)
    town.at(at(7, 10))
    return town


@prepared
def full(town):
    """Eight families hold a place of 50."""
    town.jinpingguo = town.kindergarten("金苹果", places=PLACES)
    town.children = [town.child(f"安{'一二三四五六七八'[n]}", wishes=[town.jinpingguo]) for n in range(CHILDREN)]
    town.drawn()
    for child in town.children:
        town.confirm(child)
    town.at(at(7, 10))
    return town


def report(town, classes=1, solution="another_room", by=None):
    return class_loss.report(
        town.session, town.jinpingguo.id, "lower", 2026, classes=classes, from_day=dt.date(2026, 9, 1),
        reason="一间教室查出安全问题", solution=solution, by=by or town.head_of(town.jinpingguo), now=town.now,
    )  # fmt: skip


def test_what_a_loss_means_is_told_before_it_is_reported(full):
    """50 taken, 25 places left: 25 children would stay above the classes, 50 in the class that remains."""
    town = full
    town.session.execute(text("UPDATE programme SET taken = 50"))
    town.session.expire_all()
    after = class_loss.consequences(town.programme_of(town.jinpingguo), 1)
    assert (after.places, after.kept, after.each) == (25, 25, 50)
    with pytest.raises(Refused, match="class_loss_above_cap"):
        report(town, solution="above_norm")


def test_a_class_is_lost_in_july_and_25_children_keep_their_places_and_arrive(crowded):
    """With two names and a last day; who leaves meanwhile leaves no place behind, and all others come in August."""
    town = crowded
    programme = town.programme_of(town.jinpingguo)
    loss = report(town)
    assert programme.places == KEPT, "a report changes nothing for a family"
    official = town.area_official()
    class_loss.sign(town.session, loss.id, until_day=dt.date(2027, 8, 31), by=official, now=town.now)
    assert (programme.places, programme.taken, programme.overhang, loss.kept) == (0, KEPT, KEPT, KEPT)
    live = town.session.scalars(select(Offer).where(Offer.state.in_(LIVE))).all()
    assert len(live) == KEPT, "no offer was touched"
    fields = town.session.scalars(select(LedgerEntry.field).where(LedgerEntry.reason == "一间教室查出安全问题")).all()
    assert sorted(fields) == ["overhang", "places", "planned_classes", "staffed_classes"]
    # nobody new gets one of the kept places: not while all are there, nor after some have left
    assert programme.places_for(0) == 0
    for child in town.children[:2]:
        town.decline(child)
    town.session.expire_all()
    kept = town.session.get_one(Programme, programme.id)
    assert (kept.taken, kept.places_for(0), kept.free) == (KEPT - 2, 0, 0)
    town.at(at(8, 25))
    head = town.head_of(town.jinpingguo)
    for child in town.children[2:]:
        seen = {"health": True, "vaccination": True, "class_name": "小一班"}
        arrival.arrive(town.session, town.offer_for(child).id, by=head, now=town.now, **seen)
    assert town.session.scalar(select(func.count()).where(Offer.state == "arrived")) == KEPT - 2
    assert list(invariants.find_violations(town.session)) == []


def test_the_placed_children_arrive_in_august_as_if_nothing_had_happened(full):
    town = full
    programme = town.programme_of(town.jinpingguo)
    loss = report(town, classes=2, solution="other_level")
    class_loss.sign(town.session, loss.id, until_day=dt.date(2027, 8, 31), by=town.area_official(), now=town.now)
    assert (programme.places, programme.overhang) == (0, CHILDREN)
    town.at(at(8, 25))
    head = town.head_of(town.jinpingguo)
    for child in town.children:
        seen = {"health": True, "vaccination": True, "class_name": "小一班"}
        arrival.arrive(town.session, town.offer_for(child).id, by=head, now=town.now, **seen)
    assert programme.taken == CHILDREN
    assert list(invariants.find_violations(town.session)) == []


def test_a_loss_has_two_names_one_case_and_an_end(full):
    town = full
    head, official = town.head_of(town.jinpingguo), town.area_official()
    loss = report(town, by=head)
    with pytest.raises(Refused, match="class_loss_open"):
        report(town)
    with pytest.raises(NotFound):
        class_loss.sign(town.session, loss.id, until_day=dt.date(2027, 8, 31), by=head, now=town.now)
    for day in (None, dt.date(2028, 1, 1)):
        with pytest.raises(Refused, match="class_loss_until"):
            class_loss.sign(town.session, loss.id, until_day=day, by=official, now=town.now)
    class_loss.send_back(town.session, loss.id, remark="请先找教室", by=official, now=town.now)
    own = report(town, by=official)
    with pytest.raises(Refused, match="second_person_needed"):
        class_loss.sign(town.session, own.id, until_day=dt.date(2027, 8, 31), by=official, now=town.now)
    with pytest.raises(IntegrityError, match="second_person"), town.session.begin_nested():
        town.session.execute(
            text(
                "UPDATE class_loss SET state = 'refused', decided_by = made_by, decided_at = now() WHERE state = 'open'"
            )
        )
    assert town.session.get(ClassLoss, own.id).state == "open"


@pytest.mark.parametrize("whole_area", [True, False])
def test_an_older_plan_does_not_give_the_lost_class_back(full, whole_area):
    """A proposal of June waits; in July the area signs the loss, and then approves all plans that wait."""
    town = full
    here, head, official = town.jinpingguo, town.head_of(town.jinpingguo), town.area_official()
    programme = town.programme_of(here)
    asked = ledger.propose(
        town.session, programme.id, by=head, now=town.now, reason="两个班", planned_classes=2, staffed_classes=2
    )
    class_loss.sign(town.session, report(town).id, until_day=dt.date(2027, 8, 31), by=official, now=town.now)
    if whole_area:
        act = {"by": official, "now": town.now}
        plan_decisions.approve_area(town.session, here.area_code, 2026, seen=[asked.id], **act)
    else:
        ledger.approve_kindergarten(town.session, here.id, 2026, by=official, now=town.now)
    assert (programme.planned_classes, programme.staffed_classes, programme.places) == (1, 1, 25)
    line = place_plans.place_plan(town.session, here.id, 2026, by=head, now=town.now).line("lower")
    assert (asked.decision, line.proposal, line.set_aside) == ("replaced", None, asked)


def test_a_few_children_fit_the_other_classes_within_the_cap(full):
    """8 children in 2 classes: one lost class leaves 8 of 25, above nothing."""
    town = full
    loss = report(town, solution="above_norm")
    class_loss.sign(town.session, loss.id, until_day=dt.date(2027, 8, 31), by=town.area_official(), now=town.now)
    assert (loss.kept, town.programme_of(town.jinpingguo).places) == (0, 25)
