"""FAM10: the phone with which a guardian signs in changes from a session or at a desk, and never by surprise."""

import datetime as dt

import pytest
from sqlalchemy import select, update

from enrollment.applications.guardian_access import desk_access, phone_change_course, phone_changes
from enrollment.ground import sign_in
from enrollment.ground.accounts import Account
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.ground.phones import parse_phone, phone_index
from enrollment.ground.sign_in import WebSession
from enrollment.ground.signatures import OPEN_FOR
from enrollment.offers import answer_deadlines, desk_contacts, offers
from enrollment.people.person_rows import Guardian
from tests.support.prepared import prepared

NEW = "13955556666"


@prepared
def family(town):
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.mother = town.session.get_one(Account, town.ana.entered_by)
    town.father = town.second_guardian(town.ana)
    return town


def session_of(town, account):
    town.session.add(
        WebSession(
            digest=f"{account.id}".encode(), account_id=account.id, data={}, created_at=town.now, seen_at=town.now,
            expires_at=town.now + dt.timedelta(hours=1),
        )
    )  # fmt: skip
    town.session.flush()


def ask_from_session(town, *, old: bool, new_phone: str = NEW):
    by = town.parent_of(town.ana)
    codes = phone_changes.send_codes(town.session, by.account_id, new_phone, by=by, now=town.now)
    request = phone_changes.request_change(
        town.session, new_phone, codes.new, codes.old if old else "", by=by, now=town.now
    )
    if request.change is not None:
        phone_change_course.take_effect_now(town.session, request.change, by=by, now=town.now)
    return request


def told(town, kind):
    return set(town.session.scalars(select(Notice.account_id).where(Notice.kind == kind)))


def test_fam10_with_a_code_of_both_phones_it_changes_at_once(family):
    town = family
    session_of(town, town.mother)
    request = ask_from_session(town, old=True)
    assert request.change.outcome == "done"
    assert town.mother.phone == parse_phone(NEW)
    assert sign_in.account_of_phone(town.session, NEW, now=town.now).id == town.mother.id
    assert town.session.scalars(select(WebSession)).all() == [], "all sessions of the account have ended"
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one()
    town.session.refresh(guardian)
    assert guardian.phone == parse_phone(NEW)
    assert told(town, "phone_changed") == {town.mother.id, town.father.account.id}


def test_fam10_without_the_old_phone_it_waits_and_then_takes_effect(family):
    town = family
    old = town.mother.phone
    request = ask_from_session(town, old=False)
    assert request.change.effective_at == town.now + phone_changes.SESSION_WAIT
    assert told(town, "phone_change_waiting") == {town.mother.id, town.father.account.id}
    assert sign_in.account_of_phone(town.session, old, now=town.now).id == town.mother.id
    town.at(request.change.effective_at - dt.timedelta(minutes=1))
    assert phone_change_course.end_waiting_times(town.session, now=town.now) == []
    town.at(request.change.effective_at)
    (ended,) = phone_change_course.end_waiting_times(town.session, now=town.now)
    assert (ended.old_phone, town.mother.phone) == (old, parse_phone(NEW))
    assert phone_change_course.end_waiting_times(town.session, now=town.now) == [], "it can run twice"


def test_fam10_whoever_holds_the_old_number_stops_it(family):
    town = family
    old = town.mother.phone
    request = ask_from_session(town, old=False)
    session_of(town, town.mother)
    assert not phone_change_course.stop_by_link(town.session, "another", now=town.now)
    assert phone_change_course.stop_by_link(town.session, request.stop_token, now=town.now)
    assert town.session.scalars(select(WebSession)).all() == []
    assert not phone_change_course.stop_by_link(town.session, request.stop_token, now=town.now)
    town.at(town.now + dt.timedelta(days=4))
    assert phone_change_course.end_waiting_times(town.session, now=town.now) == []
    assert town.mother.phone == old
    again = ask_from_session(town, old=False)
    assert phone_change_course.stop_own(town.session, by=town.parent_of(town.ana), now=town.now)
    assert again.change.outcome == "stopped"


def test_fam10_one_change_at_a_time_and_a_wrong_code_counts(family):
    town = family
    by = town.parent_of(town.ana)
    codes = phone_changes.send_codes(town.session, by.account_id, NEW, by=by, now=town.now)
    for new, old, wrong in (("000000x", "", "new_code"), (codes.new, "000000x", "old_code")):
        request = phone_changes.request_change(town.session, NEW, new, old, by=by, now=town.now)
        assert (request.change, request.wrong_field) == (None, wrong)
    town.at(town.now + dt.timedelta(minutes=1))
    ask_from_session(town, old=False)
    with pytest.raises(Refused) as refused:
        phone_changes.send_codes(town.session, by.account_id, "13955557777", by=by, now=town.now)
    assert refused.value.code == "phone_change_waiting"


def test_fam10_a_number_of_another_account(family):
    """Asking answers the same.  A guardian's number is not taken away; one that nobody used further is."""
    town = family
    other = town.family("赵")
    assert ask_from_session(town, old=True, new_phone=other.phone).change.outcome == "taken"
    assert other.account.phone == other.phone
    town.at(town.now + dt.timedelta(minutes=1))
    visitor = sign_in.account_of_phone(town.session, NEW, now=town.now)
    assert ask_from_session(town, old=True).change.outcome == "done"
    assert (visitor.phone_index, visitor.disabled_at) == (None, town.now)


def at_desk(town, clerk, *, end=None, new_phone=NEW, old=False):
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one()
    desk_access.check_identity(
        town.session, town.ana.id, town.mother.id, document_kind="resident",
        document_end=end or guardian.id_number[-4:], purpose="desk", by=clerk, now=town.now,
    )  # fmt: skip
    codes = phone_changes.send_codes(town.session, town.mother.id, new_phone, by=clerk, now=town.now)
    return phone_changes.request_at_desk(
        town.session, town.ana.id, town.mother.id, new_phone, codes.new, codes.old if old else "", by=clerk,
        now=town.now,
    ).change  # fmt: skip


def test_fam10_at_a_desk_two_people_see_the_document_and_the_old_number_has_a_day(family):
    town = family
    clerk, head = town.clerk_of(town.garden), town.clerk_of(town.garden)
    change = at_desk(town, clerk)
    assert change.effective_at is None
    with pytest.raises(Refused) as refused:
        phone_changes.confirm_at_desk(town.session, change.id, by=clerk, now=town.now)
    assert refused.value.code == "second_person_needed"
    assert phone_changes.waiting_at_desk(town.session, by=head) == [change]
    phone_changes.confirm_at_desk(town.session, change.id, by=head, now=town.now)
    assert change.effective_at == town.now + phone_changes.DESK_WAIT
    town.at(change.effective_at)
    assert len(phone_change_course.end_waiting_times(town.session, now=town.now)) == 1
    assert town.mother.phone_index == phone_index(NEW)


def test_fam10_a_desk_needs_the_right_document_and_its_own_families(family):
    town = family
    clerk = town.clerk_of(town.garden)
    with pytest.raises(Refused) as refused:
        at_desk(town, clerk, end="0000")
    assert refused.value.code == "identity_check_needed"
    with pytest.raises(Refused) as refused:
        phone_changes.request_at_desk(town.session, town.ana.id, town.mother.id, NEW, "1", "", by=clerk, now=town.now)
    assert refused.value.code == "identity_check_needed"
    with pytest.raises(NotFound):
        at_desk(town, town.clerk_of(town.kindergarten("别处", places=1)))


def refused_at_desk(town, change, by):
    return phone_changes.refuse_at_desk(town.session, change.id, by=by, now=town.now)


def test_fam10_a_second_person_who_distrusts_a_request_ends_it(family):
    town = family
    clerk, head = town.clerk_of(town.garden), town.clerk_of(town.garden)
    change = at_desk(town, clerk)
    with pytest.raises(NotFound):
        refused_at_desk(town, change, town.clerk_of(town.kindergarten("别处", places=1)))
    assert refused_at_desk(town, change, head)
    assert (change.outcome, told(town, "phone_change_refused")) == ("refused", {town.mother.id, town.father.account.id})
    assert not refused_at_desk(town, change, head)
    assert phone_changes.confirm_at_desk(town.session, change.id, by=head, now=town.now).confirmed_at is None
    town.at(town.now + dt.timedelta(minutes=1))
    again = at_desk(town, clerk)
    phone_changes.confirm_at_desk(town.session, again.id, by=head, now=town.now)
    assert again.confirmed_at and not refused_at_desk(town, again, head), "a refusal asks for no official"


@pytest.mark.parametrize("way", ["session", "desk"])
def test_fam10_the_guardian_stops_any_change_at_a_desk(family, way):
    town = family
    clerk = town.clerk_of(town.garden)
    change = ask_from_session(town, old=False).change if way == "session" else at_desk(town, clerk)
    session_of(town, town.mother)
    here = {"by": town.clerk_of(town.garden), "now": town.now}
    with pytest.raises(Refused, match="identity_check_needed"):
        phone_changes.stop_at_desk(town.session, town.ana.id, town.mother.id, **here)
    guardian = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one()
    desk_access.check_identity(
        town.session, town.ana.id, town.mother.id, document_kind="resident", document_end=guardian.id_number[-4:],
        purpose="desk", **here,
    )  # fmt: skip
    assert phone_changes.stop_at_desk(town.session, town.ana.id, town.mother.id, **here)
    assert change.outcome == "stopped"
    assert town.session.scalars(select(WebSession)).all() == [], "a stranger may have asked from a session"
    assert not phone_changes.stop_at_desk(town.session, town.ana.id, town.mother.id, **here)


def test_fam10_a_desk_asks_for_no_number_of_another_guardian(family):
    town = family
    other = town.family("赵")
    with pytest.raises(Refused, match="phone_taken"):
        at_desk(town, town.clerk_of(town.garden), new_phone=other.phone)


def test_fam10_a_slip_in_the_old_code_leaves_the_new_one_good(family):
    town = family
    by = town.parent_of(town.ana)
    codes = phone_changes.send_codes(town.session, by.account_id, NEW, by=by, now=town.now)
    wrong = "000000" if codes.old != "000000" else "111111"
    for old, field in ((wrong, "old_code"), (codes.old, None)):
        request = phone_changes.request_change(town.session, NEW, codes.new, old, by=by, now=town.now)
        assert request.wrong_field == field
    assert request.change.old_answered
    newest = town.session.scalars(select(sign_in.OneTimeCode).order_by(sign_in.OneTimeCode.tries.desc())).first()
    assert newest.tries == 1, "the slip counts"


def test_fam10_after_a_stop_by_the_old_number_only_an_official_confirms(family):
    town = family
    clerk, head = town.clerk_of(town.garden), town.clerk_of(town.garden)
    first = at_desk(town, clerk)
    phone_changes.confirm_at_desk(town.session, first.id, by=head, now=town.now)
    assert phone_change_course.stop_own(town.session, by=town.parent_of(town.ana), now=town.now)
    town.at(town.now + dt.timedelta(hours=2))
    second = at_desk(town, clerk)
    with pytest.raises(Refused) as refused:
        phone_changes.confirm_at_desk(town.session, second.id, by=head, now=town.now)
    assert refused.value.code == "official_needed"
    phone_changes.confirm_at_desk(town.session, second.id, by=town.area_official(), now=town.now)
    assert second.effective_at == town.now


def test_fam10_a_lost_phone_lets_no_answer_run_out(family):
    town = family
    town.drawn(town.ana)
    offer = town.session.scalars(select(offers.Offer).where(offers.Offer.application_id == town.ana.id)).one()
    town.at(offer.answer_by - dt.timedelta(hours=30))
    answer_deadlines.remind_due(town.session, now=town.now + dt.timedelta(hours=7))
    change = ask_from_session(town, old=False).change
    assert change.effective_at > offer.answer_by
    town.at(offer.answer_by + dt.timedelta(hours=1))
    assert answer_deadlines.expire_due(town.session, now=town.now) == 0
    assert offer.answer_by == change.effective_at + dt.timedelta(days=1)
    town.at(offer.answer_by)
    phone_change_course.end_waiting_times(town.session, now=town.now)
    assert answer_deadlines.expire_due(town.session, now=town.now + dt.timedelta(minutes=1)) == 1


def called_about(town, clerk) -> set[str]:
    waiting = desk_contacts.families_to_contact(town.session, by=clerk, now=town.now)
    return {kind for each in waiting for kind, _params in each.says if kind.startswith("phone_change")}


@pytest.mark.parametrize("end", ["lapsed", "refused", "stopped by the link"])
def test_a_desk_calls_the_family_whose_number_stays_though_it_may_be_lost(town, end):
    """The message went to the number that the family asked to replace."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.mother = town.session.get_one(Account, town.ana.entered_by)
    clerk, head = town.clerk_of(town.garden), town.head_of(town.garden)
    change = at_desk(town, clerk)
    if end == "lapsed":
        town.at(town.now + OPEN_FOR)
        phone_change_course.end_waiting_times(town.session, now=town.now)
    elif end == "refused":
        refused_at_desk(town, change, head)
    else:
        phone_changes.confirm_at_desk(town.session, change.id, by=head, now=town.now)
        token = phone_change_course.new_stop_token(town.session, change)
        assert phone_change_course.stop_by_link(town.session, token, now=town.now)
    town.session.execute(update(Notice).values(state="sent"))
    assert called_about(town, clerk) == {f"phone_change_{end.split()[0]}"}
    town.session.execute(update(Notice).values(read_at=town.now))
    assert called_about(town, clerk) == set()


def test_nobody_is_called_where_the_other_guardian_got_it_or_the_guardian_stopped_it(family):
    town, clerk = family, family.clerk_of(family.garden)
    at_desk(town, clerk)
    town.at(town.now + OPEN_FOR)
    phone_change_course.end_waiting_times(town.session, now=town.now)
    town.session.execute(update(Notice).values(state="sent"))
    assert called_about(town, clerk) == set(), "the father got it"
    at_desk(town, clerk)
    assert phone_change_course.stop_own(town.session, by=town.parent_of(town.ana), now=town.now)
    town.session.execute(update(Notice).where(Notice.account_id == town.mother.id).values(state="undeliverable"))
    assert called_about(town, clerk) == set()
