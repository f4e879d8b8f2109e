"""Families sign in through the provider, take the answers of the check along, and read announcements that officials wrote."""

import itertools
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from enrollment.ground.outbox import TextMessage
from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

BOTH = pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (True, "en"), (False, "zh-CN")])
NUMBERS = itertools.count(1)
SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture
def city(site, now):
    with site.session() as session, session.begin():
        town = Town(session, now)
        town.kindergarten("机关第一幼儿园", places=30)
        town.policy("510104", family="whole_district")
        town.open_registration()
        officials = [town.city_official(), town.city_official()]
        return [signed_in_key(session, each.account_id) for each in officials]


def look(page: Page) -> None:
    page.wait_for_load_state()
    assert_axe_clean(page)
    assert page.evaluate(SIDEWAYS), page.url
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{next(NUMBERS):02}-{page.viewport_size['width']}.png", full_page=True)


def speak(page: Page, site, language: str) -> dict[str, str]:
    """Have the pages in this language; the words of the buttons that are pressed."""
    page.context.add_cookies([{"name": "lang", "value": language[:2], "url": site.url}])
    return WORDS[language[:2]]


WORDS = {
    "zh": {
        "sign_on": "用城市统一身份认证登录",
        "get": "获取验证码",
        "confirm": "核对并登录",
        "mine": "登录方式",
        "next": "回答下一题",
        "end": "看我家的情况",
        "take": "开始登记，带上这些回答",
    },
    "en": {
        "sign_on": "Sign in with the city's single sign-on",
        "get": "Send me a code",
        "confirm": "Confirm and sign in",
        "mine": "Ways to sign in",
        "next": "Next question",
        "end": "Show what applies to us",
        "take": "Start registering, with these answers",
    },
}


@BOTH
def test_a_family_signs_in_through_the_provider(site, city, new_page, phone, language):
    page = new_page(phone=phone, language=language)
    words = speak(page, site, language)
    page.goto("/sign-in")
    look(page)
    page.get_by_role("link", name=words["sign_on"]).click()
    expect(page.locator("h1")).to_contain_text("测试统一身份认证")
    page.get_by_role("button", name=re.compile("张新")).click()
    page.wait_for_url("**/sign-in/sso/phone")
    look(page)
    page.get_by_role("button", name=words["get"]).click()
    page.wait_for_url("**/sign-in/sso/code")
    look(page)
    with site.session() as session:
        body = session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc())).first().body
    page.locator("#code").fill(re.search(r"\d{6}", body).group())
    page.get_by_role("button", name=words["confirm"]).click()
    page.wait_for_url("**/parents")
    look(page)
    page.goto("/parents/account")
    expect(page.locator("#sign-on")).to_contain_text(words["mine"])
    look(page)
    page.context.clear_cookies(name="session")
    page.goto("/sign-in?next=/parents/messages")
    page.locator("a[href^='/sign-in/sso']").click()
    page.get_by_role("button", name=re.compile("取消")).click()
    page.wait_for_url(re.compile(r"/sign-in\?next="))
    look(page)
    page.locator("a[href^='/sign-in/sso']").click()
    page.get_by_role("button", name=re.compile("张新")).click()
    page.wait_for_url("**/parents/messages")


def test_a_code_is_sent_with_its_sixth_digit_once_and_a_refused_one_waits(site, city, new_page):
    page = new_page(phone=True)
    page.goto("/sign-in")
    page.locator("#phone").fill("13900000012")
    page.get_by_role("button", name="获取验证码").click()
    page.wait_for_url("**/sign-in/code")
    expect(page.locator("#code-hint")).to_have_text("10 分钟内有效，填满 6 位自动登录")
    with site.session() as session:
        body = session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc())).first().body
    code = re.search(r"\d{6}", body).group()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.locator("#code").press_sequentially(wrong[:5])
    assert sent == []
    with another_page(page):
        page.locator("#code").press_sequentially(wrong[5:])
    look(page)
    expect(page.locator(".govuk-error-summary")).to_be_visible()
    assert len(sent) == 1, "the refused code is not sent again by itself"
    with page.expect_navigation(url=re.compile("/parents")):
        page.locator("#code").fill(f"{code[:3]} {code[3:]}")
    assert len(sent) == 2


@BOTH
def test_answers_of_the_check_come_along(site, city, new_page, phone, language):
    page = new_page(phone=phone, language=language)
    words = speak(page, site, language)
    page.goto("/check")
    answers = (
        lambda: page.locator("input[name=level]").first.check(),
        lambda: (
            page.locator("input[name=hukou_kind][value=local]").check(),
            page.select_option("#hukou_area", "510104"),
        ),
        lambda: (page.select_option("#home_area", "510104"), page.locator("input[name=home_owned][value=no]").check()),
        lambda: None,
        lambda: page.locator("#multi_child").fill("2"),
        lambda: None,
    )
    for number, answer in enumerate(answers, 1):
        look(page)
        answer()
        with another_page(page):
            page.get_by_role("button", name=words["end"] if number == len(answers) else words["next"]).click()
    look(page)
    page.get_by_role("button", name=words["take"]).click()
    page.wait_for_url(re.compile(r"/sign-in\?next="))


@pytest.mark.parametrize("phone", [True, False])
def test_two_officials_publish_what_families_read(site, city, new_page, phone):
    writer, second, family = (new_page(phone=phone), new_page(phone=phone), new_page(phone=phone, language="en"))
    for page, key in zip((writer, second), city, strict=True):
        page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    writer.goto("/officials/2026/announcements")
    look(writer)
    writer.goto("/officials/2026/announcements/new")
    look(writer)
    writer.fill("#title_zh", "今年怎样抽签")
    writer.fill("#body_zh", "名单先存证。\n任何家庭都能重算。")
    writer.fill("#title_en", "How the draw works this year")
    writer.fill("#body_en", "The list is sealed first.\nAny family can check it.")
    writer.get_by_role("button", name="保存并预览").click()
    expect(writer.locator("main")).to_contain_text("另一位市级人员")
    look(writer)
    second.goto(writer.url)
    second.get_by_role("button", name="发布这一版").click()
    expect(second.locator("main")).to_contain_text("起公开")
    look(second)
    speak(family, site, "en")
    family.goto("/")
    look(family)
    family.get_by_role("link", name="How the draw works this year").click()
    expect(family.locator("main")).to_contain_text("Any family can check it.")
    look(family)
    family.goto("/announcements")
    look(family)
