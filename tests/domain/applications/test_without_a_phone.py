"""FAM11: a family without a mobile phone goes the whole way: helper, printed code, answers at a desk, reminders by a call."""

import datetime as dt

import pytest
from sqlalchemy import select, update

from enrollment.applications import applications
from enrollment.applications.guardian_access import access_codes, desk_access
from enrollment.draw.publication import hours
from enrollment.eligibility import deadline_reminders
from enrollment.ground.accounts import Account, actor_of
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import DeliveryError, MessageState, Notice
from enrollment.offers import (
    answer_deadlines,
    arrival_reminders,
    desk_answers,
    desk_contacts,
    irrevocable_acts,
    joint_decisions,
    offer_lifecycle,
)
from enrollment.people.person_rows import Guardian
from enrollment.review import review
from enrollment.review.review import Ask
from enrollment.season import calendar
from enrollment.season.calendar import Season
from tests.support.prepared import prepared
from tests.support.town_families import id_number

NUMBER = id_number(dt.date(1988, 3, 3))


@prepared
def family(town):
    """A helper entered the child of a guardian who has no phone."""
    town.garden = town.kindergarten("金苹果", places=1)
    town.open_registration()
    helper = town.helper()
    mandate = town.mandate_on_paper(helper, "")
    town.baby = town.helper_enters(town.acting(helper, mandate), wishes=[town.garden], guardians_number=NUMBER)
    town.account = town.session.get_one(Account, mandate.account_id)
    town.clerk = town.clerk_of(town.garden)
    return town


def says(town):
    """What the desk has to tell, and until when."""
    families = desk_contacts.families_to_contact(town.session, by=town.clerk, now=town.now)
    assert all(family.application == town.baby for family in families)
    return [(kind, family.until) for family in families for kind, _params in family.says]


def check(town):
    return desk_access.check_identity(
        town.session, town.baby.id, town.account.id, document_kind="resident", document_end=NUMBER[-4:],
        purpose="desk", by=town.clerk, now=town.now,
    )  # fmt: skip


def answers(town, what, seen=None):
    seen = seen or joint_decisions.state_seen(town.session, town.offer_for(town.baby))
    return desk_answers.answer(
        town.session, town.baby.id, town.account.id, what, seen=seen, by=town.clerk, now=town.now
    )


def test_fam11_a_helper_enters_a_family_without_a_phone(family):
    town = family
    assert (town.account.phone, town.account.phone_index) == (None, None)
    assert town.baby.stage == "submitted"
    assert town.session.scalars(select(Guardian).where(Guardian.account_id == town.account.id)).one().phone == ""


def test_fam11_a_printed_code_signs_in_until_it_is_revoked(family):
    town = family
    with pytest.raises(Refused) as refused:
        access_codes.issue(town.session, town.baby.id, town.account.id, by=town.clerk, now=town.now)
    assert refused.value.code == "identity_check_needed"
    check(town)
    code, text = access_codes.issue(town.session, town.baby.id, town.account.id, by=town.clerk, now=town.now)
    assert text.replace("-", "").encode() not in code.digest
    account = access_codes.sign_in_with(town.session, f" {text.lower().replace('-', ' ')} ", now=town.now)
    assert account.id == town.account.id
    assert applications.own(town.session, town.baby.id, by=actor_of(account)) == town.baby
    assert access_codes.tell_uses(town.session, account.id, now=town.now) == [town.now]
    assert access_codes.tell_uses(town.session, account.id, now=town.now) == [], "told once"
    entry = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "use_access_code")).one()
    assert entry.account_id == account.id
    assert access_codes.sign_in_with(town.session, text[:-1] + ("Y" if text[-1] == "X" else "X"), now=town.now) is None
    assert access_codes.sign_in_with(town.session, text, now=code.expires_at) is None
    _newer, fresh = access_codes.issue(town.session, town.baby.id, town.account.id, by=town.clerk, now=town.now)
    assert access_codes.sign_in_with(town.session, text, now=town.now) is None, "a new code voids the old one"
    access_codes.revoke(town.session, town.baby.id, town.account.id, by=town.clerk, now=town.now)
    assert access_codes.sign_in_with(town.session, fresh, now=town.now) is None


def test_fam11_another_kindergarten_serves_no_foreign_family(family):
    town = family
    stranger = town.clerk_of(town.kindergarten("别处", places=1))
    for by in (stranger, actor_of(town.account)):
        with pytest.raises(NotFound):
            desk_access.application_at_desk(town.session, town.baby.id, by=by)
    assert desk_access.find_by_code(town.session, town.baby.registration_code, by=stranger) is None
    assert desk_access.find_by_code(town.session, town.baby.registration_code, by=town.clerk) == town.baby


@pytest.mark.parametrize(("answer", "state"), [("confirm", "confirmed"), ("decline", "declined")])
def test_fam11_the_answer_is_given_at_the_desk(family, answer, state):
    town = family
    town.drawn(town.baby)
    with pytest.raises(Refused) as refused:
        answers(town, answer)
    assert refused.value.code == "identity_check_needed"
    check(town)
    offer = answers(town, answer)
    assert offer.state == state
    entry = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "answer_at_desk")).one()
    assert (entry.account_id, entry.details["guardian"]) == (town.clerk.account_id, str(town.account.id))


def test_fam11_the_desk_answers_for_the_place_that_its_page_showed(family):
    town = family
    town.drawn(town.baby)
    check(town)
    offer = town.offer_for(town.baby)
    seen = joint_decisions.state_seen(town.session, offer)
    answers(town, "confirm")
    with pytest.raises(Refused, match="place_changed"):
        answers(town, "decline", seen)
    assert offer.state == "confirmed"


def test_fam11_silence_counts_only_after_the_desk_has_reached_the_family(family):
    town = family
    town.drawn(town.baby)
    offer = town.offer_for(town.baby)
    assert says(town) == [("result_placed", offer.answer_by)], "at once, not only before the deadline"
    town.at(offer.answer_by - dt.timedelta(hours=20))
    answer_deadlines.remind_due(town.session, now=town.now)
    assert ("answer_reminder", offer.answer_by) in says(town)
    town.at(offer.answer_by)
    assert answer_deadlines.expire_due(town.session, now=town.now) == 0
    desk_answers.record_contact(town.session, town.baby.id, "call", by=town.clerk, now=town.now)
    assert says(town) == []
    town.session.refresh(offer)
    assert offer.answer_by == town.now + answer_deadlines.GRACE
    town.at(offer.answer_by)
    assert answer_deadlines.expire_due(town.session, now=town.now) == 1


def test_fam11_a_desk_tells_what_was_returned_and_until_when(family):
    town = family
    town.close_registration()
    reviewer = town.reviewer_of(town.baby)
    review.take(town.session, town.baby.id, by=reviewer, now=town.now)
    review.send_back(town.session, town.baby.id, [Ask("rental_record", "首页不清楚")], by=reviewer, now=town.now)
    ends = calendar.spans(town.session.get_one(Season, 2026))["review"][1]
    assert says(town) == [("review_returned", ends)]
    told = desk_contacts.family_to_contact(town.session, town.baby, by=town.clerk, now=town.now)
    assert [(item.item, item.note) for item in told.items] == [("rental_record", "首页不清楚")]
    town.at(ends - dt.timedelta(hours=3))
    assert deadline_reminders.remind_returned(town.session, now=town.now) == 1
    assert says(town) == [("review_returned", ends)], "the reminder says nothing more"
    town.at(ends)
    assert says(town) == [], "nobody is called about what can no longer be brought in time"
    assert deadline_reminders.tell_returns_over(town.session, now=town.now) == 1
    assert says(town) == [("returned_over", None)], "but that the answer still counts until the list is frozen"
    town.freeze()
    assert says(town) == []


def test_fam11_a_desk_calls_about_the_arrival_until_the_child_is_there(family):
    town = family
    town.drawn(town.baby)
    desk_answers.record_contact(town.session, town.baby.id, "call", by=town.clerk, now=town.now)
    check(town)
    answers(town, "confirm")
    begins = calendar.spans(town.session.get_one(Season, 2026))["arrival"][0]
    town.at(begins - dt.timedelta(days=1))
    assert arrival_reminders.remind_due(town.session, now=town.now) == 1
    assert says(town) == [("arrival_reminder", None)]
    offer_lifecycle.make(town.session, town.offer_for(town.baby), "mark_arrived", by=town.clerk, now=begins)
    town.at(begins)
    assert says(town) == []


def test_fam09_a_desk_calls_the_guardian_whom_the_other_ones_proposal_did_not_reach(family):
    """The proposer got the message: it says nothing to the one who could stop it, and who has a number that is gone."""
    town = family
    mother = town.family("李")
    ana = town.child("安娜", family=mother, wishes=[town.garden])
    father = town.second_guardian(ana)
    town.drawn(ana, town.baby)
    desk_answers.record_contact(town.session, town.baby.id, "call", by=town.clerk, now=town.now)
    town.decline(ana)
    sent = update(Notice).where(Notice.application_id == ana.id, Notice.kind == "decline_proposed")
    town.session.execute(sent.values(state=MessageState.DELIVERED))
    assert _says_of(town, ana) == []
    gone = {"state": MessageState.UNDELIVERABLE, "last_error": DeliveryError.INVALID_NUMBER}
    town.session.execute(sent.where(Notice.account_id == mother.account.id).values(gone))
    assert _says_of(town, ana) == [], "nobody is called about an own act"
    town.session.execute(sent.where(Notice.account_id == father.account.id).values(gone))
    assert _says_of(town, ana) == ["decline_proposed"]
    act = joint_decisions.waiting_for(town.session, ana.id)
    irrevocable_acts.take_back(town.session, act.act_id, by=mother.actor, now=town.now)
    assert _says_of(town, ana) == [], "what is taken back needs no call"


def _says_of(town, application):
    listed = desk_contacts.families_to_contact(town.session, by=town.clerk, now=town.now)
    return [kind for each in listed if each.application == application for kind, _params in each.says]


def test_fam11_a_desk_that_told_what_was_returned_has_it_on_its_list_no_longer(family):
    town = family
    town.close_registration()
    town.clerk_sends_back(town.baby, "rental_record")
    assert [kind for kind, _until in says(town)] == ["review_returned"]
    desk_answers.record_contact(town.session, town.baby.id, "letter", by=town.clerk, now=town.now)
    assert says(town) == []


def test_fam11_a_desk_tells_a_result_without_a_place(family):
    town = family
    other = town.child("安娜", wishes=[town.garden])
    town.drawn(other, town.baby)
    loser = next(each for each in (other, town.baby) if town.last_offer_for(each) is None)
    expected = (
        [("result_without_place", None)]
        if loser == town.baby
        else [("result_placed", town.offer_for(town.baby).answer_by)]
    )
    assert says(town) == expected
    desk_answers.record_contact(town.session, town.baby.id, "call", by=town.clerk, now=town.now)
    assert says(town) == []


def test_fam11_a_family_with_a_phone_is_on_no_desks_list(family):
    town = family
    town.account.phone = "13811112222"
    town.drawn(town.baby)
    assert says(town) == []


def test_drw05_a_desk_tells_a_family_without_a_phone_of_the_new_hour(family):
    town = family
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    run = town.run()
    hour = hours.hour_of(town.session, town.the_round) + dt.timedelta(days=1)
    hours.change(town.session, town.the_round.id, hour=hour, reason="公证处", by=town.city_pair()[0], now=town.now)
    assert "new_hour" in [kind for kind, _until in says(town)]
    town.announce_hour(town.now)
    town.publish(run)
    kinds = [kind for kind, _until in says(town)]
    assert "result_placed" in kinds and "new_hour" not in kinds
