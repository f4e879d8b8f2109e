"""An edit of a handed-in application in one statement leaves the rows that the service leaves, and nothing where something changed."""

import datetime as dt
import itertools
import random
import uuid

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enrollment.applications import receipts, submission
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.statements import handed_in_edit, keyed_write, returned_changes, wish_list
from enrollment.eligibility import households
from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused
from enrollment.ground.sign_in import IdempotentResponse, RequestKey
from enrollment.people import consents
from enrollment.results import family_state
from tests.domain.eligibility.test_tru14_saved_drafts import ANSWER, ChildPage, Grounds, HouseholdPage, Wishes
from tests.support.every_row import every_row
from tests.support.prepared import prepared
from tests.support.random_families import random_family, undone

_keys = itertools.count()


@prepared
def places(town):
    return [town.kindergarten(name, places=2) for name in ("锦江区机关第一幼儿园", "锦官新城幼儿园", "金苹果")]


class EditedWishes(Wishes):
    def change(self, read, application, by, now):
        version = application.version
        return wish_list.planned(read, application, self.ids, version=version, by=by, now=now)


class HandedInAgain:
    """The check page of a returned application."""

    def __init__(self, town, application, places, chance):
        self.agrees = chance.random() < 0.5

    def by_service(self, town, application, by):
        submission.submit(
            town.session,
            application.id,
            version=application.version,
            agrees_to_central=self.agrees,
            by=by,
            now=town.now,
        )

    def edit(self, read, application, by, now):
        return handed_in_edit.submit_again(read, application, agrees_to_central=self.agrees, by=by, now=now)


PAGES = [EditedWishes, HouseholdPage, Grounds, ChildPage]


def edited(town, application, page, by):
    """The edit, from the family's state as a request reads it; None for the service to decide."""
    account = town.session.get_one(Account, by.account_id)
    town.session.flush()
    with Session(town.session.connection(), autoflush=False) as read:
        reads = family_state.EDIT_READS if isinstance(page, (EditedWishes, HandedInAgain)) else family_state.READS
        family_state.keep_as_read(read, account, family_state.read(read, account, reads), reads)
        mine = read.get_one(Application, application.id)
        if isinstance(page, HandedInAgain):
            return page.edit(read, mine, by, town.now)
        if mine.stage == Stage.RETURNED:
            planned = (
                page.change(read, mine, by, town.now) if returned_changes.is_plain(read, mine, now=town.now) else None
            )
            change = planned and returned_changes.change(read, mine, planned, now=town.now)
            return change and handed_in_edit.Edit(
                change, receipts.latest(town.session, application).number, is_new=False
            )
        if not handed_in_edit.is_plain(read, mine, now=town.now):
            return None
        planned = page.change(read, mine, by, town.now)
        return None if planned is None else handed_in_edit.edit(read, mine, planned, by=by, now=town.now)


def write(town, edit, by) -> bool:
    key = RequestKey(f"{by.account_id.hex}:{next(_keys)}", by.account_id, b"body", town.now)
    done = keyed_write.write(town.session, edit.change, key=key, location="/next")
    town.session.expire_all()
    return done


def both_ways(town, application, page, by) -> str:
    """Do it by the service and take it back, then in one statement: `same`, `service` where that is left, or `refused`."""
    refused, number = None, None
    with undone(town.session):
        try:
            page.by_service(town, application, by)
        except Refused as fault:
            refused = fault
        expected, last = every_row(town.session), receipts.latest(town.session, application)
        number = last.number if last is not None else 0
    before = every_row(town.session)
    try:
        edit = edited(town, application, page, by)
    except Refused as fault:
        return "refused" if refused is not None and refused.code == fault.code else fault.code
    if edit is None:
        return "service"
    assert refused is None
    assert write(town, edit, by) is True
    found = every_row(town.session)
    assert {name for name in found if found[name] != expected[name]} == set()
    assert found == expected
    assert found != before or not edit.is_new
    assert edit.number == number
    return "same"


def taken(town, application, clerk):
    """The clerk has it in review, as far as its row says."""
    town.session.execute(
        text(
            "UPDATE application SET stage = 'in_review', reviewer_id = :clerk, taken_at = :now, lease_until = :now,"
            " register_state = 'agrees' WHERE id = :id"
        ),
        {"clerk": clerk.account_id, "now": town.now, "id": application.id},
    )
    town.session.expire_all()


@pytest.mark.parametrize("seed", range(10))
def test_an_edit_both_ways_leaves_the_same_rows(town, places, seed):
    chance = random.Random(seed)
    ana = random_family(town, places, chance)
    by = town.parent_of(ana)
    town.submit(ana)
    clerk, said = town.reviewer_of(ana), []
    for make in chance.sample(PAGES * 2, 5):
        town.at(town.now + dt.timedelta(minutes=1))
        page = make(town, ana, places, chance)
        with undone(town.session):
            taken(town, ana, clerk)
            while_taken = both_ways(town, ana, page, by)
        assert while_taken in ("service", "refused"), "a clerk may be writing what it found"
        said.append(both_ways(town, ana, page, by))
        if said[-1] == "service":
            assert isinstance(page, ChildPage) or not page.ids
    assert "same" in said and {*said} <= {"same", "service", "refused"}


@pytest.mark.parametrize("seed", range(8))
def test_a_returned_application_handed_in_again_both_ways_leaves_the_same_rows(town, places, seed):
    chance = random.Random(seed)
    ana = random_family(town, places, chance)
    by = town.parent_of(ana)
    if chance.random() < 0.5:
        for kind in list(consents.REGISTER_OF_KIND)[:2]:
            consents.give(town.session, kind, text_version="1", text_digest="1", by=by, now=town.now)
    town.submit(ana)
    town.clerk_sends_back(ana, "home_place")
    town.at(town.now + dt.timedelta(minutes=1))
    for make in chance.sample([HouseholdPage, Grounds, ChildPage], chance.randint(0, 2)):
        assert both_ways(town, ana, make(town, ana, places, chance), by) in ("same", "refused")
        town.at(town.now + dt.timedelta(minutes=1))
    if chance.random() < 0.3:  # a later round of the same year takes registrations
        town.session.execute(
            text("UPDATE round SET stage = 'open', closes_at = :end"), {"end": town.now + dt.timedelta(1)}
        )
        town.session.expire_all()
    assert both_ways(town, ana, HandedInAgain(town, ana, places, chance), by) == "same"


MEANWHILE = {
    "held": "UPDATE application SET on_hold = true",
    "bound": "UPDATE application SET unit = gen_random_uuid()",
    "saved elsewhere": "UPDATE application SET version = version + 1",
    "confirmed": "UPDATE application SET stage = 'confirmed'",
    "no guardian any more": "UPDATE guardianship SET accepted_at = NULL",
    "another phone": "UPDATE guardian SET id_kind = id_kind",
    "the child": "UPDATE child SET version = version + 1",
    "consent withdrawn": "UPDATE consent SET withdrawn_at = given_at",
}
PROPOSED = """
    INSERT INTO refusal_proposal (id, application_id, rule, explanation, proposed_by, proposed_at)
    SELECT gen_random_uuid(), id, 'falsehood', 'x'::bytea, entered_by, now() FROM application
"""
FOUND = """
    INSERT INTO verified_fact (application_id, fact, outcome, reason, source, at)
    SELECT id, 'home_area', 'declined', 'x'::bytea, 'staff', now() FROM application
"""


def tried(town, edit):
    found = town.session.connection().exec_driver_sql(
        edit.change.statement, edit.change.values | ANSWER | {"key": uuid.uuid4().hex, "real_now": town.now}
    )
    return found.one_or_none()


def test_nothing_is_written_if_something_changed_since_it_was_read(town, places):
    ana = town.child("安娜", wishes=places[:2])
    by = town.parent_of(ana)
    town.at(town.now + dt.timedelta(minutes=1))
    page = HouseholdPage(town, ana, places, random.Random(1))
    edit = edited(town, ana, page, by)
    happens = MEANWHILE | {
        "registration closed": "UPDATE round SET stage = 'closed'",
        "the household alone": "UPDATE household SET version = version + 1",
        "a refusal is proposed": PROPOSED,
        "a fact was found": FOUND,
    }
    for name, statement in happens.items():
        with town.session.connection().begin_nested() as point:
            town.session.execute(text(statement))
            assert tried(town, edit) is None, name
            point.rollback()
    town.session.expire_all()
    assert write(town, edit, by) is True


def test_a_returned_application_is_not_handed_in_again_if_something_changed(town, places):
    ana = town.child("安娜", wishes=places[:2])
    by = town.parent_of(ana)
    town.clerk_sends_back(ana, "home_place")
    town.at(town.now + dt.timedelta(minutes=1))
    edit = edited(town, ana, HandedInAgain(town, ana, places, random.Random(1)), by)
    happens = MEANWHILE | {"frozen": "UPDATE round SET stage = 'frozen'", "a refusal is proposed": PROPOSED}
    for name, statement in happens.items():
        with town.session.connection().begin_nested() as point:
            town.session.execute(text(statement))
            assert tried(town, edit) is None, name
            point.rollback()
    town.session.expire_all()
    assert write(town, edit, by) is True


def test_a_finding_does_not_keep_the_wishes_from_the_short_way(town, places):
    ana = town.child("安娜", wishes=places[:2])
    by = town.parent_of(ana)
    town.session.execute(text(FOUND))
    town.at(town.now + dt.timedelta(minutes=1))
    page = EditedWishes(town, ana, places, random.Random(1))
    page.ids = [town.programme_of(places[2]).id]
    assert write(town, edited(town, ana, page, by), by) is True


def test_every_other_case_is_left_to_the_service(town, places):
    ana = town.child("安娜", wishes=places[:2])
    by = town.parent_of(ana)
    page = HouseholdPage(town, ana, places, random.Random(1))
    for statement in ("UPDATE application SET on_hold = true", "UPDATE application SET unit = gen_random_uuid()",
                      "UPDATE round SET stage = 'closed'"):  # fmt: skip
        with undone(town.session):
            town.session.execute(text(statement))
            town.session.expire_all()
            assert edited(town, ana, page, by) is None, statement
    assert edited(town, ana, HandedInAgain(town, ana, places, random.Random(1)), by) is None
    empty = EditedWishes(town, ana, places, random.Random(1))
    empty.ids = []
    assert edited(town, ana, empty, by) is None
    same = {name: getattr(households.household_of(town.session, ana.id), name) for name in households.ANSWERS}
    page.said = same
    assert edited(town, ana, page, by).is_new is False
    assert town.session.scalars(select(MoveMade.move)).all() == ["submit"]
    assert town.session.scalar(select(IdempotentResponse.key)) is None
