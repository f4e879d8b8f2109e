"""The season's pages for officials and the public rules at 390 px and 1280 px, in both languages."""

import datetime as dt
import secrets

import pytest

from enrollment.ground.sign_in import WebSession
from enrollment.season import deadline_extensions, policy_approval, rounds
from portal.web.clock import real_now
from portal.web.sessions import digest_of
from tests.browser.another_page import another_page
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

AREA = "510104"


def signed_in_key(session, account_id) -> str:
    key, moment = secrets.token_urlsafe(32), real_now()
    data = {"_user_id": str(account_id), "_fresh": True, "second_factor_at": moment.isoformat()}
    until = moment + dt.timedelta(hours=1)
    session.add(
        WebSession(
            digest=digest_of(key), account_id=account_id, data=data, created_at=moment, seen_at=moment, expires_at=until
        )
    )
    return key


@pytest.fixture
def city(site, now):
    """A season with one open round, an area whose newer rules wait for a signature, and an official's cookie."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        apple, sun = town.kindergarten("金苹果幼儿园", places=1), town.kindergarten("小太阳幼儿园", places=2)
        town.policy(AREA)
        town.open_registration()
        elsewhere = {"hukou_kind": "elsewhere", "hukou_area": None, "hukou_street": None}
        for name in ("安", "贝"):
            town.child(name, wishes=[apple, sun])
            town.child(name, wishes=[apple], work_area=AREA, residence_permit_area=AREA, **elsewhere)
        newer = policy_approval.template("service_area", AREA, 2026)
        made = policy_approval.upload(session, newer, area=AREA, year=2026, by=town.city_pair()[0], now=now)
        policy_approval.dry_run(session, made.id, [], by=town.city_pair()[0], now=now)
        policy_approval.sign(session, made.id, by=town.city_pair()[1], now=now)
        key = signed_in_key(session, town.city_pair()[0].account_id)
        opened = rounds.rounds_of_year(session, 2026)[0]
        later = {"closes_at": opened.closes_at + dt.timedelta(days=1), "reason": "平台中断三小时"}
        deadline_extensions.sign(session, opened.id, by=town.city_pair()[1], now=now, **later)
        return key, town.round(kind="supplementary").id, opened.id


def pages(planned, opened) -> tuple[str, ...]:
    policy = f"/officials/2026/policies/{AREA}"
    return (
        "/officials/2026",
        "/officials/2026/season",
        "/officials/2026/season/new",
        "/officials/2026/season/result",
        "/officials/2026/rounds",
        "/officials/2026/rounds/new",
        f"/officials/2026/rounds/{planned}",
        f"/officials/2026/rounds/{opened}",
        f"/officials/2026/rounds/{opened}/extend",
        "/officials/2026/policies",
        policy,
        "/officials/2026/policies/510107",
        f"{policy}/new?from=example",
        f"{policy}/2",
        f"{policy}/2/trial",
        "/rules",
        f"/rules/{AREA}",
    )


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en")])
def test_pages_are_accessible(new_page, site, city, phone, language):
    key, planned, opened = city
    page = new_page(phone=phone, language=language)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    for path in pages(planned, opened):
        answer = page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert answer.status == 200, path
        assert_axe_clean(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px"


def test_a_wrong_file_is_mended_with_the_help_of_its_lines(new_page, site, city):
    page = new_page()
    page.context.add_cookies([{"name": "session", "value": city[0], "url": site.url}])
    page.goto(f"/officials/2026/policies/{AREA}/new?from=whole_district&lang=zh")
    text = page.locator("#text")
    good = text.input_value()
    text.fill(good.replace("tier = 0", "tier = 16").replace("tolerance = 3000", "tolerance = 3200"))
    with another_page(page):
        page.get_by_role("button", name="检查").click()
    fault = page.locator(".faults li")
    assert "16" in fault.inner_text()
    assert_axe_clean(page)
    text.fill(text.input_value().replace("tier = 16", "tier = 0"))
    with another_page(page):
        page.get_by_role("button", name="检查").click()
    page.get_by_text("没有发现问题").wait_for()
    with another_page(page):
        page.get_by_role("button", name="保存为新的一版").click()
    page.get_by_role("heading", name="第 3 版").wait_for()
    page.get_by_role("button", name="试算").click()
    page.get_by_role("heading", name="试算").wait_for()
