"""The browser in `make test`: one family from the home page to its receipt, and the first page of every desk."""

import pytest

from tests.browser.people.parent import Parent
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

pytestmark = pytest.mark.smoke

GARDEN = "锦官新城幼儿园"


@pytest.fixture
def town(site, now):
    with site.session() as session:
        town = Town(session, now)
        town.garden = town.kindergarten(GARDEN, places=30)
        town.open_registration()
        session.commit()
        yield town


def test_a_family_applies_on_a_phone(town, workers, new_page):
    parent = Parent(new_page(phone=True))
    parent.begins("13911112222")
    parent.consents_and_says_who()
    parent.enters_the_child("李安然")
    parent.tells_where_they_live()
    parent.presses("保存并继续")
    parent.adds_a_wish("锦官", GARDEN)
    parent.presses("保存并检查")
    parent.ticks("以上内容属实")
    parent.presses("提交申请")
    parent.is_at("提交回执")
    parent.reads(GARDEN)


DESKS = {
    "/": None,
    "/parents": lambda town: town.family("李").account.id,
    "/helpers/": lambda town: town.helper("小杨").account_id,
    "/staff/": lambda town: town.clerk_of(town.garden).account_id,
    "/officials/2026": lambda town: town.city_official().account_id,
}


@pytest.mark.parametrize("path", DESKS)
def test_the_first_page_of_each_desk(town, site, desk, path):
    if DESKS[path]:
        key = signed_in_key(town.session, DESKS[path](town))
        town.session.commit()
        desk.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    answer = desk.goto(path)
    assert answer.status == 200
    assert not desk.url.startswith(f"{site.url}/sign-in")
    assert_axe_clean(desk)
