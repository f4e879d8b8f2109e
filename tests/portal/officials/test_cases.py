"""Disputes with their deadlines; settling them within one's areas; and the notices to both sides."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.ground.audit import AuditEntry
from enrollment.ground.outbox import Notice
from enrollment.ground.phones import mask_phone
from enrollment.offers import irrevocable_acts, joint_decisions, offers, withdrawals
from enrollment.people.person_rows import Guardian
from enrollment.review import case_officers, cases
from enrollment.review.cases import Case
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_families import id_number

WORDS = "我是孩子的父亲，有判决书"


@prepared
def disputed(town, client):
    """Ana's application in 锦江区 is on hold, because the officer of a stranger's claim said so, until registration closes; and one dispute fits no child."""
    garden = town.kindergarten("锦官园", places=1)
    town.ana = town.child("安娜", wishes=[garden])
    town.stranger = town.family("陌")
    told = {"child_name": "安娜", "id_kind": "resident", "text": WORDS, "by": town.stranger.actor, "now": town.now}
    town.case = cases.open_dispute(town.session, id_number=town.ana.child.id_number, **told)
    town.nobodys = cases.open_dispute(town.session, id_number=id_number(dt.date(2022, 1, 1)), **told)
    town.official = town.area_official("510104")
    cases.impose_hold(town.session, town.case.id, reason="已核对判决书", by=town.official, now=town.now)
    town.session.commit()
    return town


def text_of(page) -> str:
    return BeautifulSoup(page.text, "lxml").main.get_text(" ", strip=True)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_open_cases_stand_with_their_clocks_and_late_ones_say_so(disputed, client, frozen_clock, lang):
    town = disputed
    sign_in(client, town.official.account_id)
    page = text_of(client.get(f"/officials/2026/cases?lang={lang}"))
    assert town.ana.registration_code in page
    assert {"zh": "还有 5 个工作日", "en": "5 working days left"}[lang] in page
    assert "安娜" not in page
    frozen_clock.move(days=7, hours=14)
    sign_in(client, town.official.account_id)
    assert {"zh": "超期 1 个工作日", "en": "1 working day overdue"}[lang] in text_of(
        client.get(f"/officials/2026/cases?lang={lang}")
    )


def test_who_sees_which_case(disputed, client, another_client):
    """An area's official its own, the city's all, those that fit no application too; another area's none, an auditor no text."""
    town = disputed
    here, there, city = sign_in(client, town.official.account_id), another_client(), another_client()
    sign_in(there, town.area_official("510105").account_id)
    sign_in(city, town.city_official().account_id)
    town.session.commit()
    path, nobodys = f"/officials/2026/cases/{town.case.id}", f"/officials/2026/cases/{town.nobodys.id}"
    assert WORDS in here.get(path).text
    assert here.get(nobodys).status_code == there.get(path).status_code == there.get(nobodys).status_code == 404
    assert town.ana.registration_code not in there.get("/officials/2026/cases").text
    assert WORDS in city.get(nobodys).text
    auditor = another_client()
    sign_in(auditor, town.account_of_staff("auditor-x", "审计", "auditor").id)
    town.session.commit()
    assert town.ana.registration_code in auditor.get("/officials/2026/cases").text
    assert auditor.get(path).status_code == 403


def test_a_case_is_settled_with_an_outcome_a_reason_and_a_second_thought(disputed, client, portal_session):
    town = disputed
    sign_in(client, town.official.account_id)
    path = f"/officials/2026/cases/{town.case.id}"
    for more, missing in (
        ({}, "#sure-error"),
        ({"sure": "y"}, "#outcome-error"),
        ({"sure": "y", "outcome": "rejected"}, "#reason-error"),
    ):
        client.get(path)
        page = fill_in(client, path, **more)
        assert BeautifulSoup(page.text, "lxml").select_one(missing), missing
    portal_session.expire_all()
    assert portal_session.get(Application, town.ana.id).on_hold
    assert fill_in(client, path, sure="y", outcome="rejected", reason="判决书系伪造").status_code == 303

    portal_session.expire_all()
    assert portal_session.get(Case, town.case.id).outcome == "rejected"
    assert not portal_session.get(Application, town.ana.id).on_hold
    told = {(each.account_id, each.kind) for each in portal_session.scalars(select(Notice))}
    assert (town.stranger.account.id, "case_rejected") in told
    assert (town.ana.entered_by, "hold_ended") in told
    assert (town.stranger.account.id, "hold_ended") not in told, "he hears nothing of the application"
    entry = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "settle_case")).one()
    assert (entry.account_id, entry.reason) == (town.official.account_id, "判决书系伪造")
    assert "不成立" in client.get("/officials/2026/cases").text
    assert "判决书系伪造" not in client.get(path).text


def test_a_stale_page_that_decides_otherwise_is_told_that_the_case_is_settled(disputed, client, another_client):
    town = disputed
    here, city = sign_in(client, town.official.account_id), sign_in(another_client(), town.city_official().account_id)
    town.session.commit()
    path = f"/officials/2026/cases/{town.case.id}"
    old = hidden_fields(city.get(path).text, f"{path}/unmask")
    assert fill_in(here, path, sure="y", outcome="rejected", reason="判决书系伪造").status_code == 303
    late = city.post(path, data={**old, "sure": "y", "outcome": "settled", "reason": "旧页"})
    assert late.status_code == 200
    assert "这件事已经办结。" in late.text and "不成立" in late.text


def test_another_areas_official_settles_nothing(app, disputed, client, portal_session, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    town = disputed
    sign_in(client, town.area_official("510105").account_id)
    town.session.commit()
    answer = client.post(
        f"/officials/2026/cases/{town.case.id}", data={"sure": "y", "outcome": "settled", "reason": "x"}
    )
    assert answer.status_code == 404
    portal_session.expire_all()
    assert portal_session.get(Case, town.case.id).settled_at is None


def test_a_draft_is_its_homes_areas_case(town):
    """Before a family has wished for a kindergarten, its home says whose case it is."""
    ana, stranger = town.child("安娜", submit=False, home_area="510105"), town.family("陌")
    told = {"child_name": "安娜", "id_kind": "resident", "id_number": ana.child.id_number, "text": WORDS}
    case = cases.open_dispute(town.session, by=stranger.actor, now=town.now, **told)
    here, there = town.area_official("510105"), town.area_official("510104")
    assert [filed.case.id for filed in cases.listing(town.session, by=here)] == [case.id]
    assert list(cases.listing(town.session, by=there)) == []
    assert list(cases.listing(town.session, by=town.clerk_of(town.kindergarten("锦官园")))) == []
    assert cases.find(town.session, case.id, by=here).is_late(town.now + dt.timedelta(days=11))


def test_an_officials_first_page_names_what_waits(disputed, client):
    sign_in(client, disputed.official.account_id)
    assert "办结争议、申诉和异议" in client.get("/officials/2026").text


@prepared
def objected(town, frozen_clock):
    """The mother asked to give Ana's place up; the father confirmed it instead, which opened a case."""
    garden = town.kindergarten("锦官园", places=1)
    town.ana = town.child("安娜", wishes=[garden])
    town.father = town.second_guardian(town.ana).actor
    town.mother = town.parent_of(town.ana)
    town.official = town.area_official("510104")
    town.drawn(town.ana)
    town.decline(town.ana)
    offers.confirm(town.session, town.offer_for(town.ana).id, wait=False, by=town.father, now=town.now)
    town.case = town.session.scalars(select(Case)).one()
    town.session.commit()
    frozen_clock.set(town.now)
    return town


def test_the_page_of_a_dispute_says_what_was_proposed_by_whom_what_was_objected_and_how_the_place_stands(
    objected, client
):
    town = objected
    sign_in(client, town.official.account_id)
    path = f"/officials/2026/cases/{town.case.id}"
    page = text_of(client.get(path))
    guardians = {each.account_id: each for each in town.session.scalars(select(Guardian))}
    mother, father = guardians[town.mother.account_id], guardians[town.father.account_id]
    assert f"母亲 {mother.name}提出：放弃学位" in page
    assert f"父亲 {father.name}在" in page and "不同意，没有生效" in page
    assert "锦官园 · 已确认" in page and "本案" in page and "没有写说明" in page
    english = text_of(client.get(f"{path}?lang=en"))
    assert f"Mother {mother.name} asked: Give the place up" in english and "objected on" in english


def test_the_page_of_a_dispute_names_both_guardians_masked_until_the_official_says_why(
    objected, client, portal_session
):
    town = objected
    sign_in(client, town.official.account_id)
    path = f"/officials/2026/cases/{town.case.id}"
    phones = [each.phone for each in town.session.scalars(select(Guardian))]
    assert len(phones) == 2
    page = text_of(client.get(path))
    for phone in phones:
        assert mask_phone(phone) in page and phone not in page
    refused = fill_in(client, path, f"{path}/unmask")
    assert BeautifulSoup(refused.text, "lxml").select_one("#why-error")
    page = text_of(fill_in(client, path, f"{path}/unmask", why="要联系双方"))
    assert all(phone in page for phone in phones)
    entry = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "unmask")).one()
    assert (entry.account_id, entry.reason) == (town.official.account_id, "要联系双方")


def test_the_page_of_a_dispute_names_what_waits_for_its_end(objected, client):
    town = objected
    withdrawals.withdraw_consent(town.session, by=town.mother, now=town.now)
    waiting = joint_decisions.waiting_for(town.session, town.ana.id)
    town.session.commit()
    sign_in(client, town.official.account_id)
    page = text_of(client.get(f"/officials/2026/cases/{town.case.id}"))
    assert "提出：撤回申请" in page and "暂停中" in page and "自动生效" not in page
    assert "有一个决定在等办结" in page
    cases.settle(town.session, town.case.id, outcome="settled", reason="x", by=town.official, now=town.now)
    town.at(town.now + dt.timedelta(minutes=1))
    irrevocable_acts.take_back(town.session, waiting.act_id, by=town.mother, now=town.now)
    town.session.commit()
    assert "已收回" in text_of(client.get(f"/officials/2026/cases/{town.case.id}"))


def test_nobody_from_another_area_reads_the_numbers_of_a_dispute(app, objected, client, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    town = objected
    sign_in(client, town.area_official("510105").account_id)
    town.session.commit()
    assert client.post(f"/officials/2026/cases/{town.case.id}/unmask", data={"why": "x"}).status_code == 404


@pytest.mark.parametrize("phone", ["028-85550000", None])
def test_the_family_in_a_dispute_reads_officer_and_telephone(objected, client, phone):
    town = objected
    if phone:
        case_officers.save_desk_phone(town.session, phone, by=town.official, now=town.now)
        town.session.commit()
    sign_in(client, town.mother.account_id)
    for path in ("", "/result"):
        page = text_of(client.get(f"/parents/applications/{town.ana.id}{path}"))
        assert f"负责人：{town.official.name}" in page and (phone or "服务热线：028-12345") in page, path
