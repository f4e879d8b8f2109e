"""A draft gives nothing up, also one that was handed in, withdrawn and begun again before the deadline."""

import pytest

from enrollment.applications import account_closing
from enrollment.ground.accounts import Account
from enrollment.offers import joint_decisions, withdrawals
from enrollment.offers.withdrawals import Effect


@pytest.fixture
def ana(town):
    """Handed in, withdrawn and taken up again; then the deadline passes."""
    child = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.withdraw(child)
    town.apply_again(child)
    assert (child.stage, child.registration_code is None) == ("draft", False)
    return child


def test_the_account_can_be_closed_after_the_deadline(town, ana):
    town.close_registration()
    mother = town.parent_of(ana)
    account_closing.close(town.session, by=mother, now=town.now)
    town.session.refresh(ana)
    assert ana.stage == "withdrawn"
    assert town.session.get_one(Account, mother.account_id).disabled_at == town.now


def test_one_of_two_guardians_withdraws_it_alone(town, ana):
    town.second_guardian(ana)
    mother = town.parent_of(ana)
    town.close_registration()
    told = withdrawals.consequence(town.session, ana, by=mother, now=town.now)
    assert (told.effect, told.waits_until) == (Effect.UNDOABLE, None)
    withdrawals.withdraw(town.session, ana.id, seen=told.stamp, by=mother, now=town.now)
    town.session.refresh(ana)
    assert ana.stage == "withdrawn" and joint_decisions.waiting_for(town.session, ana.id) is None
