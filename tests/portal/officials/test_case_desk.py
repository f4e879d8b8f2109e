"""One desk for all cases: owner, clock in working days, filters, handing over, history; the outcome reaches the family."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.outbox import Notice
from enrollment.offers import family_requests, revocations
from enrollment.reports import case_desk
from enrollment.review import case_reassignment, cases
from portal.letters.case_outcome import outcome_page
from portal.text import languages
from tests.support.signing_in import hidden_fields, sign_in
from tests.support.statements import counted

DESK = "/officials/2026/cases"


@pytest.fixture
def desk(town, frozen_clock):
    """An appeal of a family with two guardians, a correction, a proven falsehood, and a stranger's claim."""
    garden = town.kindergarten("锦官园", places=1)
    town.ana, town.ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.mother = town.family("母")
    town.drawn(town.ana, town.ben)
    town.first, town.second = town.area_official(), town.area_official()
    by = town.parent_of(town.ben)
    town.appeal = family_requests.ask(town.session, town.ben.id, "appeal", text="请核实派位。", by=by, now=town.now)
    town.requests_correction(town.ana, "name", name="安那")
    offer = town.offer_for(town.ana)
    revocations.revoke(town.session, offer.id, by=town.first, now=town.now, reason="房产证是假的")
    told = {
        "child_name": "安娜",
        "id_kind": "resident",
        "text": "孩子由我抚养",
        "by": town.mother.actor,
        "now": town.now,
    }
    cases.open_dispute(town.session, id_number=town.ana.child.id_number, **told)
    frozen_clock.set(town.now)
    town.session.commit()
    return town


def main_of(client, path):
    return BeautifulSoup(client.get(path).text, "lxml").main


def test_all_kinds_stand_on_one_page_by_their_clock(desk, client, frozen_clock):
    town = desk
    found = case_desk.listing(town.session, by=town.first, now=town.now)
    assert set(found.by_kind) == {"appeal", "guardians_dispute", "correction", "falsehood"}
    assert [each.due_at for each in found.rows] == sorted(each.due_at for each in found.rows)
    late = case_desk.listing(town.session, by=town.first, now=town.appeal.due_at + dt.timedelta(days=4), clock="late")
    assert {each.kind for each in late.rows} == set(found.by_kind) and late.rows[0].days < 0
    assert case_desk.listing(town.session, by=town.area_official("510105"), now=town.now).total == 0
    sign_in(client, town.first.account_id)
    assert len(main_of(client, DESK).select("tbody tr")) == 4
    assert len(main_of(client, f"{DESK}?kind=falsehood").select("tbody tr")) == 1
    assert main_of(client, f"{DESK}?kind=falsehood").select_one("tbody a")["href"].startswith(f"{DESK}/revocations/")
    frozen_clock.set(town.appeal.due_at + dt.timedelta(days=4))
    sign_in(client, town.first.account_id)
    assert "4 件争议已经超期" in main_of(client, DESK).h1.text


def test_the_desk_costs_the_same_with_many_cases(desk):
    town = desk
    costs = []
    for more in (0, 12):
        for number in range(more):
            by = town.family("争" + "甲乙丙丁戊己庚辛壬癸子丑"[number]).actor
            told = {"child_name": "安娜", "id_kind": "resident", "text": "我的", "by": by, "now": town.now}
            cases.open_dispute(town.session, id_number=town.ana.child.id_number, **told)
        with counted(town.session) as statements:
            case_desk.listing(town.session, by=town.first, now=town.now)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 6, costs


def test_a_case_is_handed_over_once_and_its_history_is_read(desk, client):
    town = desk
    sign_in(client, town.first.account_id)
    path = f"{DESK}/{town.appeal.id}"
    to = next(each for each in (town.first, town.second) if each.account_id != town.appeal.officer_id)
    typed = hidden_fields(client.get(path).text, f"{path}/officer") | {"officer": str(to.account_id)}
    assert (
        client.post(
            f"{path}/officer", data=typed | {"officer": str(town.area_official("510105").account_id)}
        ).status_code
        == 200
    )
    assert client.post(f"{path}/officer", data=typed).status_code == 303
    town.session.refresh(town.appeal)
    assert town.appeal.officer_id == to.account_id
    late = hidden_fields(client.get(path).text, f"{path}/officer") | {key: typed[key] for key in ("seen", "officer")}
    assert client.post(f"{path}/officer", data=late).status_code == 409, "the page was older"
    acts = [step.act for step in case_reassignment.history_of(town.session, town.appeal.id)]
    assert acts == ["open_case", "reassign_case"]


def test_the_outcome_has_a_reason_that_every_guardian_reads_in_a_letter(desk, client, another_client):
    town, appeal = desk, desk.appeal
    sign_in(client, town.first.account_id)
    path = f"{DESK}/{appeal.id}"
    typed = hidden_fields(client.get(path).text, None) | {"outcome": "rejected", "reason": "内部", "sure": "y"}
    assert "请写给家庭的理由" in client.post(path, data=typed).text
    assert client.post(path, data=typed | {"answer": "派位号在录取线以后。"}).status_code == 303
    family = sign_in(another_client(), town.ben.entered_by)
    page = family.get(f"/parents/cases/{appeal.id}").text
    assert "派位号在录取线以后。" in page and "内部" not in page
    assert "申诉" in family.get(f"/parents/applications/{town.ben.id}/result").text
    told = select(Notice.kind).where(Notice.application_id == town.ben.id, Notice.kind == "request_rejected")
    assert len(town.session.scalars(told).all()) == 1
    waiting = family.get(f"/parents/cases/{appeal.id}/outcome.pdf")
    assert waiting.status_code == 202, "drawn by a worker; meanwhile the page says so"
    stranger = sign_in(another_client(), town.ana.entered_by)
    assert stranger.get(f"/parents/cases/{appeal.id}").status_code == 404
    assert stranger.get(f"/parents/cases/{appeal.id}/outcome.pdf").status_code == 404


def test_the_letter_is_written_in_both_languages(desk, app):
    town = desk
    said = {"outcome": "rejected", "reason": "x", "answer": "派位号在录取线以后。", "by": town.first, "now": town.now}
    cases.settle(town.session, town.appeal.id, **said)
    for language, title in (("zh", "申诉结果通知书"), ("en", "Letter about the outcome: Appeal")):
        with app.app_context(), languages.speaking(language):
            page = outcome_page(town.ben, town.appeal, None, demo=True)
        assert (page.language, title in page.html, "派位号在录取线以后。" in page.html) == (language, True, True)
