"""FAM kinds: each act of each person on an offer and an application in each state, in time, late, twice, at once and from a stale page."""

import pytest

from enrollment.applications.application_rows import STAGES
from enrollment.applications.lifecycle import MOVES
from enrollment.ground.accounts import Role
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import STATES, OfferState
from tests.domain.every_act import at_once
from tests.domain.every_act.decision_tables import (
    ALONE_ACTS,
    APPLICATION_ACTS,
    OF_A_SINGLE_GUARDIAN,
    OF_APPLICATIONS,
    OF_OFFERS,
    OFFER_ACTS,
    OFFER_STATES,
    OTHERS,
    lines_of,
)
from tests.domain.every_act.family_in_state import (
    bring_application_to,
    bring_offer_to,
    drawn_families,
    families,
    guardians_of,
)
from tests.domain.every_act.page import PAGE, drawn
from tests.domain.every_act.walk import (
    act_on_application,
    act_on_offer,
    messages,
    moments_of_application,
    moments_of_offer,
    outcome,
    standing,
    walk,
    walk_application_pairs,
    walk_pairs,
)
from tests.support.prepared import prepared


@prepared
def two_guardians(town):
    families(town)
    return town


@prepared
def two_after_the_draw(town):
    return drawn_families(town)


@prepared
def one_after_the_draw(town):
    return drawn_families(town, alone=True)


BY_OFFICES = {
    OfferState.OFFERED: (("review_confirmed", "kindergarten"), ("result_published", "city_office")),
    OfferState.ARRIVED: (("marked_arrived", "kindergarten"),),
    OfferState.NO_SHOW: (("marked_no_show", "kindergarten"),),
    OfferState.EXPIRED: (("offer_expired", "system"),),
    OfferState.SUPERSEDED: (("moved_up", "city_office"),),
    OfferState.REVOKED: (("offer_revoked", "city_office"),),
}
"""What led to a state, as every guardian is told, with who decided."""


@pytest.mark.parametrize("state", OFFER_STATES)
def test_fam09_acts_of_two_guardians_on_an_offer(two_after_the_draw, state):
    town = two_after_the_draw
    bring_offer_to(town, state)
    for kind, who in BY_OFFICES.get(state, ()):
        told = {row.account_id: row.params["who"] for row in messages(town).values() if row.kind == kind}
        assert told == {each.account_id: who for each in guardians_of(town)}, kind
    walk(town, OF_OFFERS, state, act_on_offer, OFFER_ACTS, moments_of_offer(town), ("mother", "father"))


@pytest.mark.parametrize("state", [each for each in OFFER_STATES if at_once.firsts(each)])
def test_two_guardians_act_on_an_offer_in_the_same_second(two_after_the_draw, state):
    bring_offer_to(two_after_the_draw, state)
    walk_pairs(two_after_the_draw, state)


@pytest.mark.parametrize("state", STATES)
def test_fam09_acts_of_a_single_guardian_take_effect_at_once(one_after_the_draw, state):
    town = one_after_the_draw
    bring_offer_to(town, state)
    walk(town, OF_A_SINGLE_GUARDIAN, state, act_on_offer, ALONE_ACTS, moments_of_offer(town), ("mother",))


@pytest.mark.parametrize("stage", STAGES)
def test_fam26_acts_of_two_guardians_on_an_application(two_guardians, stage):
    town = two_guardians
    bring_application_to(town, stage)
    moments = moments_of_application(town)
    walk(town, OF_APPLICATIONS, stage, act_on_application, APPLICATION_ACTS, moments, ("mother", "father"))


@pytest.mark.parametrize("stage", [each for each in STAGES if at_once.pairs_of_an_application(each)])
def test_a_page_of_an_application_that_was_opened_before_another_act(two_guardians, stage):
    bring_application_to(two_guardians, stage)
    walk_application_pairs(two_guardians, stage)


@pytest.mark.parametrize("state", OFFER_STATES)
def test_nobody_else_answers_for_a_family(two_after_the_draw, state):
    town = two_after_the_draw
    bring_offer_to(town, state)
    town.moment = town.now
    found = standing(town), messages(town)
    for act in OFFER_ACTS:
        for who in OTHERS:
            said, told = outcome(town, act_on_offer, act, who, found)
            wanted = "refused: only_the_guardian" if who == "helper" else "not found"
            if act == "consent" and who != "helper":
                wanted = "unchanged"  # it is about one's own children, and there are none
            assert (said, told) == (wanted, ""), (state, act, who)


def test_every_state_and_every_act_of_a_family_has_its_lines():
    assert {line[0] for line in lines_of(OF_OFFERS)} == set(map(str, OFFER_STATES))
    assert {line[0] for line in lines_of(OF_APPLICATIONS)} == set(map(str, STAGES))
    family = {name for name, move in OFFER_MOVES.items() if Role.GUARDIAN in move.by}
    assert family == {"confirm", "confirm_and_wait", "decline", "take_back"}, "a new move of a family needs lines here"
    known = {"submit", "edit", "edit_in_review", "wish_again", "withdraw", "apply_again"}
    assert {name for name, move in MOVES.items() if Role.GUARDIAN in move.by} == known


def test_the_page_is_the_table():
    assert PAGE.read_text("utf-8") == drawn(), "write it again: python -m tests.domain.every_act.page"
