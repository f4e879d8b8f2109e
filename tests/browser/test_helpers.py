"""A helper's pages at 390 px and 1280 px with axe: from the code that a guardian reads out to the receipt to be signed."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.ground.outbox import TextMessage
from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

PHONE = "13811112222"
BOTH = (390, 1280)


@dataclass
class Helped:
    """The cookies of a helper and of a guardian, the application that the helper has handed in for it, and a paper with
    the guardian's phone number."""

    helper: str
    guardian: str
    handed_in: str
    paper: str


@pytest.fixture
def helped(site, now) -> Helped:
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("机关第一幼儿园", places=30)
        town.open_registration()
        yang = town.helper("小杨")
        mandate = town.mandate_by_code(yang, "13811113333")
        baby = town.helper_enters(town.acting(yang, mandate), wishes=[garden])
        paper = town.mandate_on_paper(yang, "13811113333", "李小四")
        keys = [signed_in_key(session, account_id) for account_id in (yang.account_id, mandate.account_id)]
        return Helped(*keys, f"/parents/applications/{baby.id}", f"/parents/papers/{paper.id}")


def open_as(new_page, site, key: str):
    page = new_page(phone=True)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    return page


def look_at(page, name: str, widths=(390,)) -> None:
    for width in widths:
        page.set_viewport_size({"width": width, "height": 844})
        assert_axe_clean(page)
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})


def test_a_helper_begins_with_a_family_and_goes_on_with_another(site, helped, new_page):
    page = open_as(new_page, site, helped.helper)
    page.goto("/helpers/new/paper")
    look_at(page, "paper")
    page.goto("/helpers/new")
    look_at(page, "new", BOTH)
    page.get_by_label("监护人的手机号").fill(PHONE)
    page.get_by_label("监护人同意").check()
    page.get_by_role("button", name="发送验证码").click()
    expect(page.get_by_label("监护人读给您的验证码")).to_be_visible()
    look_at(page, "code")
    with site.session() as session:
        text = session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc()).limit(1)).one()
    page.get_by_label("监护人读给您的验证码").fill(re.search(r"(?<!\d)\d{6}(?!\d)", text.body).group())
    page.get_by_role("button", name="开始代办").click()
    expect(page.locator(".acting")).to_contain_text("正在代手机尾号 2222 的家长填写")
    look_at(page, "beginning", BOTH)
    page.goto("/parents/consent")
    look_at(page, "consent")
    with another_page(page):
        page.get_by_role("button", name="结束代办").click()
    expect(page.locator("section", has_text="张*三").get_by_role("button", name="继续代办")).to_be_visible()
    look_at(page, "home", BOTH)
    page.locator("section", has_text="张*三").get_by_role("button", name="继续代办").click()
    expect(page.locator(".acting")).to_contain_text("正在代 张*三 填写")
    for tail in ("", "/receipts/1"):
        page.goto(helped.handed_in + tail)
        look_at(page, f"helped{tail.replace('/', '-')}", BOTH)
    page = open_as(new_page, site, helped.guardian)
    page.goto("/parents/account")
    look_at(page, "account", BOTH)
    page.goto(helped.paper)
    look_at(page, "take-over")
