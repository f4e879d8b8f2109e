"""A closed family account keeps neither its telephone number nor the person to itself."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import account_closing, applications, register_answers
from enrollment.applications.guardian_access import phone_change_course, phone_changes
from enrollment.ground import sign_in
from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.ground.signatures import OPEN_FOR
from enrollment.offers import family_requests
from enrollment.people import consents, guardians
from enrollment.people.consents import Register
from enrollment.people.person_rows import Guardian
from enrollment.review import case_withdrawals
from tests.support.prepared import prepared
from tests.support.town_families import Family


@prepared
def closed(town):
    town.garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    town.mother = town.family("李")
    town.draft = town.child("安娜", family=town.mother, wishes=[town.garden], submit=False)
    town.phone = town.mother.phone
    town.row = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.account.id)).one()
    account_closing.close(town.session, by=town.mother.actor, now=town.now)
    return town


def save(town, account, number):
    return guardians.save_guardian(
        town.session, name="李", id_kind="resident", id_number=number, by=actor_of(account), now=town.now
    )


def test_whoever_closed_an_account_comes_back_with_phone_and_document(closed):
    town = closed
    fresh = sign_in.account_of_phone(town.session, town.phone, now=town.now)
    assert fresh.id != town.mother.account.id and fresh.disabled_at is None
    assert applications.list_own(town.session, by=actor_of(fresh)) == [], "the phone alone shows nothing"
    town.consent(Family("李", town.phone, fresh))
    assert save(town, fresh, town.row.id_number).account_id == fresh.id
    assert [each.id for each in applications.list_own(town.session, by=actor_of(fresh))] == [town.draft.id]
    assert town.session.get_one(Account, town.mother.account.id).disabled_at is not None
    assert consents.current_consent(town.session, consents.CHILD_DATA, by=actor_of(fresh))


def test_whoever_is_back_is_asked_by_its_new_consents_and_sees_its_old_cases(town):
    """The application stands in the name of the new account: the withdrawn consents of the closed one count for nothing."""
    mother = town.family("李")
    ana = town.child("安娜", family=mother, wishes=[town.kindergarten("金苹果", places=2)])
    case = family_requests.ask(town.session, ana.id, "appeal", text="请核实", by=mother.actor, now=town.now)
    row = town.session.scalars(select(Guardian).where(Guardian.account_id == mother.account.id)).one()
    town.at(town.now + dt.timedelta(days=400))
    account_closing.close(town.session, by=mother.actor, now=town.now)
    fresh = sign_in.account_of_phone(town.session, mother.phone, now=town.now)
    back = Family("李", mother.phone, fresh)
    for kind in (consents.CHILD_DATA, consents.KIND_OF[Register.HOUSEHOLD]):
        town.consent(back, kind)
    assert not register_answers.may_be_asked(town.session, ana)
    save(town, fresh, row.id_number)
    town.session.refresh(ana)
    assert (ana.entered_by, ana.entered_for) == (fresh.id, None)
    assert register_answers.may_be_asked(town.session, ana)
    assert case_withdrawals.own_cases(town.session, by=actor_of(fresh)) == [case]
    assert case_withdrawals.own_cases(town.session, by=mother.actor) == []


def test_what_a_helper_entered_for_the_closed_account_is_for_the_new_one(town):
    mother, helper = town.family("李"), town.helper()
    ana = town.child("安娜", family=mother, wishes=[town.kindergarten("金苹果", places=2)], submit=False)
    ana.entered_by, ana.entered_for = helper.account_id, mother.account.id
    row = town.session.scalars(select(Guardian).where(Guardian.account_id == mother.account.id)).one()
    account_closing.close(town.session, by=mother.actor, now=town.now)
    fresh = sign_in.account_of_phone(town.session, mother.phone, now=town.now)
    town.consent(Family("李", mother.phone, fresh))
    save(town, fresh, row.id_number)
    town.session.refresh(ana)
    assert (ana.entered_by, ana.entered_for) == (helper.account_id, fresh.id)


def test_another_phone_does_not_prove_who_closed_the_account(closed):
    town = closed
    stranger = sign_in.account_of_phone(town.session, "13955550000", now=town.now)
    with pytest.raises(Refused, match="guardian_known_elsewhere"):
        save(town, stranger, town.row.id_number)


def test_another_guardian_may_change_to_the_number_of_a_closed_account(closed):
    town = closed
    other = town.family("赵")
    codes = phone_changes.send_codes(town.session, other.account.id, town.phone, by=other.actor, now=town.now)
    request = phone_changes.request_change(town.session, town.phone, codes.new, codes.old, by=other.actor, now=town.now)
    phone_change_course.take_effect_now(town.session, request.change, by=other.actor, now=town.now)
    assert (request.change.outcome, other.account.phone) == ("done", town.phone)


def test_a_change_that_waits_gives_a_closed_account_no_number(town):
    mother = town.family("李")
    codes = phone_changes.send_codes(town.session, mother.account.id, "13955550000", by=mother.actor, now=town.now)
    change = phone_changes.request_change(town.session, "13955550000", codes.new, "", by=mother.actor, now=town.now)
    account_closing.close(town.session, by=mother.actor, now=town.now)
    town.at(town.now + phone_changes.SESSION_WAIT)
    assert phone_change_course.end_waiting_times(town.session, now=town.now) == []
    assert (change.change.outcome, mother.account.phone_index) == ("stopped", None)


@pytest.mark.parametrize("way", ["it waits for its time", "it waits for a second person"])
def test_a_change_that_an_earlier_version_left_open_gives_a_closed_account_no_number(town, way):
    """Closing an account drops its change; accounts that were closed before that kept theirs."""
    mother = town.family("李")
    codes = phone_changes.send_codes(town.session, mother.account.id, "13955550000", by=mother.actor, now=town.now)
    change = phone_changes.request_change(
        town.session, "13955550000", codes.new, "", by=mother.actor, now=town.now
    ).change
    if way == "it waits for a second person":
        change.effective_at = None
    mother.account.phone = mother.account.phone_index = mother.account.phone_proven_at = None
    mother.account.disabled_at = town.now
    town.session.flush()
    town.at(town.now + OPEN_FOR + phone_changes.SESSION_WAIT)
    assert phone_change_course.end_waiting_times(town.session, now=town.now) == []
    assert (change.outcome, mother.account.phone, mother.account.phone_index) == ("stopped", None, None)
    assert town.session.scalars(select(Notice.kind).where(Notice.account_id == mother.account.id)).all() == []
