"""A mandate that a guardian signed on paper: who sees it, what is entered under it, and who takes that over."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from enrollment.applications import (
    applications,
    mandates,
    register_answers,
    sibling_binding,
    wishes,
)
from enrollment.applications.guardian_access import guardian_takeover, paper_families
from enrollment.applications.mandates import Mandate, Paper
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.phones import parse_phone
from enrollment.maintenance import invariants
from enrollment.people import consents, guardians
from enrollment.people.consents import Consent
from enrollment.reports import personal_data
from tests.domain.applications.helped_guardian import MOTHERS_NUMBER, PHONE, guardian_signs_in, told
from tests.support.prepared import prepared
from tests.support.town_helping import photo_of_a_paper, terms
from tests.support.town_season import at


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=5)
    town.open_registration()
    return found


@prepared
def yang(town, garden):
    return town.helper("小杨")


def test_a_paper_opens_an_account_that_shows_nothing_of_a_known_phone(town, garden, yang):
    li = town.family("李", phone=PHONE)
    town.child("李大宝", family=li, wishes=[garden])
    mandate = town.mandate_on_paper(yang, PHONE)
    acting = town.acting(yang, mandate)
    assert mandate.account_id != li.account.id
    assert guardians.guardian_of(town.session, by=acting) is None
    assert applications.list_own(town.session, by=acting) == []
    assert (mandate.signed_name, mandate.paper_type) == ("张小三", "image/webp")
    assert photo_of_a_paper() not in mandate.paper, "sealed"
    assert told(town, acting) == ["mandate_by_paper"], "the phone on the paper is told"


def test_two_families_without_a_phone_and_with_one_name_are_two_accounts(town, garden, yang):
    first = town.mandate_on_paper(yang, "")
    town.helper_enters(town.acting(yang, first), "张小宝", wishes=[garden])
    second = town.mandate_on_paper(yang, "")
    assert second.account_id != first.account_id
    assert applications.list_own(town.session, by=town.acting(yang, second)) == []
    known = {each.account_id: each.children for each in paper_families.without_phone(town.session, by=yang)}
    assert known == {first.account_id: ("张小宝",), second.account_id: ()}
    paper = Paper("张小三", town.now.date(), "", photo_of_a_paper(), first.account_id)
    mandates.end(town.session, first.id, by=yang, now=town.now)
    again = mandates.give_on_paper(town.session, paper, terms(), by=yang, now=town.now)
    assert again.account_id == first.account_id, "the helper says that it is the same family"
    with pytest.raises(NotFound):
        mandates.give_on_paper(town.session, paper, terms(), by=town.helper("小林"), now=town.now)


def test_the_paper_is_seen_by_its_guardian_and_by_those_who_keep_the_trail(town, garden, yang):
    mandate, _baby = entered_on_paper(town, yang, garden)
    acting, guardian, official = town.acting(yang, mandate), guardian_signs_in(town), town.city_official()
    read = {"session": town.session, "mandate_id": mandate.id, "now": town.now}
    assert mandates.read_paper(**read, by=official).media_type == "image/webp"
    looked = select(AuditEntry.account_id).where(AuditEntry.act == "view_evidence")
    assert town.session.scalars(looked).all() == [official.account_id]
    for nobody in (guardian, yang, town.head_of(garden)):
        with pytest.raises(NotFound):
            mandates.read_paper(**read, by=nobody)
    with pytest.raises(Refused, match="only_the_guardian"):
        mandates.read_paper(**read, by=acting)
    guardian_takeover.take_over(town.session, mandate.id, MOTHERS_NUMBER, by=guardian, now=town.now)
    own = mandates.read_paper(**read, by=guardian)
    assert own.content.startswith(b"RIFF")
    assert ("2026/mandate-1.webp", own.content) in list(
        personal_data.uploaded_files(town.session, by=guardian, now=town.now)
    )


def test_a_second_paper_of_the_same_person_goes_on_and_anothers_begins_anew(town, yang):
    first, again = town.mandate_on_paper(yang, PHONE), town.mandate_on_paper(yang, PHONE)
    assert first.account_id == again.account_id
    assert first.ended_at is not None
    assert town.mandate_on_paper(yang, PHONE, "李小四").account_id != first.account_id


WRONG_PAPERS = (
    ({"name": " "}, "name_missing", "name"),
    ({"name": "张3"}, "name_odd", "name"),
    ({"phone": "1381111222"}, "phone_form", "phone"),
    ({"signed_on": None}, "signed_on_missing", "signed_on"),
    ({"signed_on": dt.date(2026, 5, 23)}, "signed_on_odd", "signed_on"),
    ({"signed_on": dt.date(2026, 4, 20)}, "signed_on_odd", "signed_on"),
    ({"content": b""}, "file_missing", "paper"),
    ({"content": b"MZ no paper at all"}, "file_type", "paper"),
)


def test_what_is_missing_on_the_paper_is_told_at_its_place(town, yang):
    good = {"name": "张小三", "signed_on": dt.date(2026, 5, 21), "phone": PHONE, "content": photo_of_a_paper()}
    for wrong, code, field in WRONG_PAPERS:
        with pytest.raises(Refused) as refused:
            mandates.give_on_paper(town.session, Paper(**(good | wrong)), terms(), by=yang, now=at(5, 22, 10))
        assert (refused.value.code, refused.value.field) == (code, field), wrong
    assert town.session.scalar(select(func.count()).select_from(Mandate)) == 0


def entered_on_paper(town, yang, garden):
    mandate = town.mandate_on_paper(yang, PHONE, registers=True)
    acting = town.acting(yang, mandate)
    return mandate, town.helper_enters(acting, wishes=[garden], guardians_number=MOTHERS_NUMBER)


def test_the_guardian_takes_over_what_was_entered_on_paper(town, garden, yang):
    mandate, baby = entered_on_paper(town, yang, garden)
    guardian = guardian_signs_in(town)
    assert applications.list_own(town.session, by=guardian) == [], "a phone number on a paper proves nothing"
    (waiting,) = guardian_takeover.waiting_for_me(town.session, by=guardian)
    assert waiting.helper == "小杨"
    assert guardian_takeover.take_over(
        town.session, waiting.mandate_id, f" {MOTHERS_NUMBER} ", by=guardian, now=town.now
    )
    assert applications.list_own(town.session, by=guardian) == [baby]
    assert baby.entered_for == guardian.account_id
    assert guardians.guardian_of(town.session, by=guardian).phone == parse_phone(PHONE)
    assert consents.current_consent(town.session, "child_data", by=guardian) is not None
    assert register_answers.to_ask(town.session, now=town.now) == [baby.id]
    assert told(town, guardian) == ["application_submitted_by_helper", "application_taken_over", "mandate_by_paper"]
    assert guardian_takeover.waiting_for_me(town.session, by=guardian) == []
    acting = town.acting(yang, mandate)
    assert acting.account_id == guardian.account_id, "the helper goes on until the guardian ends it"
    wishes.set_wishes(
        town.session, baby.id, town.the_round.id, [town.programme_of(garden).id], version=None, by=acting, now=town.now
    )
    assert [each.id for each in mandates.of_guardian(town.session, by=guardian)] == [mandate.id]
    assert list(invariants.find_violations(town.session)) == []


def test_a_helper_who_entered_one_of_bound_children_does_not_change_the_common_list(town, garden, yang):
    li = town.family("李", phone=PHONE)
    own = town.child("李大宝", family=li, wishes=[garden])
    acting = town.acting(yang, town.mandate_by_code(yang, PHONE))
    baby = town.helper_enters(acting, "李小宝", wishes=[garden])
    sibling_binding.bind(town.session, [own.id, baby.id], by=li.actor, now=town.now)
    with pytest.raises(Refused) as refused:
        town.wish(baby, by=acting)
    assert refused.value.code == "bound_beyond_your_care"
    assert own.unit == baby.unit is not None
    town.wish(baby, garden, by=li.actor)


def test_what_the_guardian_agreed_to_itself_goes_before_the_paper(town, garden, yang):
    _mandate, baby = entered_on_paper(town, yang, garden)
    guardian = guardian_signs_in(town)
    own = consents.give(town.session, "child_data", text_version="2", text_digest="2" * 64, by=guardian, now=town.now)
    town.mandate_by_code(yang, PHONE)
    (waiting,) = guardian_takeover.waiting_for_me(town.session, by=guardian)
    assert guardian_takeover.take_over(town.session, waiting.mandate_id, MOTHERS_NUMBER, by=guardian, now=town.now)
    live = select(Consent.id).where(Consent.account_id == guardian.account_id, Consent.withdrawn_at.is_(None))
    kept = town.session.scalars(live.where(Consent.kind == "child_data")).all()
    assert len(kept) == 1 and kept != [own.id], "the newest own consent came with the code"
    assert len(mandates.live_of_helper(town.session, by=yang, now=town.now)) == 1
    assert applications.list_own(town.session, by=guardian) == [baby]


def test_a_stranger_with_a_mistyped_number_gets_no_child(town, garden, yang):
    _mandate, baby = entered_on_paper(town, yang, garden)
    stranger = guardian_signs_in(town)
    (waiting,) = guardian_takeover.waiting_for_me(town.session, by=stranger)
    for _try in range(guardian_takeover.MOST_TRIES):
        assert not guardian_takeover.take_over(
            town.session, waiting.mandate_id, "51010419900101123X", by=stranger, now=town.now
        )
    with pytest.raises(NotFound):
        guardian_takeover.take_over(town.session, waiting.mandate_id, MOTHERS_NUMBER, by=stranger, now=town.now)
    assert applications.list_own(town.session, by=stranger) == []
    with pytest.raises(NotFound):
        applications.own(town.session, baby.id, by=stranger)


def test_somebody_elses_paper_is_not_found(town, garden, yang):
    mandate, _baby = entered_on_paper(town, yang, garden)
    other = guardian_signs_in(town, "13855554444")
    for act in (
        lambda: guardian_takeover.take_over(town.session, mandate.id, MOTHERS_NUMBER, by=other, now=town.now),
        lambda: guardian_takeover.disown(town.session, mandate.id, by=other, now=town.now),
    ):
        with pytest.raises(NotFound):
            act()


def test_who_signed_no_such_paper_stops_it(town, garden, yang):
    mandate, _baby = entered_on_paper(town, yang, garden)
    surprised = guardian_signs_in(town)
    guardian_takeover.disown(town.session, mandate.id, by=surprised, now=town.now)
    assert guardian_takeover.waiting_for_me(town.session, by=surprised) == []
    assert mandates.acting_for(town.session, mandate.id, by=yang, now=town.now) is None


def test_a_phone_of_another_guardian_takes_nothing_over(town, garden, yang):
    town.family("李", phone=PHONE)
    mandate, _baby = entered_on_paper(town, yang, garden)
    father = guardian_signs_in(town)
    with pytest.raises(Refused, match="phone_of_another_guardian"):
        guardian_takeover.take_over(town.session, mandate.id, MOTHERS_NUMBER, by=father, now=town.now)


def test_nothing_is_taken_over_before_the_guardian_was_entered(town, yang):
    mandate = town.mandate_on_paper(yang, PHONE)
    guardian = guardian_signs_in(town)
    with pytest.raises(Refused, match="nothing_entered_yet"):
        guardian_takeover.take_over(town.session, mandate.id, MOTHERS_NUMBER, by=guardian, now=town.now)


def test_a_name_may_be_as_long_on_paper_as_a_guardians(town, garden, yang):
    name = "Maria Antonia Josefina Fernanda de la Concepción y Villanueva"
    assert len(name) > 40
    assert town.mandate_on_paper(yang, "", name=name).signed_name == name
