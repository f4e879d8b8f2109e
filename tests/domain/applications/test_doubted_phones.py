"""ADR 58: a number that the carrier gave to another person opens no account, and the guardian keeps it by one answer."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import select

from enrollment.applications.guardian_access import desk_access, doubted_phones, phone_change_course, phone_changes
from enrollment.applications.guardian_access.doubted_phones import Answer
from enrollment.delivery import claims, lanes
from enrollment.ground import sign_in
from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import DeliveryError, MessageState, Notice, tell
from enrollment.offers import desk_contacts
from enrollment.people.desk_rows import PhoneDoubt
from enrollment.people.person_rows import Guardian
from enrollment.season import policy_approval
from enrollment.season.rules import PHONE_DOUBT_DAYS
from tests.support.prepared import prepared

DAY = dt.timedelta(days=1)


@prepared
def family(town):
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.mother = town.session.get_one(Account, town.ana.entered_by)
    town.mother.created_at = town.now - PHONE_DOUBT_DAYS * DAY
    town.father = town.second_guardian(town.ana)
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one()
    town.end = guardian.id_number[-4:]
    return town


def doubted(town, known_browser=False):
    return doubted_phones.is_doubted(town.session, town.mother, known_browser=known_browser, now=town.now)


def answered(town, typed):
    return doubted_phones.answer(town.session, town.mother, typed, now=town.now)


def disclaimed(town):
    doubted_phones.begin(town.session, town.mother, now=town.now)
    return doubted_phones.disclaim(town.session, town.mother, now=town.now)


def told(town, kind):
    rows = town.session.execute(select(Notice.account_id, Notice.params).where(Notice.kind == kind))
    return {account_id: params["who"] for account_id, params in rows}


def test_a_number_is_doubted_when_nobody_proved_it_for_the_days_of_the_policy(family):
    town = family
    assert doubted(town)
    assert not doubted(town, known_browser=True), "a browser that signed in with the number before"
    town.mother.created_at += dt.timedelta(minutes=1)
    assert not doubted(town)
    town.mother.phone_proven_at = town.now - (PHONE_DOUBT_DAYS + 1) * DAY
    assert doubted(town)
    doubted_phones.note_proof(town.session, town.mother, now=town.now)
    assert not doubted(town)
    town.mother.phone_proven_at = town.now - 31 * DAY
    assert not doubted(town)
    text = policy_approval.template("whole_district", "510104", town.ana.year)
    town.policy(text=text.replace("decision_hours = 24", "decision_hours = 24\nphone_doubt_days = 30"))
    assert doubted(town), "the areas of the child say how long"
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one()
    guardian.id_number = guardian.id_kind = guardian.id_index = None
    assert not doubted(town), "without a document there is nothing to ask"


def test_the_end_of_the_document_keeps_the_number_and_tries_are_bounded(family):
    town = family
    doubted_phones.begin(town.session, town.mother, now=town.now)
    for _try in range(doubted_phones.FREE_TRIES):
        assert answered(town, "000Y") == Answer.WRONG
    assert answered(town, town.end) == Answer.TOO_MANY
    town.at(town.now + doubted_phones.PAUSE)
    assert answered(town, "000Y") == Answer.WRONG
    assert answered(town, town.end) == Answer.TOO_MANY, "then one a day"
    town.at(town.now + doubted_phones.PAUSE)
    assert answered(town, f" {town.end.lower()} ") == Answer.RIGHT
    assert town.session.get(PhoneDoubt, town.mother.id) is None
    assert not doubted(town)


def test_to_a_doubted_number_no_message_about_the_family_goes(family):
    town = family
    policy = lanes.policy_of_notices()
    doubted_phones.begin(town.session, town.mother, now=town.now)
    for account in (town.mother, town.father.account):
        tell(
            town.session, "result_published", account_id=account.id, key=f"a:{account.id}", now=town.now,
            child_id=town.ana.child_id, application_id=town.ana.id,
        )  # fmt: skip
    sent = claims.claim(town.session, policy, 100, token=uuid.uuid4(), now=town.now)
    assert town.mother.phone not in {each.to for each in sent}
    assert town.father.phone in {each.to for each in sent}
    kept = town.session.scalars(select(Notice).where(Notice.key == f"a:{town.mother.id}")).one()
    town.session.refresh(kept)
    assert (kept.state, kept.last_error) == (MessageState.UNDELIVERABLE, DeliveryError.DOUBTED_NUMBER)


def test_who_never_applied_gets_the_number_after_the_waiting_time_and_a_new_account(family):
    town = family
    phone = town.mother.phone
    change = disclaimed(town)
    assert disclaimed(town).id == change.id, "two browsers at once: one release"
    assert change.effective_at == town.now + phone_changes.SESSION_WAIT
    assert told(town, "phone_release_waiting") == {town.mother.id: "you", town.father.account.id: "mother"}
    town.at(change.effective_at - dt.timedelta(minutes=1))
    assert phone_change_course.end_waiting_times(town.session, now=town.now) == []
    town.at(change.effective_at)
    (ended,) = phone_change_course.end_waiting_times(town.session, now=town.now)
    assert ended.old_phone is None, "nothing is sent to the new holder about another person's account"
    assert (town.mother.phone, town.mother.phone_index, town.mother.phone_proven_at) == (None, None, None)
    assert told(town, "phone_released") == {town.mother.id: "you", town.father.account.id: "mother"}
    stranger = sign_in.account_of_phone(town.session, phone, now=town.now)
    assert stranger.id != town.mother.id
    assert town.session.scalars(select(PhoneDoubt)).all() == []


def test_the_former_holder_objects_by_the_answer_and_is_not_asked_to_wait_again(family):
    town = family
    change = disclaimed(town)
    assert answered(town, town.end) == Answer.RIGHT
    assert change.outcome == "stopped"
    town.mother.phone_proven_at = town.now - PHONE_DOUBT_DAYS * DAY
    with pytest.raises(Refused) as refused:
        disclaimed(town)
    assert refused.value.code == "phone_held"


def test_the_former_holder_objects_at_a_desk_with_the_document(family):
    town = family
    clerk = town.clerk_of(town.garden)
    change = disclaimed(town)
    with pytest.raises(Refused) as refused:
        phone_changes.stop_at_desk(town.session, town.ana.id, town.mother.id, by=clerk, now=town.now)
    assert refused.value.code == "identity_check_needed"
    desk_access.check_identity(
        town.session, town.ana.id, town.mother.id, document_kind="resident", document_end=town.end, purpose="desk",
        by=clerk, now=town.now,
    )  # fmt: skip
    assert phone_changes.stop_at_desk(town.session, town.ana.id, town.mother.id, by=clerk, now=town.now)
    assert change.outcome == "stopped"


def test_a_family_whose_only_phone_is_doubted_stands_on_the_desks_list(family):
    town = family
    disclaimed(town)
    for notice in town.session.scalars(select(Notice).where(Notice.kind == "phone_release_waiting")):
        notice.state, notice.last_error = MessageState.UNDELIVERABLE, DeliveryError.DOUBTED_NUMBER
    town.session.flush()
    (listed,) = desk_contacts.families_to_contact(town.session, by=town.clerk_of(town.garden), now=town.now)
    assert [kind for kind, _params in listed.says] == ["phone_release_waiting"]


def test_a_helper_opens_no_account_of_a_doubted_number(family):
    town = family
    with pytest.raises(Refused) as refused:
        town.mandate_by_code(town.helper(), town.mother.phone)
    assert refused.value.code == "phone_doubted"
    town.mother.phone_proven_at = town.now - 20 * DAY
    town.mandate_by_code(town.helper(), town.mother.phone)
    assert town.mother.phone_proven_at == town.now, "the code that the guardian read out proves the number"
