"""A clerk, two tablets and a parent in the same second: what each was told holds, and nothing that was sent is lost."""

import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.lifecycle import MoveMade
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.errors import Refused
from enrollment.maintenance import invariants
from enrollment.offers import offers, withdrawals
from enrollment.offers.arrivals import taps
from enrollment.offers.arrivals.rows import ArrivalCheck, ArrivalTap, Check, TapAct
from enrollment.offers.arrivals.taps import Tap
from enrollment.offers.offers import Offer
from enrollment.places.programmes import Programme
from enrollment.places.roll_rows import RollChild, RollClass
from enrollment.review import review
from tests.support.town_season import at

pytestmark = pytest.mark.long


def broken(said) -> list:
    return [fault for fault in said if isinstance(fault, Exception) and not isinstance(fault, Refused)]


@pytest.fixture
def door(race, now):
    """Ana has a place and has confirmed it; it is the second day of arrival."""
    town = race.town(now)
    town.here = town.kindergarten("锦官新城幼儿园", places=1)
    town.ana = town.child("李沐晨", wishes=[town.here])
    town.drawn(town.ana)
    town.confirm(town.ana)
    town.at(at(8, 21, 10))
    town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
    town.offer_id = town.offer_for(town.ana).id
    town.session.commit()
    return town


def sends(town, by, *acts, room="小一班"):
    """A tablet sends its taps; it gets what was kept for later, and no tap is ever refused."""
    given = [Tap(uuid.uuid4(), TapAct(act), town.offer_id, class_name=room if act == "arrived" else "") for act in acts]
    return lambda s: [each.refusal for each in taps.take(s, given, town.here.id, 2026, by=by, now=town.now)]


@pytest.mark.parametrize("round_of", range(3))
def test_two_tablets_and_a_parent_who_gives_the_place_up(race, door, round_of):
    """Either the child has arrived and the parent was told that the place is taken up, or it is given up and nobody is on the roll."""
    town = door
    parent = town.parent_of(town.ana)
    said = race.at_once(
        sends(town, town.clerk, "health", "arrived"),
        sends(town, town.head, "vaccination", "pickup", "arrived"),
        lambda s: offers.decline(s, town.offer_id, by=parent, now=town.now).state,
    )
    assert broken(said) == [], said
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(ArrivalTap)) == 5, "each tap is there, once"
        state = session.scalar(select(Offer.state).where(Offer.id == town.offer_id))
        on_roll = session.scalar(select(func.count()).where(RollChild.left_on.is_(None)))
        taken = session.scalar(select(Programme.taken).where(Programme.kindergarten_id == town.here.id))
        gave_up = not isinstance(said[2], Refused)
        if gave_up:
            assert (state, on_roll, taken) == ("declined", 0, 0)
            kept = session.scalars(select(ArrivalTap.refusal).where(ArrivalTap.act == "arrived")).all()
            assert all(kept), "an arrival that could not take effect waits to be matched, with its reason"
        else:
            assert (state, on_roll, taken) == ("arrived", 1, 1)
            check = session.get_one(ArrivalCheck, town.offer_id)
            assert all(getattr(check, f"{each}_on") for each in Check), "the ticks of both tablets stand"
        assert list(invariants.find_violations(session)) == []


def test_two_tablets_that_send_the_same_children_in_another_order(race, now):
    """Twenty taps each, from the first child to the last and from the last to the first: none waits for the other forever."""
    town = race.town(now)
    here = town.kindergarten("锦官新城幼儿园", places=4)
    children = [town.child(name, wishes=[here]) for name in ("甲一", "乙一", "丙一", "丁一")]
    town.drawn(*children)
    for each in children:
        town.confirm(each)
    town.at(at(8, 21, 10))
    people = [town.clerk_of(here), town.head_of(here)]
    offers_here = [town.offer_for(each).id for each in children]
    town.session.commit()

    def sends_all(by, order):
        acts = [TapAct(each) for each in ("health", "vaccination", "pickup", "arrived")]
        given = [
            Tap(uuid.uuid4(), act, offer, class_name="小一班" if act == TapAct.ARRIVED else "")
            for offer in order
            for act in acts
        ]
        return lambda s: [each.refusal for each in taps.take(s, given, here.id, 2026, by=by, now=town.now)]

    said = race.at_once(sends_all(people[0], offers_here), sends_all(people[1], offers_here[::-1]))
    assert broken(said) == [], said
    assert [refusal for each in said for refusal in each if refusal] == []
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(ArrivalTap)) == 2 * 4 * 4
        assert session.scalar(select(func.count()).where(RollChild.left_on.is_(None))) == 4
        assert list(invariants.find_violations(session)) == []


@pytest.fixture
def small_classes(race, now):
    """Four children are expected; two classes of at most two children are planned, and none is opened yet."""
    town = race.town(now)
    here = town.here = town.kindergarten("锦官新城幼儿园", places=4)
    town.plan(town.programme_of(here), planned_classes=2, staffed_classes=2, class_norm=2, withheld=0)
    town.open_registration()
    children = [town.child(name, wishes=[here]) for name in ("甲一", "乙一", "丙一", "丁一")]
    town.drawn(*children)
    for each in children:
        town.confirm(each)
    town.at(at(8, 21, 10))
    town.offers_here = [town.offer_for(each).id for each in children]
    town.clerks = [town.clerk_of(here) for _ in range(3)]
    town.session.commit()
    return town


def arrive(town, by, *where):
    """A tablet sends the arrivals of these children, by their numbers, into these classes."""
    given = [Tap(uuid.uuid4(), TapAct.ARRIVED, town.offers_here[n], class_name=room) for n, room in where]
    return lambda s: [each.refusal for each in taps.take(s, given, town.here.id, 2026, by=by, now=town.now)]


@pytest.mark.parametrize("opened", [True, False])
def test_the_last_places_of_a_class_are_given_once(race, small_classes, opened):
    """Above the norm the head decides: also of tablets in the same second one child too many is kept for the head."""
    town = small_classes
    waiting = [0, 1, 2]
    if opened:
        assert arrive(town, town.clerks[0], (waiting.pop(), "小一班"))(town.session) == [None]
        town.session.commit()
    said = race.crossing(*[arrive(town, by, (n, "小一班")) for n, by in zip(waiting, town.clerks, strict=False)])
    assert broken(said) == [], said
    assert sorted(str(refusal) for each in said for refusal in each) == ["None"] * (len(waiting) - 1) + [
        "class_is_full"
    ]
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).where(RollChild.left_on.is_(None))) == 2


def test_two_tablets_whose_children_go_into_the_same_classes_in_another_order(race, small_classes):
    town = small_classes
    for each in ("小一班", "小二班"):
        town.session.add(
            RollClass(
                kindergarten_id=town.here.id, school_year=2026, level="lower", name=each, kept_as="rows",
                as_of=town.now.date(),
            )
        )  # fmt: skip
    town.session.commit()
    one = arrive(town, town.clerks[0], (0, "小一班"), (1, "小二班"))
    other = arrive(town, town.clerks[1], (2, "小二班"), (3, "小一班"))
    said = race.crossing(one, other)
    assert broken(said) == [], said
    assert said == [[None, None], [None, None]]


def test_a_clerk_who_confirms_and_a_parent_who_withdraws(race, now):
    """Whoever comes second acts on what the first has done, or is told; no finding stands without its move."""
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=1)
    children = [town.child(name, wishes=[garden]) for name in ("安娜", "贝贝", "翠翠")]
    town.registration_is_over()
    clerks = [town.clerk_of(garden) for _ in children]
    for child, clerk in zip(children, clerks, strict=True):
        town.clerk_takes(child, by=clerk)
    found = {
        each.id: [review.Finding(fact, value) for fact, value in claimed_facts(town.session, each.id).items()]
        for each in children
    }
    parents = [town.parent_of(each) for each in children]
    town.session.commit()
    acts = []
    for child, clerk, parent in zip(children, clerks, parents, strict=True):
        acts.append(lambda s, c=child, by=clerk: review.confirm(s, c.id, facts=found[c.id], by=by, now=town.now))
        acts.append(lambda s, c=child, by=parent: withdrawals.withdraw(s, c.id, by=by, now=town.now))
    said = race.at_once(*acts)
    assert broken(said) == [], said
    with Session(race.engine) as session:
        for number, child in enumerate(children):
            confirmed, withdrawn = (not isinstance(each, Refused) for each in said[2 * number : 2 * number + 2])
            stage = session.get_one(Application, child.id).stage
            moves = session.scalars(select(MoveMade.move).where(MoveMade.application_id == child.id)).all()
            assert (stage == "withdrawn") == withdrawn and ("confirm" in moves) == confirmed, (stage, moves)
            verified = session.scalar(select(func.count()).where(VerifiedFact.application_id == child.id))
            assert (verified == len(found[child.id])) if confirmed else verified == 0
        assert list(invariants.find_violations(session)) == []
