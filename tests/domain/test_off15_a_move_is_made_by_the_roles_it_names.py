"""OFF15: the roles that a move names are the lock, not a note: whoever is not named is refused, one by one and in bulk.

What each role may do is written here once more, so that a change of the tables is noticed by somebody.
"""

from collections import deque

import pytest
from sqlalchemy import func, select

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Stage
from enrollment.applications.lifecycle import MOVES, MoveMade
from enrollment.ground.accounts import SYSTEM, Actor, Role, actor_of
from enrollment.ground.errors import Refused
from enrollment.ground.random_codes import notice_code
from enrollment.offers import offer_lifecycle
from enrollment.offers.offer_lifecycle import CREATING, OFFER_MOVES
from enrollment.offers.offer_rows import OfferMove, OfferState
from tests.support.prepared import prepared
from tests.support.town_families import phone_number

GUARDIAN, HELPER, CLERK, HEAD, AREA, CITY, AUDITOR, OPERATOR, THE_SYSTEM = Role
FAMILY_OR_HELPER, REVIEWERS, OFFICIALS = {GUARDIAN, HELPER}, {CLERK, HEAD}, {AREA, CITY}

MAY_MOVE = {
    "submit": FAMILY_OR_HELPER,
    "edit": FAMILY_OR_HELPER,
    "edit_in_review": FAMILY_OR_HELPER,
    "wish_again": FAMILY_OR_HELPER,
    "withdraw": {GUARDIAN},
    "apply_again": {GUARDIAN},
    "take": REVIEWERS,
    "release": REVIEWERS | OFFICIALS,
    "send_back": REVIEWERS,
    "take_return_back": REVIEWERS,
    "confirm": REVIEWERS,
    "refuse": {HEAD} | OFFICIALS,
    "reopen": REVIEWERS | OFFICIALS,
    "reinstate": OFFICIALS,
    "reinstate_draft": OFFICIALS,
    "refuse_duplicate": {HEAD} | OFFICIALS,
}
MAY_MOVE_AN_OFFER = {
    "offer": {THE_SYSTEM},
    "move_up": {THE_SYSTEM},
    "move_up_and_wait": {THE_SYSTEM},
    "place_centrally": {THE_SYSTEM},
    "confirm": {GUARDIAN},
    "confirm_and_wait": {GUARDIAN},
    "decline": {GUARDIAN},
    "take_back": {GUARDIAN},
    "undo_no_show": REVIEWERS,
    "undo_no_show_and_wait": REVIEWERS,
    "mark_arrived": REVIEWERS,
    "undo_arrival": REVIEWERS,
    "undo_arrival_and_wait": REVIEWERS,
    "mark_no_show": REVIEWERS,
    "expire": {THE_SYSTEM},
    "supersede": {THE_SYSTEM},
    "revoke": OFFICIALS,
}
NOBODY = "nobody"
A_HELPER_FOR_NOBODY = "a helper for nobody"
CHANGING = tuple(name for name in OFFER_MOVES if name not in CREATING)


@prepared
def here(town):
    """A town with one application, one place given, and an actor of each role."""
    town.garden = town.kindergarten("金苹果", places=3)
    town.ana = town.child("安娜", wishes=[town.garden])
    helper = town.helper()
    town.actors = {
        GUARDIAN: town.parent_of(town.ana),
        HELPER: town.acting(helper, town.mandate_by_code(helper, phone_number())),
        CLERK: town.clerk_of(town.garden),
        HEAD: town.head_of(town.garden),
        AREA: town.area_official(),
        CITY: town.city_official(),
        AUDITOR: actor_of(town.account_of_staff("auditor", "审计", AUDITOR)),
        OPERATOR: actor_of(town.account_of_staff("operator", "运维", OPERATOR)),
        THE_SYSTEM: SYSTEM,
        NOBODY: Actor(account_id=None, name=""),
        A_HELPER_FOR_NOBODY: helper,
    }
    return town


def path(moves, begin: str, end: str) -> list[str]:
    """The shortest way through a table of moves."""
    ways = deque([(begin, [])])
    seen = {begin}
    while ways:
        state, way = ways.popleft()
        if state == end:
            return way
        for name, move in moves.items():
            if state in move.from_ and move.to not in seen:
                seen.add(move.to)
                ways.append((move.to, [*way, name]))
    raise AssertionError(f"no way from {begin} to {end}")


def somebody(town, named) -> Actor:
    return next(town.actors[role] for role in Role if role in named)


def single(town, move, by):
    town.session.refresh(town.ana)
    if move == "take":  # as the review does: the table asks for the clerk in whose hands it is
        town.ana.reviewer_id = town.actors[CLERK].account_id
    lifecycle.make(town.session, town.ana, move, by=by, now=town.now)


def bulk(town, move, by):
    more = {"reviewer_id": town.actors[CLERK].account_id} if move == "take" else {}
    moved = lifecycle.make_many(town.session, [town.ana.id], move, by=by, now=town.now, **more)
    assert moved == [town.ana.id]


def single_offer(town, move, by):
    offer_lifecycle.make(town.session, town.last_offer_for(town.ana), move, by=by, now=town.now)


def bulk_offers(town, move, by):
    ids = [town.offer_for(town.ana).id]
    assert offer_lifecycle.end_many(town.session, ids, move, by=by, now=town.now, reason="off15") == 1


def fresh_offers(town, move, by):
    selected = """
        SELECT CAST(:wanted AS text) AS move, child_id, id AS application_id, CAST(:programme AS uuid) AS programme_id,
               year, CAST(:round AS uuid) AS round_id, CAST(NULL AS uuid) AS run_id, 2 AS rank,
               CAST(:code AS text) AS notice_code, CAST(:due AS timestamptz) AS answer_by
        FROM application WHERE id = :application
    """
    values = {
        "wanted": move, "programme": town.programme_of(town.garden).id, "round": town.the_round.id,
        "code": notice_code(), "due": town.the_round.confirm_by, "application": town.ben.id,
    }  # fmt: skip
    assert offer_lifecycle.create_many(town.session, selected, (move,), by=by, now=town.now, values=values) == 1


def who_succeeds(town, act, move, history) -> set:
    """Every actor tries; what one did is taken back before the next tries."""
    succeeded = set()
    rows = select(func.count()).select_from(history).where(history.move == move)
    before = town.session.scalar(rows)
    for role, by in town.actors.items():
        attempt, code = town.session.begin_nested(), None
        try:
            act(town, move, by)
        except Refused as refused:
            code = refused.code
            town.session.expire(town.ana)
        made = town.session.scalar(rows) - before
        assert (code, made) in ((None, 1), ("move_not_for_this_role", 0)), (move, role)
        if made:
            succeeded.add(role)
        attempt.rollback()
        town.session.expire_all()
    return succeeded


@pytest.mark.parametrize("act", [single, bulk])
@pytest.mark.parametrize("move", MOVES)
def test_off15_a_move_of_an_application_is_made_by_the_roles_it_names_alone(here, move, act):
    begin = min(MOVES[move].from_, key=lambda stage: len(path(MOVES, town_stage(here), stage)))
    for step in path(MOVES, town_stage(here), begin):
        single(here, step, somebody(here, MAY_MOVE[step]))
    assert who_succeeds(here, act, move, MoveMade) == MAY_MOVE[move]


def town_stage(town) -> Stage:
    return Stage(town.ana.stage)


@pytest.mark.parametrize("act", [single_offer, bulk_offers])
@pytest.mark.parametrize("move", CHANGING)
def test_off15_a_move_of_an_offer_is_made_by_the_roles_it_names_alone(here, move, act):
    here.drawn(here.ana)
    if act is bulk_offers and OFFER_MOVES[move].to in offer_lifecycle.LIVE:
        with pytest.raises(ValueError, match="does not end an offer"):
            act(here, move, somebody(here, MAY_MOVE_AN_OFFER[move]))
        return
    begin = min(OFFER_MOVES[move].from_, key=lambda state: len(path(OFFER_MOVES, OfferState.OFFERED, state)))
    for step in path(OFFER_MOVES, OfferState.OFFERED, begin):
        single_offer(here, step, somebody(here, MAY_MOVE_AN_OFFER[step]))
    assert who_succeeds(here, act, move, OfferMove) == MAY_MOVE_AN_OFFER[move]


@pytest.mark.parametrize("move", CREATING)
def test_off15_an_offer_is_created_by_the_roles_it_names_alone(here, move):
    here.ben = here.child("本本", wishes=[])
    assert who_succeeds(here, fresh_offers, move, OfferMove) == MAY_MOVE_AN_OFFER[move]


def test_off15_every_move_has_its_line_here():
    assert set(MAY_MOVE) == set(MOVES)
    assert set(MAY_MOVE_AN_OFFER) == set(OFFER_MOVES)


def test_off15_a_move_is_refused_from_any_other_stage_or_state(here):
    here.drawn(here.ana)
    with pytest.raises(Refused, match="move_not_possible"):
        single(here, "confirm", here.actors[CLERK])
    with pytest.raises(Refused, match="offer_move_not_possible"):
        single_offer(here, "mark_arrived", here.actors[CLERK])
    assert lifecycle.make_many(here.session, [here.ana.id], "refuse", by=here.actors[HEAD], now=here.now) == []
    here.confirm(here.ana)
    ids = [here.offer_for(here.ana).id]
    assert offer_lifecycle.end_many(here.session, ids, "expire", by=SYSTEM, now=here.now, reason="silence") == 0
