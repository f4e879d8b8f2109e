"""Reports, accounts, the cockpit of the two shares, its forecast and the laboratory, at 390 and 1280 px in both languages."""

import numpy as np
import pytest

from enrollment.ground.city_time import today
from enrollment.reports.tables import area_sums
from enrollment.staff_accounts import changes
from portal.demo.past import rows as past
from tests.browser.test_message_pages import look_at, speak
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.town import Town


@pytest.fixture
def visits(site, now) -> list[tuple[str | None, list[str]]]:
    """A session key and the addresses to look at, for a city official, an area's one, a clerk, and nobody."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden, other, third = (
            town.kindergarten("机关第一幼儿园", places=30), town.kindergarten("牡丹幼儿园", nature="private"),
            town.kindergarten("青羊幼儿园", places=20, area="510105"),
        )  # fmt: skip
        for each in (garden, other, third):
            for level, children in (("lower", 25), ("middle", 31), ("upper", 29)):
                town.roll(each, level, children)
        town.child_on_roll(garden, "刘小果")
        area_sums.count(session, "statistics", 2026, "510104", now=now)
        past.write(session, np.random.default_rng(5), 2026, today(now))
        city, area, clerk = town.city_official(), town.area_official(), town.clerk_of(garden)
        asked = {"reason": "接替原审核员", "by": area, "now": now}
        changes.ask_new(
            session, "li.hua", "李华", "clerk", kindergarten_id=garden.id, area_code=None, **asked
        )  # fmt: skip
        here = "/officials/2026"
        return [
            (
                signed_in_key(session, city.account_id),
                [
                    f"{here}/reports", f"{here}/reports/ledger", f"{here}/reports/statistics",
                    f"{here}/reports/statistics?area=510104", f"{here}/reports/roll_file?area=510104",
                    f"{here}/reports/roll_file?at={garden.id}", f"{here}/reports/roll_file/export?at={garden.id}",
                    f"{here}/reports/promotion", f"{here}/reports/two_shares", f"{here}/accounts", f"{here}/accounts/new",
                    f"{here}/accounts/{clerk.account_id}", f"{here}/coverage", f"{here}/coverage/510104",
                    f"{here}/coverage/510104/forecast", f"{here}/laboratory", here,
                ],
            ),
            (signed_in_key(session, area.account_id), [f"{here}/reports/on_roll", f"{here}/coverage/510104"]),
            (signed_in_key(session, clerk.account_id), ["/staff/reports/roll_file", "/staff/reports/roll_file/differences"]),
            (None, ["/sign-in/staff", "/sign-in/staff/setup"]),
        ]  # fmt: skip


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (True, "en"), (False, "zh-CN"), (False, "en")])
def test_the_pages_of_reports_and_accounts(visits, site, new_page, phone, language):
    for key, addresses in visits:
        page = new_page(phone=phone, language=language)
        if key:
            page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
        speak(page, site, language)
        for address in addresses:
            assert page.goto(address).status == 200, address
            look_at(page, f"{address.replace('?', '-')}-{'phone' if phone else 'wide'}-{language}")
