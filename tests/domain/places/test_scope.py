"""Whose places an actor works with: the machine's commands see all of them, a visitor whom nobody knows sees none."""

import pytest

from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.errors import NotFound
from enrollment.places import ledger, scope


def test_a_visitor_without_an_account_is_not_taken_for_the_system(town):
    garden = town.kindergarten("金苹果", places=3)
    visitor = Actor(account_id=None, name="")
    assert scope.kindergarten_in_scope(town.session, garden.id, by=SYSTEM) is garden
    assert scope.may_decide(SYSTEM, garden)
    with pytest.raises(NotFound):
        scope.kindergarten_in_scope(town.session, garden.id, by=visitor)
    assert not scope.may_decide(visitor, garden)
    with pytest.raises(NotFound):
        ledger.propose(
            town.session, town.programme_of(garden).id, by=visitor, now=town.now, reason="班额计划", withheld=1
        )
