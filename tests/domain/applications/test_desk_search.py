"""A desk finds a family without its registration code, and learns of no family outside its scope."""

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.guardian_access import desk_search
from enrollment.applications.guardian_access.desk_search import Question
from enrollment.ground.accounts import actor_of
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.people.person_rows import Guardian
from enrollment.reports import audit_scope
from tests.support.prepared import prepared
from tests.support.town_families import id_number

PHONE = "13900001111"
GUARDIANS = id_number(dt.date(1988, 3, 3))


@prepared
def families(town):
    """Ana has handed in at the garden, her brother is a draft there; Zoe has wishes elsewhere only."""
    town.garden, town.far = town.kindergarten("锦官园", places=9), town.kindergarten("远园", area="510105", places=9)
    town.li = town.family("李", phone=PHONE)
    town.ana = town.child("李安娜", family=town.li, wishes=[town.garden])
    town.bo = town.child("李伯", family=town.li, sex="m", wishes=[town.garden], submit=False)
    town.zhao = town.family("赵", phone="13900002222")
    town.zoe = town.child("赵佐伊", family=town.zhao, wishes=[town.far], home_area="510105")
    town.clerk = town.clerk_of(town.garden)
    return town


def searched(town, by=None, **asked):
    return desk_search.find_families(town.session, Question(**asked), by=by or town.clerk, now=town.now)


def entries(town, subject):
    found = select(AuditEntry).where(AuditEntry.act == "search_family", AuditEntry.subject == subject)
    return town.session.scalars(found.order_by(AuditEntry.number)).all()


def document_of(town, family):
    return town.session.scalars(select(Guardian.id_number).where(Guardian.account_id == family.account.id)).one()


def test_a_phone_number_finds_drafts_and_handed_in_applications(families):
    town = families
    assert town.bo.registration_code is None
    assert set(searched(town, phone="139 0000 1111")) == {town.ana, town.bo}
    assert searched(town, phone="13900003333") == []


def test_a_document_of_the_child_or_of_a_guardian_finds_them(families):
    town = families
    assert searched(town, document=f" {town.ana.child.id_number.lower()} ") == [town.ana]
    assert set(searched(town, document=document_of(town, town.li))) == {town.ana, town.bo}


def test_a_passport_that_looks_like_a_permit_is_found_without_its_kind(families):
    town = families
    born = town.ana.child.born
    mia = town.child("米娅", wishes=[town.garden], number="H12345678", id_kind="passport", born=born)
    assert searched(town, document="h12345678") == [mia]


def test_a_name_finds_only_with_the_birth_date_and_whole(families):
    town = families
    born = town.ana.child.born
    assert searched(town, name="李 安娜", born=born) == [town.ana]
    assert searched(town, name="李伯", born=town.bo.child.born) == [town.bo]
    assert searched(town, name="李安", born=born) == [], "no browsing"
    assert searched(town, name="李安娜", born=born + dt.timedelta(days=1)) == []


def test_a_family_on_paper_is_found_by_the_number_on_its_paper(families):
    town = families
    helper = town.helper()
    mandate = town.mandate_on_paper(helper, "13900004444")
    baby = town.helper_enters(town.acting(helper, mandate), wishes=[town.garden], guardians_number=GUARDIANS)
    assert searched(town, phone="13900004444") == [baby]


def test_another_desk_learns_nothing_not_even_that_the_family_exists(families):
    town = families
    for asked in (
        {"phone": "13900002222"},
        {"document": town.zoe.child.id_number},
        {"document": document_of(town, town.zhao)},
        {"name": "赵佐伊", "born": town.zoe.child.born},
        {"phone": "13900003333"},
    ):
        assert searched(town, **asked) == []
    assert {entry.details["found"] for entry in entries(town, "account")} == {0}, "nor does the trail tell"
    assert entries(town, "application") == []
    assert searched(town, town.clerk_of(town.far), phone="13900002222") == [town.zoe]
    assert searched(town, town.area_official("510105"), phone="13900002222") == [town.zoe]
    assert searched(town, town.area_official("510104"), phone="13900002222") == []
    for stranger in (town.li.actor, dataclasses.replace(actor_of(town.li.account), roles=frozenset({"auditor"}))):
        with pytest.raises(NotFound):
            searched(town, stranger, phone=PHONE)


def test_a_search_is_audited_with_its_reason_and_without_what_was_typed(families):
    town = families
    searched(town, phone=PHONE)
    [search] = entries(town, "account")
    assert (search.account_id, search.reason) == (town.clerk.account_id, "desk")
    assert search.details == {"found": 2, "way": "phone"}
    assert {entry.subject_id for entry in entries(town, "application")} == {str(town.ana.id), str(town.bo.id)}
    assert ("application", str(town.ana.id)) in audit_scope.subjects_about(town.session, town.ana.registration_code)


def test_one_person_searches_so_often_in_an_hour(families, monkeypatch):
    town = families
    monkeypatch.setattr(desk_search, "MOST_SEARCHES", 2)
    searched(town, phone="13900003333")
    searched(town, phone=PHONE)
    with pytest.raises(Refused, match="too_many_searches"):
        searched(town, phone=PHONE)
    assert searched(town, town.head_of(town.garden), phone=PHONE), "a colleague can"
    town.at(town.now + desk_search.SEARCHES_WITHIN)
    assert searched(town, phone=PHONE)


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({}, "search_by_nothing", "document"),
        ({"phone": PHONE, "name": "李安娜"}, "search_by_one", "document"),
        ({"name": "李安娜"}, "born_missing", "born"),
        ({"born": dt.date(2023, 3, 3)}, "name_missing", "name"),
        ({"document": GUARDIANS[:-1] + ("1" if GUARDIANS[-1] != "1" else "2")}, "id_checksum", "document"),
        ({"document": "510104*"}, "id_characters", "document"),
        ({"phone": "12"}, "phone_form", "phone"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_and_not_counted(families, asked, code, field):
    town = families
    with pytest.raises(Refused) as refused:
        searched(town, **asked)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert entries(town, "account") == []
