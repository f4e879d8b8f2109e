"""Children without a place, and many people at once: one place, one officer, one answer."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw.central import central_list
from enrollment.draw.unserved import accepted_places, choices, explanations, officers
from enrollment.draw.unserved.rows import ChosenPlace, UnservedChild
from enrollment.ground.errors import Refused
from enrollment.maintenance import season_end
from enrollment.offers import withdrawals
from tests.attacks.test_roll_races import codes
from tests.support.town_season import at

pytestmark = pytest.mark.long
HOME = {"home_longitude": 104.10, "home_latitude": 30.60}


@pytest.fixture
def left(race, now):
    """Four children without a place who agreed, one free place next to them, three officials."""
    town = race.town(now)
    popular = town.kindergarten("金苹果", places=1, longitude=104.10, latitude=30.60)
    town.near = town.kindergarten("近园", places=1, longitude=104.11, latitude=30.60)
    town.kids = [town.child(name, wishes=[popular], **HOME) for name in ("安娜", "本本", "翠翠", "丹丹", "恩恩")]
    town.drawn(*town.kids)
    town.confirm(town.kids[0])
    town.kids = town.kids[1:]
    town.people = [town.area_official() for _number in range(3)]
    for child in town.kids:
        accepted_places.save(
            town.session, child.id, agrees=True, minutes=None, nature="any", by=town.people[0], now=town.now
        )
    town.session.commit()
    return town


def chooses(town, child, by):
    place = town.programme_of(town.near).id
    return lambda session: choices.choose(session, 2026, child.id, place, seen=None, by=by, now=town.now)


def test_one_place_is_chosen_for_one_child(race, left):
    town = left
    acts = [chooses(town, child, town.people[at_ % 3]) for at_, child in enumerate(town.kids)]
    said = race.at_once(*acts)
    assert codes(said) == ["no_place_here"] * 3
    with Session(race.engine) as session:
        assert len(session.scalars(select(ChosenPlace)).all()) == 1


def test_two_officials_act_on_one_child_from_the_same_page(race, left):
    town, child = left, left.kids[0]
    first, second, third = town.people

    def explains(by, code):
        return lambda session: (
            explanations.explain(session, 2026, child.id, code, seen=1, by=by, now=town.now).explanation
        )

    said = race.at_once(explains(first, "waits"), explains(second, "elsewhere"), explains(third, "next_year"))
    assert codes(said) == ["changed_elsewhere"] * 2
    with Session(race.engine) as session:
        assert session.get(UnservedChild, child.id).version == 2
    seen = {each.id: 2 if each.id == child.id else 1 for each in town.kids}

    def takes(by):
        return lambda session: officers.assign(session, 2026, seen, by.account_id, by=by, now=town.now)["moved"]

    assert sorted(race.at_once(*map(takes, town.people))) == [0, 0, 4], "one of them has all, nobody a part"


def test_a_family_withdraws_while_an_official_chooses_and_the_city_starts(race, left):
    town, child = left, left.kids[0]
    parent, city = town.parent_of(child), town.city_pair()[0]
    town.session.commit()

    def leaves(session):
        return withdrawals.withdraw(session, child.id, by=parent, now=town.now)

    def starts(session):
        return central_list.start(session, 2026, by=city, now=town.now).id

    said = race.at_once(chooses(town, child, town.people[0]), leaves, starts)
    assert set(codes(said)) <= {"child_left_the_list"} and not isinstance(said[2], Exception)
    with Session(race.engine) as session:
        assert child.id not in {each.application_id for each in choices.standing(session, 2026)}


def test_two_signatures_close_the_season_once(race, left):
    town = left
    seen = {each.id: 1 for each in town.kids}
    explanations.explain_many(town.session, 2026, seen, "waits", by=town.people[0], now=town.now)
    pair = town.city_pair()
    town.session.commit()

    def closes(by):
        return lambda session: season_end.close(session, 2026, by=by, now=at(9, 30)).closed_at is not None

    said = race.at_once(closes(pair[0]), closes(pair[1]), closes(pair[0]))
    closed = [each for each in said if each is True]
    assert len(closed) == 1 and not [
        each for each in said if isinstance(each, Exception) and not isinstance(each, Refused)
    ]
