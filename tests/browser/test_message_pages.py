"""TRU01, TRU07: pages that tell what did not arrive, at 390 and 1280 px in both languages."""

import os
from pathlib import Path

import pytest
from sqlalchemy import update

from enrollment.delivery import sender_status, unreachable_numbers
from enrollment.delivery.lanes import Lane
from enrollment.ground import outbox
from enrollment.ground.outbox import DeliveryError, MessageState, Notice, TextMessage
from enrollment.ground.phones import phone_index
from portal.web.clock import real_now
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def keys(site, now) -> dict[str, tuple[str, list[str]]]:
    """A session key and the addresses to look at, for a family, a head and an official."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("机关第一幼儿园", places=30)
        family = town.family("李")
        ana = town.child("安娜", family=family, wishes=[garden])
        index = phone_index(family.phone)
        unreachable_numbers.remember(session, {index: DeliveryError.INVALID_NUMBER}, now=now)
        outbox.tell(
            session, "moved_up", account_id=family.account.id, child_id=ana.child_id, application_id=ana.id,
            key="failed", now=now,
        )  # fmt: skip
        session.flush()
        values = {"state": MessageState.UNDELIVERABLE, "last_error": DeliveryError.INVALID_NUMBER, "tries": 1}
        session.execute(update(Notice).where(Notice.key == "failed").values(**values))
        for lane in Lane:
            down = {"down_since": real_now(), "error": DeliveryError.NO_ANSWER}
            sender_status.report(session, lane, seen_at=real_now(), **down)
        return {
            # the desk first: a family that has read the message needs no call
            "head": (signed_in_key(session, town.head_of(garden).account_id), ["/staff/desk"]),
            "family": (
                signed_in_key(session, family.account.id),
                ["/parents", "/parents/messages", "/parents/data"],
            ),
            "official": (signed_in_key(session, town.city_official().account_id), ["/officials/2026/messages"]),
        }


def speak(page, site, language: str) -> None:
    if language == "en":
        page.context.add_cookies([{"name": "lang", "value": "en", "url": site.url}])


def look_at(page, name: str) -> None:
    assert_axe_clean(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name.strip('/').replace('/', '-')}.png"), full_page=True)


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (True, "en"), (False, "zh-CN"), (False, "en")])
def test_pages_of_messages_that_did_not_arrive(site, keys, new_page, phone, language):
    for key, addresses in keys.values():
        page = new_page(phone=phone, language=language)
        page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
        speak(page, site, language)
        for address in addresses:
            page.goto(address)
            look_at(page, f"{address}-{'phone' if phone else 'wide'}-{language}")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_page_of_a_code_that_is_late_and_of_a_number_that_does_not_receive(site, keys, new_page, language):
    page = new_page(phone=True, language=language)
    speak(page, site, language)
    page.goto("/sign-in")
    page.locator("input[name=phone]").fill("13812345678")
    page.locator("main form button").first.click()
    page.wait_for_url("**/sign-in/code")
    look_at(page, f"/late-{language}")
    with site.session() as session, session.begin():
        values = {"state": MessageState.UNDELIVERABLE, "last_error": DeliveryError.INVALID_NUMBER}
        session.execute(update(TextMessage).values(**values))
    page.reload()
    look_at(page, f"/unreachable-{language}")
