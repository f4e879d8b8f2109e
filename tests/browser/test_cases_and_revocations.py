"""Disputes, revoking and the daily replays in a real browser: pages fit, keep nobody out, and ask twice before they harm."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from enrollment.draw import replay
from enrollment.offers import revocations
from enrollment.review import cases
from tests.browser.another_page import another_page
from tests.browser.test_review import let_in
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def waiting(site, now):
    """A dispute about Cui, an offer of Ana's that a first official wants revoked, and an approval that stands."""
    with site.session() as session:
        town = Town(session, now)
        garden = town.kindergarten("锦官新城幼儿园", places=2)
        ana, ben, cui = (town.child(name, wishes=[garden]) for name in ("安娜", "本恩", "翠翠"))
        town.drawn(ana, ben, cui)
        town.confirm(ana)
        town.decline(ben)
        town.replay()
        town.approve_daily_replays()
        told = {"child_name": "翠翠", "id_kind": "resident", "id_number": cui.child.id_number}
        words = "孩子一直由我抚养。\n有法院 2025 年的判决书，可以当面出示。"
        town.case = cases.open_dispute(session, text=words, by=town.family("陌").actor, now=town.now, **told)
        town.city, town.area = town.city_pair()[0], town.area_official()
        town.offer, town.code = town.offer_for(ana), ana.registration_code
        why = "户口材料经公安核实系伪造，家庭已当面说明"
        revocations.revoke(session, town.offer.id, by=town.area, now=town.now, reason=why)
        assert replay.is_approved(session, town.the_round.id)
        session.commit()
        site.set_time(town.now)
        yield town


def look(page, name: str) -> None:
    """Save a screenshot if a folder for screenshots is set."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_review_pages_are_accessible(site, waiting, new_page):
    for phone, language in ((True, "zh-CN"), (False, "en")):
        page = new_page(phone=phone, language=language)
        let_in(site, page, waiting.city)
        look_at_all(page, waiting, language[:2], "390" if phone else "1280")


def look_at_all(page, waiting, short: str, width: str) -> None:
    for name, path in {
        "home": f"/officials/2026?lang={short}",
        "cases": "/officials/2026/cases",
        "case": f"/officials/2026/cases/{waiting.case.id}",
        "revocations": f"/officials/2026/cases/revocations?code={waiting.code}",
        "revoke": f"/officials/2026/cases/revocations/{waiting.offer.id}",
        "daily": f"/officials/2026/rounds/{waiting.the_round.id}/daily-replays/withdraw",
        "room": f"/officials/2026/rounds/{waiting.the_round.id}/draw",
    }.items():
        page.goto(path)
        look(page, f"{name}-{short}-{width}")
        assert_axe_clean(page)


def test_an_official_settles_and_a_second_one_revokes(site, waiting, new_page):
    page = new_page()
    let_in(site, page, waiting.city)
    page.goto("/officials")
    with another_page(page):
        page.get_by_role("link", name="办结争议、申诉和异议").click()
    with another_page(page):
        page.get_by_role("link", name="监护人争议").click()
    page.get_by_label("不成立").check()
    page.get_by_label("依据和经过").fill("判决书与孩子无关")
    with another_page(page):
        page.get_by_role("button", name="办结并通知").click()
    expect(page.get_by_role("alert")).to_contain_text("请确认后再办结")
    expect(page.get_by_label("依据和经过")).to_have_value("判决书与孩子无关")
    page.get_by_label("我已听取各方").check()
    with another_page(page):
        page.get_by_role("button", name="办结并通知").click()
    expect(page.get_by_role("heading", name="最近办结")).to_be_visible()
    expect(page.get_by_role("link", name="监护人争议")).to_have_count(0)

    page.goto("/officials")
    with another_page(page):
        page.get_by_role("link", name="看一看要撤销的录取").click()
    with another_page(page):
        page.get_by_role("link", name=waiting.code).click()
    expect(page.get_by_text("户口材料经公安核实系伪造")).to_be_visible()
    page.get_by_label("查实的虚假情况").fill("复核属实")
    page.get_by_label("虚假情况已经查实").check()
    page.get_by_role("button", name="签署并撤销录取").click()
    expect(page.get_by_text("录取已撤销")).to_be_visible()
