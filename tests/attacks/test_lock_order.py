"""Lock order: acts that lock several rows lock them in one order, so that they never deadlock."""

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import edits, registration, sibling_binding, submission, units, wishes
from enrollment.applications.applications import Application
from enrollment.corrections import decisions
from enrollment.draw import snapshot
from enrollment.draw.seed import seeding
from enrollment.ground.errors import Stale
from enrollment.offers import withdrawals
from enrollment.places.programmes import Programme
from enrollment.review import duplicates
from tests.attacks.test_races import broken, refused
from tests.support.town_families import id_number

pytestmark = pytest.mark.long


@pytest.fixture
def twins(race, now):
    """Bound twins with two guardians; `of_twins` are their applications, the lower id first."""
    town = race.town(now)
    gardens = [town.kindergarten(name, places=2) for name in ("锦官园", "浣花园")]
    pair = sorted(town.twins("安安", "宁宁", wishes=gardens[:1]), key=lambda each: each.id)
    father = town.second_guardian(pair[0], "爸爸")
    town.second_guardian(pair[1], other=father)
    town.of_twins, town.mother, town.father = pair, town.parent_of(pair[0]), father.actor
    town.wanted = [town.programme_of(garden).id for garden in gardens]
    town.session.commit()
    return town


def deadlocks(said) -> int:
    return sum("deadlock" in str(fault) for fault in said if isinstance(fault, Exception))


def test_the_old_order_is_a_deadlock_which_this_race_sees(race, twins):
    """The former order (own child first, then the twin) deadlocks.  This shows that the tests below can fail."""
    town, (low, high) = twins, twins.of_twins

    def one_after_the_other(first, second, by):
        return lambda s: [edits.begin(s, each.id, by=by, now=town.now) for each in (first, second)]

    said = race.crossing(one_after_the_other(low, high, town.mother), one_after_the_other(high, low, town.father))
    assert deadlocks(said) == 1


def wish(town, application, by, order):
    wanted = [town.wanted[place] for place in order]
    round_id = town.the_round.id
    return lambda s: wishes.set_wishes(s, application.id, round_id, wanted, version=None, by=by, now=town.now)


def choose(town, application, by):
    said = {"bound_with": (), "elder_id": None, "version": None}
    return lambda s: sibling_binding.choose(s, application.id, by=by, now=town.now, **said)


ACTS = {
    "wishes": lambda town, one, by: wish(town, one, by, (1, 0)),
    "choose": lambda town, one, by: choose(town, one, by),
    "withdraw": lambda town, one, by: lambda s: submission.withdraw(s, one.id, by=by, now=town.now),
    "withdraw_consent": lambda town, one, by: lambda s: withdrawals.withdraw_consent(s, by=by, now=town.now),
}


@pytest.mark.parametrize(("mine", "yours"), [
    ("wishes", "wishes"), ("wishes", "choose"), ("choose", "withdraw"), ("withdraw", "withdraw"),
    ("choose", "withdraw_consent"),
])  # fmt: skip
def test_two_guardians_change_bound_twins_at_the_same_moment(race, twins, mine, yours):
    town, (low, high) = twins, twins.of_twins
    said = race.crossing(ACTS[mine](town, high, town.mother), ACTS[yours](town, low, town.father))
    assert broken(said) == []
    assert set(refused(said)) <= {"application_is_over", "changed_elsewhere"}
    with Session(race.engine) as session:
        of_units = session.execute(select(Application.unit, Application.stage)).all()
        together = [unit for unit, stage in of_units if unit is not None and stage != "withdrawn"]
        assert len(together) in (0, 2), "nobody is bound to a child that is gone"


def test_fam01_two_guardians_bind_at_once_with_different_lists_and_one_is_told(race, twins):
    """Each sees both lists on a phone of its own and chooses the other one: the second page is stale, nothing is lost."""
    town, (low, high) = twins, twins.of_twins
    sibling_binding.separate(town.session, low.id, by=town.mother, now=town.now)
    town.wish(high, *[town.session.get_one(Programme, each) for each in town.wanted])
    town.session.commit()
    seen = units.stamp([low, high])

    def bind(application, other, list_of, by):
        said = {"bound_with": [other.id], "list_of": list_of.id, "elder_id": None, "version": None, "seen": seen}
        return lambda s: sibling_binding.choose(s, application.id, by=by, now=town.now, **said)

    said = race.crossing(bind(low, high, low, town.mother), bind(high, low, high, town.father))
    assert sum(isinstance(each, Stale) for each in said) == 1
    assert sum(each is None for each in said) == 1
    with Session(race.engine) as session:
        lists = wishes.lists(session, list(session.scalars(select(Application))))
        assert len({str(each) for each in lists.values()}) == 1


def test_one_person_in_two_tabs_corrects_herself_and_enters_the_child_again(race, twins):
    town, (low, _) = twins, twins.of_twins
    child = low.child
    me = {"name": "新名字", "id_kind": "resident", "id_number": id_number(dt.date(1991, 1, 1))}
    it = {"name": child.name, "id_kind": "resident", "id_number": child.id_number, "relation": "mother"}
    said = race.crossing(
        lambda s: registration.save_guardian(s, by=town.mother, now=town.now, **me).version,
        lambda s: registration.enter_child(s, low.year, by=town.mother, now=town.now, **it).version,
        lambda s: registration.correct_child(s, low.id, by=town.mother, now=town.now, **it).version,
    )
    assert broken(said) == []


def test_a_seed_and_a_correction_of_the_list_take_turns(race, now):
    town = race.town(now)
    town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)])
    town.everyone_is_reviewed()
    town.freeze()
    first, second = town.city_pair()
    town.session.commit()
    town.witness()
    later = town.now
    town.declare_form()
    town.session.commit()
    said = race.crossing(
        lambda s: seeding.set_seed(s, 2026, by=first, now=later).seed,
        lambda s: snapshot.freeze(s, town.the_round.id, by=second, now=later, reason="核对").number,
    )
    assert broken(said) == []
    assert set(refused(said)) <= {"seed_before_commitment", "seed_parts_missing"}


def test_a_familys_locks_are_all_its_children_of_the_year_and_nobody_elses(race, twins):
    town, (low, high) = twins, twins.of_twins
    stranger = town.child("路人", submit=False)
    town.session.commit()
    with Session(race.engine) as holder, Session(race.engine) as other:
        units.lock_families(holder, [low.id])
        free = select(Application.id).with_for_update(skip_locked=True)
        assert other.scalars(free).all() == [stranger.id]
        assert high.id != stranger.id


def test_the_verdict_of_the_desk_and_of_a_correction_on_one_pair_take_turns(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=2)
    one, other = (town.child("安娜", wishes=[garden]) for _ in range(2))
    town.everyone_is_reviewed()
    (clerk, head), official = town.desk_pair(other), town.city_pair()[0]
    (pair,) = duplicates.open_pairs(town.session, by=clerk)
    hint_id, said = pair.hint.id, {"verdict": "same", "reason": "看过户口簿", "now": town.now}
    duplicates.judge(town.session, hint_id, by=clerk, **said)
    request = town.finds_error(other, "duplicate", by=official, other=one.registration_code)
    town.agrees(request, clerk)
    agreed = {"version": request.version, "reason": "x", "by": official, "now": town.now}
    request_id = request.id
    town.session.commit()
    outcome = race.crossing(
        lambda s: duplicates.judge(s, hint_id, by=head, **said).verdict,
        lambda s: decisions.agree(s, request_id, **agreed).state,
    )
    assert broken(outcome) == []
    assert refused(outcome) in (["decided_already"], ["correction_outdated"])
    with Session(race.engine) as session:
        stages = session.scalars(select(Application.stage).order_by(Application.stage)).all()
        assert stages == ["confirmed", "refused"]
