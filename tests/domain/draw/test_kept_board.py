"""The kept board of children without a place is what a count of all of them would say, whatever happened since."""

import datetime as dt
import itertools
import random
from collections import Counter

from sqlalchemy import delete, select, text, update

from enrollment.draw.unserved import choices, entries, explanations, kept_entries, officers
from enrollment.draw.unserved.entries import WITHOUT_A_WORD, BoardState
from enrollment.draw.unserved.kept_entries import LEFT_TO_DO, POSITIONS
from enrollment.draw.unserved.kept_rows import UnservedChange, UnservedCount, UnservedEntry
from enrollment.draw.unserved.officers import Officers
from enrollment.eligibility.households import Household
from enrollment.ground.accounts import RoleGrant
from enrollment.offers.offer_rows import LIVE, Offer
from tests.domain.draw.test_unserved_children import agrees, chooses, left_over, sends  # noqa: F401
from tests.support.statements import counted

YEAR, PAGE = 2026, 2


def page(town, by, **asked):
    asked = {"page": 1, "per_page": PAGE} | asked
    return kept_entries.listing(town.session, YEAR, by=by, officers=Officers(town.session), **asked)


FILTERS = (
    {},
    {"state": LEFT_TO_DO},
    {"area": "510104"},
    {"state": "explained"},
    {"state": "chosen"},
    {"state": "open"},
    {"mine": 1},
)


def agree_with_a_count(town, turns=None):
    """Pages, filters and numbers of the board against the list that is read from all applications; `turns` take one official
    and one filter each time."""
    town.session.flush()
    turn = None if turns is None else next(turns)
    officials = (town.city, town.official, town.elsewhere)
    for by in officials if turn is None else (officials[turn % 3],):
        whole = sorted(
            entries.entries(town.session, YEAR, by=by), key=lambda each: (POSITIONS[each.state], each.registration_code)
        )
        for chosen in FILTERS if turn is None else (FILTERS[turn % len(FILTERS)],):
            asked = {"officer": town.official.account_id} if "mine" in chosen else chosen
            wanted = [
                each
                for each in whole
                if asked.get("area") in (None, each.area)
                and asked.get("officer") in (None, each.officer)
                and (asked.get("state") in (None, each.state) or (asked.get("state") == LEFT_TO_DO and each.state in WITHOUT_A_WORD))
            ]  # fmt: skip
            first = page(town, by, **asked)
            others = [page(town, by, page=n, **asked) for n in range(2, first.last + 1)]
            rows = [each for found in (first, *others) for each in found.rows]
            assert (rows, first.total) == (wanted, len(wanted)), asked
        assert first.by_area == Counter(each.area for each in whole)
        assert first.by_state(None) == Counter(each.state for each in whole)
        assert first.workload == Counter(each.officer for each in whole if each.state in WITHOUT_A_WORD)


def test_the_kept_board_is_what_a_count_would_say(left_over):  # noqa: F811
    town = left_over
    session, dice, here = town.session, random.Random(11), {"by": town.official}
    town.elsewhere, town.city = town.area_official("510105"), town.city_pair()[0]
    children = [town.ben, town.cui, town.dan]
    agrees(town, *children)
    agree_with_a_count(town)
    assert kept_entries.refresh(session) == 3

    def listed():
        """The children that the official may act on now."""
        mine = entries.entries(session, YEAR, by=town.official)
        return [each.id for each in mine if each.state in (*WITHOUT_A_WORD, BoardState.EXPLAINED, BoardState.GAVE_UP)]

    def explain():
        for each in listed()[:1]:
            explanations.explain(session, YEAR, each, "waits", seen=None, now=town.now, **here)

    def move_home():
        moved = update(Household).where(Household.application_id == dice.choice(children).id)
        session.execute(moved.values(home_area=dice.choice(["510104", "510105"])))

    def choose():
        if town.ben.id in listed() and not town.programme_of(town.near).taken:
            chooses(town, town.ben, town.near)

    def drop():
        if town.ben.id in listed():
            choices.drop(session, YEAR, town.ben.id, seen=None, now=town.now, **here)

    def fill():
        town.programme_of(town.near).taken = dice.choice([0, 1])

    def end_an_offer():
        session.execute(update(Offer).where(Offer.state.in_(LIVE)).values(state="declined", ended_at=town.now))

    def give():
        seen = {each.id: each.version for each in entries.entries(session, YEAR, by=town.official)}
        if seen:
            officers.assign(session, YEAR, seen, town.official.account_id, now=town.now, **here)

    def officer_comes_or_goes():
        if dice.random() < 0.5:
            town.area_official()
        else:
            others = RoleGrant.account_id.not_in(
                [each.account_id for each in (town.official, town.elsewhere, town.city)]
            )
            session.execute(delete(RoleGrant).where(RoleGrant.role == "area_official", others))

    def leave_or_return():
        stage = dice.choice(["withdrawn", "refused", "confirmed"])
        session.execute(
            text("UPDATE application SET stage = :stage WHERE id = :id"),
            {"stage": stage, "id": dice.choice(children).id},
        )

    acts = [explain, move_home, choose, drop, fill, end_an_offer, give, officer_comes_or_goes, leave_or_return]
    turns = itertools.count()
    for act in dice.sample(acts * 3, 3 * len(acts)):
        town.at(town.now + dt.timedelta(minutes=1))
        session.execute(text("UPDATE application SET stage = 'confirmed' WHERE stage IN ('withdrawn','refused')"))
        act()
        session.flush()
        session.expire_all()
        agree_with_a_count(town, turns)
        if dice.random() < 0.4:
            kept_entries.refresh(session)
            agree_with_a_count(town, turns)
    kept_entries.refresh(session)
    agree_with_a_count(town)
    assert session.scalars(select(UnservedChange.id)).all() == []
    assert kept_entries.refresh(session) == 0


def test_a_sent_proposal_and_its_answers_reach_the_kept_board(left_over):  # noqa: F811
    town = left_over
    town.elsewhere, town.city = town.area_official("510105"), town.city_pair()[0]
    agrees(town, town.ben, town.cui, town.dan)
    chooses(town, town.ben, town.near)
    kept_entries.refresh(town.session)
    agree_with_a_count(town)
    sends(town)
    agree_with_a_count(town)
    kept_entries.refresh(town.session)
    for act in (town.confirm, town.decline):
        act(town.cui if act == town.confirm else town.ben)
        agree_with_a_count(town)
        kept_entries.refresh(town.session)
        agree_with_a_count(town)
    assert sum(town.session.scalars(select(UnservedCount.n))) == len(
        town.session.scalars(select(UnservedEntry.code)).all()
    )


def test_a_page_of_the_kept_board_reads_its_rows_and_no_others(left_over):  # noqa: F811
    town = left_over
    kept_entries.refresh(town.session)
    with counted(town.session) as statements:
        found = page(town, town.official, page=2)
    assert [len(found.rows), found.total] == [1, 3]
    whole = [
        each for each in statements if "without_a_place_of_a_draw" in str(each) and "application.id IN" not in str(each)
    ]
    assert whole == [] and len(statements) <= 6
