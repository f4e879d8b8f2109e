"""A helper's pages at 390 px and 1280 px with axe: from the code that a guardian reads out to the receipt to be signed."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.ground.notices import TextMessage
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

PHONE = "13811112222"
WORDS = {
    "zh-CN": ("监护人的手机号", "监护人同意", "发送验证码", "监护人读给您的验证码", "正在代手机尾号 2222 的家长填写", "结束代办"),
    "en": ("The guardian's phone number", "who agrees", "Send the code", "The code that the guardian reads to you", "the phone ending in 2222", "Stop helping"),
}  # fmt: skip


@pytest.fixture
def helped(site, now) -> tuple[str, str]:
    """A helper's cookie, and the address of an application that it has handed in for another family."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("机关第一幼儿园", places=30)
        town.open_registration()
        yang = town.helper("小杨")
        mandate = town.mandate_by_code(yang, "13811113333")
        baby = town.helper_enters(town.acting(yang, mandate), wishes=[garden])
        key = signed_in_key(session, yang.account_id)
        return key, f"/parents/applications/{baby.id}"


def look_at(page, name: str) -> None:
    assert_axe_clean(page)
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en")])
def test_a_helper_begins_with_a_family_and_goes_on_with_another(site, helped, new_page, phone, language):
    key, handed_in = helped
    page = new_page(phone=phone, language=language)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    page.context.add_cookies([{"name": "lang", "value": language[:2], "url": site.url}])
    number, agrees, send, code, banner, stop = WORDS[language]
    page.goto("/helpers/new/paper")
    look_at(page, "paper")
    page.goto("/helpers/new")
    look_at(page, "new")
    page.get_by_label(number).fill(PHONE)
    page.get_by_label(agrees).check()
    page.get_by_role("button", name=send).click()
    expect(page.get_by_label(code)).to_be_visible()
    look_at(page, "code")
    with site.session() as session:
        text = session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc()).limit(1)).one()
    page.get_by_label(code).fill(re.search(r"(?<!\d)\d{6}(?!\d)", text.body).group())
    page.locator("main form button").click()
    expect(page.locator(".acting")).to_contain_text(banner)
    look_at(page, "beginning")
    for path in ("/parents/consent", "/parents/guardian"):
        page.goto(path)
        look_at(page, path.rpartition("/")[2])
    page.get_by_role("button", name=stop).click()
    look_at(page, "home")
    page.locator("section", has_text="3333").get_by_role("button").first.click()
    for tail in ("", "/tasks", "/check", "/receipts/1"):
        page.goto(handed_in + tail)
        expect(page.locator(".acting")).to_contain_text("张*三")
        look_at(page, f"helped{tail.replace('/', '-')}")
