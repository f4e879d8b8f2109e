"""A returned application takes part in the draw as it is, so nothing that its family saves may leave it without a wish."""

import datetime as dt

import pytest

from enrollment.applications import registration, wishes
from enrollment.applications.application_rows import Stage
from enrollment.ground.errors import Refused
from enrollment.season import ages
from tests.support.prepared import prepared
from tests.support.town_families import id_number


@prepared
def returned(town):
    """A child with two wishes; the second kindergarten has the middle level too."""
    town.gardens = [town.kindergarten(name, places=2) for name in ("甲园", "乙园")]
    town.middle = town.programme(town.gardens[1], places=2, level="middle")
    town.round(levels=["lower", "middle"])
    town.ana = town.child("安娜", wishes=town.gardens)
    town.clerk_sends_back(town.ana, "born")
    town.the_round.closes_at = town.now + dt.timedelta(days=1)  # two officials set a later deadline: it is open again
    town.session.flush()
    return town


def wished(town) -> list:
    return [each.programme_id for each in wishes.of(town.session, town.ana.id, town.the_round.id)]


def correct(town, level: str = "middle", level_year: int = 2026):
    born = ages.born_between(level, level_year)[0] + dt.timedelta(days=40)
    return registration.correct_child(
        town.session,
        town.ana.id,
        name="安娜",
        id_kind="resident",
        id_number=id_number(born),
        relation="mother",
        by=town.parent_of(town.ana),
        now=town.now,
    )


def test_the_last_wish_of_a_returned_application_stays(returned):
    town = returned
    town.wish(town.ana, town.gardens[0])
    before = wished(town)
    with pytest.raises(Refused, match="one_wish_needed"):
        town.wish(town.ana)
    assert wished(town) == before != []


@pytest.mark.parametrize("late", [False, True], ids=["registration is open", "after the deadline"])
def test_a_birth_date_of_another_level_takes_the_wishes_along(returned, late):
    town = returned
    this_round = town.the_round
    if late:
        town.close_registration()
        town.round(kind="supplementary", levels=["middle"])
        town.the_round = this_round
    correct(town)
    assert (town.ana.level, town.ana.stage) == ("middle", Stage.RETURNED)
    assert wished(town) == [town.middle.id]
    town.submit(town.ana)
    assert town.ana.stage == Stage.SUBMITTED


def test_after_the_deadline_it_needs_no_later_registration(returned):
    """The child stays in its round, with its wishes, as when two people correct the date."""
    returned.close_registration()
    correct(returned)
    assert wished(returned) == [returned.middle.id]


def test_a_birth_date_that_would_leave_no_wish_is_not_saved(returned):
    town = returned
    town.wish(town.ana, town.gardens[0])
    before, number = wished(town), town.ana.child.id_number
    with pytest.raises(Refused) as refused, town.session.begin_nested():
        correct(town)
    assert (refused.value.code, refused.value.field) == ("level_without_wishes", "id_number")
    town.session.refresh(town.ana.child)
    assert (town.ana.level, wished(town), town.ana.child.id_number) == ("lower", before, number)
    town.close_registration()
    with pytest.raises(Refused, match="level_without_wishes"):
        correct(town)
