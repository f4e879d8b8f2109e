"""A draft that two people took for a duplicate: it can be refused, found by its code, and given back to its family, which is
told that it is not handed in."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.application_rows import Stage
from enrollment.corrections import reinstatements
from enrollment.ground.city_time import parse_time
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.maintenance import invariants
from enrollment.offers import desk_messages, family_requests
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.review import duplicates
from tests.support.prepared import prepared

BORN = dt.date(2022, 12, 10)
WHY = "户口簿原件与登记一致"


@prepared
def a_pair(town):
    """The mother handed her entry in; the father's draft is as old as it or older, and was never handed in."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.draft = town.child("安娜", born=BORN)
    town.at(town.now + dt.timedelta(hours=1))
    town.handed_in = town.child("安娜", born=BORN, wishes=[town.garden])
    assert (town.draft.registration_code, town.draft.review_kindergarten_id) == (None, None)
    return town


def say_same(town):
    hint = town.session.scalars(select(DuplicateHint)).one()
    for by in (town.clerk_of(town.garden), town.head_of(town.garden)):
        duplicates.judge(town.session, hint.id, verdict="same", reason="同一本户口簿", by=by, now=town.now)
    town.session.refresh(town.draft)


def officials(town):
    return town.area_official("510104"), town.area_official("510104")


def sign(town, by) -> bool:
    return reinstatements.reinstate(town.session, town.draft.id, reason=WHY, by=by, now=town.now)


def told(town) -> list[Notice]:
    kinds = select(Notice).where(
        Notice.application_id == town.draft.id, Notice.kind.startswith("application_reinstated")
    )
    return list(town.session.scalars(kinds))


@pytest.mark.parametrize("first", ["the draft", "the one handed in"])
def test_a_draft_that_was_never_handed_in_is_refused_with_a_code(town, first):
    garden = town.garden = town.kindergarten("金苹果", places=2)
    wishes = [[], [garden]] if first == "the draft" else [[garden], []]
    entered = []
    for its_wishes in wishes:
        entered.append(town.child("安娜", born=BORN, wishes=its_wishes))
        town.at(town.now + dt.timedelta(hours=1))
    town.draft, stays = sorted(entered, key=lambda each: each.submitted_at is not None)
    say_same(town)
    assert (town.draft.stage, stays.stage) == (Stage.REFUSED, Stage.SUBMITTED)
    assert town.draft.registration_code not in (None, stays.registration_code)
    assert list(invariants.find_violations(town.session)) == []


def test_an_official_of_the_home_finds_a_refused_draft_and_no_other_area_does(a_pair):
    town = a_pair
    say_same(town)
    here, _second = officials(town)
    elsewhere = town.area_official("510105")
    code = town.draft.registration_code
    assert reinstatements.find(town.session, town.draft.id, by=here).was_a_draft
    assert reinstatements.find_code(town.session, code, by=here).application == town.draft
    assert reinstatements.find_code(town.session, code, by=elsewhere) is None
    assert reinstatements.may_sign(town.session, town.draft.id, by=here)
    for by in (elsewhere, town.head_of(town.garden)):
        assert not reinstatements.may_sign(town.session, town.draft.id, by=by)
        with pytest.raises(NotFound):
            sign(town, by)


def test_two_officials_of_the_home_give_the_draft_back_and_the_family_is_told_until_when(a_pair):
    town = a_pair
    say_same(town)
    first, second = officials(town)
    assert not sign(town, first)
    (waiting,) = reinstatements.waiting(town.session, by=second)
    assert (waiting.application, waiting.proposed.by) == (town.draft, first.account_id)
    assert reinstatements.waiting(town.session, by=town.area_official("510105")) == []
    assert sign(town, second)
    assert town.draft.stage == Stage.DRAFT
    (notice,) = told(town)
    assert notice.kind == "application_reinstated_draft"
    assert parse_time(notice.params["due"]) == town.the_round.closes_at
    assert notice.params["code"] == town.draft.registration_code
    assert desk_messages.matters(town.session, town.draft, notice, None, now=town.now)
    assert not desk_messages.matters(town.session, town.draft, notice, None, now=town.the_round.closes_at)
    code = town.draft.registration_code
    town.wish(town.draft, town.garden)
    assert town.submit(town.draft).registration_code == code
    assert not desk_messages.matters(town.session, town.draft, notice, None, now=town.now)
    assert list(invariants.find_violations(town.session)) == []


def test_after_the_deadline_the_family_is_told_what_is_left(a_pair):
    town = a_pair
    say_same(town)
    town.at(town.the_round.closes_at + dt.timedelta(hours=1))
    assert [sign(town, by) for by in officials(town)] == [False, True]
    (notice,) = told(town)
    assert notice.kind == "application_reinstated_draft_late" and "due" not in notice.params
    assert town.draft.stage == Stage.DRAFT


def test_nothing_of_a_closed_year_is_reinstated(a_pair):
    """Nobody reviews it any more, and its family can hand nothing in."""
    town = a_pair
    say_same(town)
    first, second = officials(town)
    mother = town.parent_of(town.draft)
    family_requests.ask(town.session, town.draft.id, "appeal", text="登记属实", by=mother, now=town.now)
    assert not sign(town, first)
    town.session.get_one(type(town.the_season), 2026).closed_at = town.now
    town.session.flush()
    with pytest.raises(Refused, match="season_is_closed"):
        sign(town, second)
    assert reinstatements.waiting(town.session, by=second) == []
    assert reinstatements.find_code(town.session, town.draft.registration_code, by=second) is None
    assert not reinstatements.may_sign(town.session, town.draft.id, by=second)
    assert not reinstatements.find(town.session, town.draft.id, by=second).is_possible
