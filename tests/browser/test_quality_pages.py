"""Grades, the count of high quality and readiness, at 390 and 1280 px in both languages."""

import pytest

from enrollment.places.grades import code_list, held
from enrollment.places.grades.code_list import GradeNames
from enrollment.places.staffing import counts
from tests.browser.test_message_pages import look_at, speak
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.town import Town


@pytest.fixture
def visits(site, now) -> list[tuple[str | None, list[str]]]:
    """A session key and the addresses to look at, for an official, a clerk and a family without an account."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden, other = (
            town.kindergarten("机关第一幼儿园", places=30),
            town.kindergarten("牡丹幼儿园", nature="private"),
        )
        for each, children in ((garden, 26), (other, 31)):
            town.roll(each, "middle", children)
        city, area = town.city_official(), town.area_official()
        for names in (GradeNames("省级示范性幼儿园", "Provincial model", True), GradeNames("市二级", "City 2", False)):
            code_list.add(session, names, by=city, now=now)
        held.give(session, garden.id, "g1", now.date(), "模拟通知", by=area, now=now)
        counts.enter(session, garden.id, now.date(), 3, 2, by=area, now=now)
        here = "/officials/2026/quality"
        officials = [
            here, f"{here}?area=510104", f"{here}/grades", f"{here}/grades/g1", f"{here}/kindergartens/{garden.id}",
            f"{here}/readiness", f"{here}/readiness/510104",
        ]  # fmt: skip
        return [
            (signed_in_key(session, city.account_id), officials),
            (signed_in_key(session, town.clerk_of(garden).account_id), ["/staff/roll/staff"]),
            (None, ["/kindergartens?grade=quality", f"/kindergartens/{garden.code}"]),
        ]


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (True, "en"), (False, "zh-CN"), (False, "en")])
def test_the_pages_of_quality(visits, site, new_page, phone, language):
    for key, addresses in visits:
        page = new_page(phone=phone, language=language)
        if key:
            page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
        speak(page, site, language)
        for address in addresses:
            assert page.goto(address).status == 200, address
            look_at(page, f"{address.replace('?', '-')}-{'phone' if phone else 'wide'}-{language}")
