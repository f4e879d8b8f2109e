"""The siblings page without JavaScript: what saving does follows the choice by CSS, on a phone and on a wide screen."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support import chromium
from tests.support.axe import assert_axe_clean
from tests.support.crowd import crowd
from tests.support.town import Town

ELSEWHERE = {"home_area": "510105", "hukou_area": "510105"}


@dataclass
class Twins:
    key: str
    one: str
    two: str


@pytest.fixture
def twins(site, now) -> Twins:
    """One twin is handed in with two wishes, the other is a draft with another one; the chances are estimated."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        hot, near, far = (
            town.kindergarten(name, places=places)
            for name, places in (("玉林小区第三幼儿园", 40), ("桐梓林东路幼儿园", 100), ("倪家桥小橘灯普惠幼儿园", 60))
        )
        town.open_registration()
        family = town.family("周")
        one = town.child("周星遥", family=family, wishes=[hot, near], **ELSEWHERE)
        two = town.child("周星野", family=family, wishes=[far], submit=False, **ELSEWHERE)
        crowd(town, 250, hot, near, far)
        town.estimate_chances()
        paths = [f"/parents/applications/{each.id}/together" for each in (one, two)]
        return Twins(signed_in_key(session, family.account.id), *paths)


@pytest.fixture
def without_scripts(browser, site, twins):
    """A function that opens the browser of the twins' family, with JavaScript switched off."""
    contexts = []

    def open_page(*, phone: bool, language: str):
        shape = chromium.PHONE if phone else chromium.DESK
        context = browser.new_context(
            **shape,
            **chromium.LANGUAGE[language],
            timezone_id="Asia/Shanghai",
            base_url=site.url,
            java_script_enabled=False,
        )
        contexts.append(context)
        cookies = {"session": twins.key} | ({"lang": "en"} if language == "en" else {})
        context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in cookies.items()])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en"), (True, "en"), (False, "zh-CN")])
def test_fam01_what_will_be_follows_the_choice_without_scripts(twins, without_scripts, phone, language):
    page = without_scripts(phone=phone, language=language)
    page.goto(twins.one)
    zh = language == "zh-CN"
    keep, replace = page.locator(".use-1.child-0"), page.locator(".use-2.child-0")
    page.locator("#together-bound").check()
    expect(keep).to_be_visible()
    expect(replace).to_be_hidden()
    expect(page.locator(".sticky .btn")).to_contain_text("捆绑，用周星遥的志愿" if zh else "the wishes of 周星遥")
    picture(page, f"siblings-{language}-{'m' if phone else 'w'}")
    page.locator(".asks .opt").nth(1).locator("input").check()
    expect(keep).to_be_hidden()
    expect(replace).to_contain_text("已提交的会改" if zh else "Handed in, will change")
    page.locator("#together-separate").check()
    expect(page.locator(".asks")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling"


def test_fam01_binding_on_the_drafts_page_keeps_the_list_that_was_handed_in(twins, without_scripts):
    page = without_scripts(phone=True, language="zh-CN")
    page.goto(twins.two)
    page.locator("#together-bound").check()
    with another_page(page):
        page.locator(".sticky .btn").click()
    page.goto(twins.two.replace("/together", "/wishes"))
    expect(page.locator(".wishes .name")).to_have_count(2)
    expect(page.locator(".wishes .name").first).to_contain_text("玉林小区第三幼儿园")
    picture(page, "wishes-bound-m")
    page.goto(twins.one.replace("/together", ""))
    expect(page.locator("main")).to_contain_text("还没有提交的是 周星野")
    picture(page, "application-bound-m")


def test_the_siblings_page_is_for_everybody(twins, site, new_page):
    page = new_page(phone=True)
    page.context.add_cookies([{"name": "session", "value": twins.key, "url": site.url}])
    for path in (twins.one, twins.two):
        page.goto(path)
        assert_axe_clean(page)
        page.locator("#together-bound").check()
        assert_axe_clean(page)


def picture(page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
