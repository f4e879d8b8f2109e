"""A printed access code opens a guardian's account: it is not in one clerk's power, and nobody gets in without a message."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.applications.guardian_access import (
    access_code_proofs,
    access_codes,
    desk_access,
    phone_change_course,
    phone_changes,
)
from enrollment.delivery.message_choices import AT_ONCE
from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused
from enrollment.ground.outbox import Notice
from enrollment.people.desk_rows import PhoneDoubt
from enrollment.people.person_rows import Guardian
from tests.support.prepared import prepared

NEW = "13955556666"


@prepared
def family(town):
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.mother = town.session.get_one(Account, town.ana.entered_by)
    town.father = town.second_guardian(town.ana)
    town.clerk, town.head = town.clerk_of(town.garden), town.clerk_of(town.garden)
    return town


def check(town, by, end=None):
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one()
    return desk_access.check_identity(
        town.session, town.ana.id, town.mother.id, document_kind="resident",
        document_end=end or guardian.id_number[-4:], purpose="desk", by=by, now=town.now,
    )  # fmt: skip


def issue(town, by, **more):
    return access_codes.issue(town.session, town.ana.id, town.mother.id, by=by, now=town.now, **more)


def text_of_a_code(town):
    check(town, town.clerk)
    sent = access_code_proofs.send_code(town.session, town.ana.id, town.mother.id, by=town.clerk, now=town.now)
    return issue(town, town.clerk, phone_code=sent).text


def told(town, kind):
    return sorted(town.session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


def signs_in(town, text):
    return access_codes.sign_in_with(town.session, text, now=town.now)


def test_one_clerk_alone_prints_no_code_for_an_account_with_a_phone(family):
    town = family
    check(town, town.clerk)
    with pytest.raises(Refused) as refused:
        issue(town, town.clerk)
    assert refused.value.code == "phone_code_needed"
    sent = access_code_proofs.send_code(town.session, town.ana.id, town.mother.id, by=town.clerk, now=town.now)
    assert issue(town, town.clerk, phone_code="000000" if sent != "000000" else "111111") == (None, "")
    assert signs_in(town, issue(town, town.clerk, phone_code=sent).text).id == town.mother.id


def test_without_the_phone_a_second_person_agrees_to_one_code(family):
    town = family
    check(town, town.clerk)
    town.session.add(PhoneDoubt(account_id=town.mother.id, since=town.now))
    town.session.flush()
    for act in (access_code_proofs.send_code, access_codes.issue):
        with pytest.raises(Refused) as refused:
            act(town.session, town.ana.id, town.mother.id, by=town.clerk, now=town.now)
        assert refused.value.code == "second_person_for_code"
    agree = {"by": town.head, "now": town.now}
    with pytest.raises(Refused) as refused:
        access_code_proofs.agree(town.session, town.ana.id, town.mother.id, **agree)
    assert refused.value.code == "identity_check_needed"
    access_code_proofs.agree(town.session, town.ana.id, town.mother.id, by=town.clerk, now=town.now)
    with pytest.raises(Refused):
        issue(town, town.clerk)
    check(town, town.head)
    access_code_proofs.agree(town.session, town.ana.id, town.mother.id, **agree)
    town.at(town.now + dt.timedelta(minutes=1))
    assert signs_in(town, issue(town, town.clerk).text)
    with pytest.raises(Refused):
        issue(town, town.clerk)


def test_every_guardian_is_told_of_a_code_and_of_each_use(family):
    town = family
    both = sorted((town.mother.id, town.father.account.id))
    text = text_of_a_code(town)
    assert told(town, "access_code_issued") == both
    for use in (1, 2):
        assert signs_in(town, text)
        assert told(town, "access_code_used") == sorted(both * use)
    assert {"access_code_issued", "access_code_used"} <= set(AT_ONCE)
    entry = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "use_access_code")).first()
    assert entry.details["issued_by"] == str(town.clerk.account_id)


@pytest.mark.parametrize("stop", [False, True])
def test_a_change_of_the_phone_and_its_stop_end_the_code(family, stop):
    town = family
    text, mother = text_of_a_code(town), actor_of(town.mother)
    codes = phone_changes.send_codes(town.session, town.mother.id, NEW, by=mother, now=town.now)
    old = "" if stop else codes.old
    request = phone_changes.request_change(town.session, NEW, codes.new, old, by=mother, now=town.now)
    assert signs_in(town, text), "until something has changed"
    if stop:
        assert phone_change_course.stop_own(town.session, by=mother, now=town.now)
    else:
        phone_change_course.take_effect_now(town.session, request.change, by=mother, now=town.now)
    assert signs_in(town, text) is None


def test_the_guardian_ends_the_code(family):
    town = family
    text = text_of_a_code(town)
    assert access_codes.revoke_own(town.session, by=actor_of(town.mother), now=town.now)
    assert signs_in(town, text) is None
    assert not access_codes.revoke_own(town.session, by=actor_of(town.mother), now=town.now)


def test_documents_that_differ_are_counted(family):
    town = family
    for _slip in range(desk_access.WRONG_CHECKS):
        assert check(town, town.clerk, end="0000") is None
    with pytest.raises(Refused) as refused:
        check(town, town.clerk)
    assert refused.value.code == "too_many_checks"
    assert check(town, town.head), "a colleague looks at the document"
    noted = select(func.count()).where(AuditEntry.act == "check_identity_differs")
    assert town.session.scalar(noted) == desk_access.WRONG_CHECKS
    town.at(town.now + desk_access.WRONG_CHECKS_WITHIN)
    assert check(town, town.clerk)
