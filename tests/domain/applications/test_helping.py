"""A community helper enters a family's application: with its consent, in its sight, and nothing more than that."""

import datetime as dt

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from enrollment.applications import (
    account_closing,
    applications,
    mandates,
    receipts,
    register_answers,
    registration,
    sibling_binding,
    submission,
)
from enrollment.applications.application_rows import ApplicationVersion
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.mandates import Mandate
from enrollment.eligibility import evidence, households
from enrollment.ground import sign_in
from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import offers, withdrawals
from enrollment.people import consents, guardians, invitations
from enrollment.people.consents import Consent
from enrollment.reports import personal_data
from enrollment.review import cases
from enrollment.season.document_kinds import Document
from tests.domain.applications.helped_guardian import MOTHERS_NUMBER, PHONE, guardian_signs_in, told
from tests.support.prepared import prepared
from tests.support.town_families import id_number
from tests.support.town_helping import photo_of_a_paper, terms


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=5)
    town.open_registration()
    return found


@prepared
def yang(town, garden):
    return town.helper("小杨")


@prepared
def acting(town, yang):
    return town.acting(yang, town.mandate_by_code(yang, PHONE))


# --- the story


def test_a_grandmother_without_a_smartphone_comes_to_the_community_centre(town, garden, yang):
    mandate = town.mandate_by_code(yang, PHONE, registers=True)
    acting = town.acting(yang, mandate)
    baby = town.helper_enters(acting, "张小宝", wishes=[garden])
    guardian = guardian_signs_in(town)

    assert (baby.stage, baby.entered_by, baby.entered_for) == ("submitted", yang.account_id, guardian.account_id)
    receipt = receipts.latest(town.session, baby)
    assert (receipt.helper, receipt.registration_code) == ("小杨", baby.registration_code)
    assert applications.list_own(town.session, by=guardian) == [baby]
    assert sorted(told(town, guardian)) == ["application_submitted_by_helper", "mandate_by_code"]
    assert told(town, yang) == []

    again = submission.submit(town.session, baby.id, by=acting, now=town.now)
    assert again.number == 1, "handing in twice is one submission"
    households.save(town.session, baby.id, hukou_kind="elsewhere", home_area="510104", by=guardian, now=town.now)
    assert receipts.latest(town.session, baby).helper is None, "the guardian corrected it alone"
    households.save(town.session, baby.id, hukou_kind="collective", hukou_area="510104", by=acting, now=town.now)
    assert receipts.latest(town.session, baby).helper == "小杨"
    assert told(town, guardian).count("application_changed_by_helper") == 1


def test_every_act_shows_the_helper_and_the_guardian(town, garden, yang, acting):
    baby = town.helper_enters(acting, wishes=[garden])
    entries = town.session.scalars(select(AuditEntry).where(AuditEntry.account_id == yang.account_id)).all()
    assert {"give_mandate", "consent", "save_guardian", "enter_child", "start", "wish", "submit"} == {
        e.act for e in entries
    }
    assert {entry.details["for_account"] for entry in entries} == {str(acting.account_id)}
    moves = town.session.scalars(select(MoveMade.account_id).where(MoveMade.application_id == baby.id)).all()
    assert moves == [yang.account_id]
    versions = select(ApplicationVersion.submitted_by).where(ApplicationVersion.application_id == baby.id)
    assert town.session.scalars(versions).all() == [yang.account_id]
    in_the_guardians_name = select(func.count()).where(AuditEntry.account_id == acting.account_id)
    assert town.session.scalar(in_the_guardians_name) == 0


def test_the_guardian_sees_who_acted_and_ends_it(town, garden, yang):
    mandate = town.mandate_by_code(yang, PHONE)
    baby = town.helper_enters(town.acting(yang, mandate), wishes=[garden])
    guardian = guardian_signs_in(town)
    assert mandates.of_guardian(town.session, by=guardian) == [mandate]
    assert next(entry.act for entry in mandates.acts_under(town.session, mandate)) == "submit"
    mandates.end(town.session, mandate.id, by=guardian, now=town.now)
    assert mandates.acting_for(town.session, mandate.id, by=yang, now=town.now) is None
    assert mandates.live_of_helper(town.session, by=yang, now=town.now) == []
    with pytest.raises(NotFound):
        mandates.go_on(town.session, mandate.id, by=yang, now=town.now)
    assert applications.list_own(town.session, by=guardian) == [baby], "what was entered stays the family's"


# --- the consent


def test_the_consent_is_a_row_with_its_text_its_way_and_its_end(town, yang):
    mandate = town.mandate_by_code(yang, PHONE, registers=True)
    assert (mandate.way, mandate.year, mandate.text_digest) == ("code", 2026, terms().mandate.digest)
    assert mandate.ends_at - mandate.given_at == dt.timedelta(days=30)
    given = town.session.scalars(select(Consent).order_by(Consent.kind)).all()
    assert [(one.kind, one.account_id, one.mandate_id) for one in given] == [
        (kind, mandate.account_id, mandate.id) for kind in sorted(consents.KINDS)
    ]


def test_no_mandate_is_longer_than_thirty_days_whatever_is_written(town, yang):
    mandate = town.mandate_by_code(yang, PHONE)
    longer = update(Mandate).where(Mandate.id == mandate.id).values(ends_at=mandate.given_at + dt.timedelta(days=31))
    with pytest.raises(IntegrityError, match="at_most_thirty_days"), town.session.begin_nested():
        town.session.execute(longer)


def test_a_code_is_good_for_one_helper_and_for_the_texts_it_was_asked_for(town, yang):
    other = town.helper("小李")
    code = mandates.ask(town.session, PHONE, terms(), by=yang, now=town.now)
    given = {"session": town.session, "phone": PHONE, "code": code, "now": town.now}
    assert mandates.give_by_code(**given, terms=terms(), by=other) is None
    assert mandates.give_by_code(**given, terms=terms(registers=True), by=yang) is None
    assert mandates.give_by_code(**given, terms=terms(), by=yang) is not None
    assert mandates.give_by_code(**given, terms=terms(), by=yang) is None, "once"


def test_the_code_that_a_guardian_reads_out_signs_nobody_in_and_the_other_way_round(town, yang):
    code = mandates.ask(town.session, PHONE, terms(), by=yang, now=town.now)
    assert sign_in.use_code(town.session, PHONE, code, now=town.now) is False
    entrance = sign_in.send_code(town.session, PHONE, now=town.now)
    assert (
        mandates.give_by_code(town.session, PHONE, entrance, terms(), by=yang, now=town.now) is None or entrance == code
    )


def test_five_wrong_codes_spend_it_and_a_phone_is_not_flooded(town, yang):
    code = mandates.ask(town.session, PHONE, terms(), by=yang, now=town.now)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _try in range(sign_in.CODE_TRIES):
        assert mandates.give_by_code(town.session, PHONE, wrong, terms(), by=yang, now=town.now) is None
    assert mandates.give_by_code(town.session, PHONE, code, terms(), by=yang, now=town.now) is None
    asked = [mandates.ask(town.session, PHONE, terms(), by=yang, now=town.now) for _ in range(sign_in.CODES_AN_HOUR)]
    assert asked[-1] is None
    assert sign_in.send_code(town.session, PHONE, now=town.now) is not None, "the family still gets in"


def test_only_a_helper_asks_and_nothing_is_asked_when_nothing_can_be_entered(town, garden, yang):
    for nobody in (town.city_official(), town.family("李").actor, town.head_of(garden)):
        with pytest.raises(NotFound):
            mandates.ask(town.session, PHONE, terms(), by=nobody, now=town.now)
    with pytest.raises(Refused, match="nothing_to_enter"):
        mandates.ask(town.session, PHONE, terms(year=2025), by=yang, now=town.now)


def test_a_mandate_ends_by_itself_when_the_list_is_frozen(town, garden, yang):
    mandate = town.mandate_by_code(yang, PHONE)
    town.helper_enters(town.acting(yang, mandate), wishes=[garden])
    town.everyone_is_reviewed()
    assert town.acting(yang, mandate), "until the freeze a returned application may be corrected"
    town.freeze()
    assert mandates.acting_for(town.session, mandate.id, by=yang, now=town.now) is None


def test_after_thirty_days_it_is_over(town, yang):
    mandate = town.mandate_by_code(yang, PHONE)
    later = town.now + dt.timedelta(days=30)
    assert mandates.acting_for(town.session, mandate.id, by=yang, now=later) is None
    assert mandates.live_of_helper(town.session, by=yang, now=later) == []


def test_a_returned_application_is_completed_by_the_helper(town, garden, yang):
    mandate = town.mandate_by_code(yang, PHONE)
    acting = town.acting(yang, mandate)
    baby = town.helper_enters(acting, wishes=[garden])
    town.registration_is_over()
    town.clerk_sends_back(baby, "hukou_booklet")
    evidence.add_pages(town.session, baby.id, Document.HUKOU_BOOKLET, [photo_of_a_paper()], by=acting, now=town.now)
    assert town.submit(baby, by=acting).helper == "小杨"
    assert baby.stage == "submitted"


def test_the_registers_are_asked_where_the_guardian_agreed_by_the_code(town, garden, yang):
    with_check = town.helper_enters(
        town.acting(yang, town.mandate_by_code(yang, PHONE, registers=True)), wishes=[garden]
    )
    without = town.mandate_by_code(yang, "13811113333")
    town.helper_enters(town.acting(yang, without), "李小宝", wishes=[garden], guardian="李四")
    assert register_answers.to_ask(town.session, now=town.now) == [with_check.id]
    assert register_answers.keeping_silent_or_agreeing(town.session, with_check)


# --- what a helper does not see, and may not do


def test_a_helper_sees_what_it_entered_and_nothing_else(town, garden, yang):
    li = town.family("李", phone=PHONE)
    own = town.child("李大宝", family=li, wishes=[garden])
    stranger = town.child("王小宝", wishes=[garden])
    acting = town.acting(yang, town.mandate_by_code(yang, PHONE))
    baby = town.helper_enters(acting, "李小宝", wishes=[garden])
    assert applications.list_own(town.session, by=acting) == [baby]
    assert sibling_binding.may_bind(town.session, baby, by=acting) == []
    for foreign in (own, stranger):
        with pytest.raises(NotFound):
            applications.own(town.session, foreign.id, by=acting)
        with pytest.raises(NotFound):
            households.save(town.session, foreign.id, hukou_kind="local", by=acting, now=town.now)
    other = town.helper("小李")
    theirs = town.acting(other, town.mandate_by_code(other, PHONE))
    assert applications.list_own(town.session, by=theirs) == [], "another helper of the same family neither"
    assert set(applications.list_own(town.session, by=li.actor)) == {own, baby}


def test_a_child_that_the_family_began_itself_stays_with_the_family(town, garden, yang):
    li, number = town.family("李", phone=PHONE), id_number(dt.date(2023, 3, 12))
    town.child("李大宝", family=li, number=number)
    acting = town.acting(yang, town.mandate_by_code(yang, PHONE))
    with pytest.raises(Refused, match="begun_by_the_family"):
        town.helper_enters(acting, "李大宝", number=number)


def test_what_the_guardian_said_of_itself_only_it_corrects(town, yang):
    li = town.family("李", phone=PHONE)
    acting = town.acting(yang, town.mandate_by_code(yang, PHONE))
    said = {"name": "别人", "id_kind": "resident", "id_number": "", "now": town.now}
    with pytest.raises(Refused, match="guardian_said_it_itself"):
        registration.save_guardian(town.session, **said, by=acting)
    assert guardians.guardian_of(town.session, by=li.actor).name == "李家长"


def test_what_the_helper_typed_wrong_it_corrects(town, garden, acting):
    baby = town.helper_enters(acting, wishes=[garden], guardian="张山")
    corrected = {"name": "张三", "id_kind": "resident", "id_number": "", "now": town.now}
    registration.save_guardian(town.session, **corrected, by=acting)
    assert receipts.latest(town.session, baby).changed == ("guardians",)


FORBIDDEN = {
    "withdraw": lambda s, a, by, now: submission.withdraw(s, a.id, by=by, now=now),
    "withdraw the consent": lambda s, a, by, now: withdrawals.withdraw_consent(s, by=by, now=now),
    "give a consent": lambda s, a, by, now: consents.give(
        s, "ask_property", text_version="1", text_digest="0" * 64, by=by, now=now
    ),
    "take a consent back": lambda s, a, by, now: consents.withdraw(s, "child_data", by=by, now=now),
    "download": lambda s, a, by, now: personal_data.export(s, by=by, now=now),
    "download files": lambda s, a, by, now: list(personal_data.uploaded_files(s, by=by, now=now)),
    "open a dispute": lambda s, a, by, now: cases.open_dispute(
        s, child_name="甲", id_kind="resident", id_number=MOTHERS_NUMBER, text="由我抚养", by=by, now=now
    ),
    "dispute a register": lambda s, a, by, now: register_answers.dispute(s, a.id, "home_area", by=by, now=now),
    "invite": lambda s, a, by, now: invitations.invite(s, a.child_id, "13877776666", by=by, now=now),
    "close the account": lambda s, a, by, now: account_closing.close(s, by=by, now=now),
    "end the mandates": lambda s, a, by, now: mandates.end_all(s, by=by, now=now),
}


def test_what_a_family_decides_it_decides_itself(town, garden, acting):
    baby = town.helper_enters(acting, wishes=[garden])
    for act, tried in FORBIDDEN.items():
        with pytest.raises(Refused) as refused:
            tried(town.session, baby, acting, town.now)
        assert refused.value.code == "only_the_guardian", act
    assert baby.stage == "submitted"


def test_a_place_is_confirmed_or_declined_by_the_guardian_alone(town, garden, yang):
    acting = town.acting(yang, town.mandate_by_code(yang, PHONE))
    baby = town.helper_enters(acting, wishes=[garden])
    town.drawn(baby)
    offer = town.offer_for(baby)
    with pytest.raises(Refused, match="only_the_guardian"):
        offers.confirm(town.session, offer.id, wait=False, by=acting, now=town.now)
    with pytest.raises(Refused, match="only_the_guardian"):
        offers.decline(town.session, offer.id, by=acting, now=town.now)
    assert (
        offers.confirm(town.session, offer.id, wait=False, by=town.parent_of(baby), now=town.now).state == "confirmed"
    )


def test_taking_up_a_withdrawn_application_is_the_guardians(town, garden, yang):
    number = id_number(dt.date(2023, 3, 12))
    acting = town.acting(yang, town.mandate_by_code(yang, PHONE))
    baby = town.helper_enters(acting, wishes=[garden], number=number)
    town.withdraw(baby)
    with pytest.raises(Refused, match="only_the_guardian"):
        town.helper_enters(acting, number=number)
    assert town.apply_again(baby).stage == "draft"


def test_a_mandate_of_another_helper_opens_nothing(town, yang):
    mandate, other = town.mandate_by_code(yang, PHONE), town.helper("小李")
    assert mandates.acting_for(town.session, mandate.id, by=other, now=town.now) is None
    with pytest.raises(NotFound):
        mandates.end(town.session, mandate.id, by=other, now=town.now)
    with pytest.raises(NotFound):
        mandates.end(town.session, mandate.id, by=town.family("王").actor, now=town.now)


def test_taking_the_consent_back_or_closing_the_account_ends_every_mandate(town, garden, yang):
    mandate = town.mandate_by_code(yang, PHONE)
    guardian = guardian_signs_in(town)
    withdrawals.withdraw_consent(town.session, by=guardian, now=town.now)
    assert mandates.acting_for(town.session, mandate.id, by=yang, now=town.now) is None
    again = town.mandate_by_code(yang, PHONE)
    account_closing.close(town.session, by=guardian, now=town.now)
    assert mandates.acting_for(town.session, again.id, by=yang, now=town.now) is None
    town.at(town.now + dt.timedelta(minutes=1))
    code = mandates.ask(town.session, PHONE, terms(), by=yang, now=town.now)
    fresh = mandates.give_by_code(town.session, PHONE, code, terms(), by=yang, now=town.now)
    assert fresh.account_id != again.account_id, "the closed account gave its number back"


def test_a_helper_who_is_one_no_more_acts_for_nobody(town, yang):
    mandate = town.mandate_by_code(yang, PHONE)
    account = town.session.get_one(Account, yang.account_id)
    account.grants[0].role = "auditor"
    assert mandates.acting_for(town.session, mandate.id, by=actor_of(account), now=town.now) is None
