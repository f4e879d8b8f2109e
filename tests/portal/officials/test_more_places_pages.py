"""Where more places help most: asked at the desk, searched by the worker over the families of a round, read, stopped."""

from enrollment.planning import seat_searches
from tests.portal.officials.test_planning_pages import press, soup
from tests.support.crowd import crowd
from tests.support.prepared import prepared
from tests.support.signing_in import hidden_fields, sign_in
from tests.support.worker import let_the_worker_work

LIST = "/officials/2026/planning/more-places"


@prepared
def desk(client, town):
    hot, quiet = town.kindergarten("锦官", places=20), town.kindergarten("青羊", places=60)
    town.open_registration()
    crowd(town, 32, hot)
    crowd(town, 10, quiet)
    people = {
        name: town.account_of_staff(name, name, role, **scope)
        for name, role, scope in (("city", "city_official", {}), ("area", "area_official", {"area_code": "510104"}))
    }
    town.session.commit()
    return lambda name: sign_in(client, people[name])


def test_places_go_where_children_are_left_out(desk, portal_engine, frozen_clock):
    city = desk("city")
    page = press(city, LIST, "/more-places", places="40").headers["Location"]
    assert soup(city, page).select_one("[data-progress]")
    assert let_the_worker_work(portal_engine, frozen_clock, (seat_searches.KIND,)) == ["done"]
    assert city.get(f"{page}/progress.json").json["state"] == "done"
    found = soup(city, page)
    assert "再加 15 个学位，能多录取 12.0 人" in found.text
    assert [cell.text.strip() for cell in found.select("tbody tr > *")] == [
        "锦官",
        "锦江区",
        "小班",
        "公办",
        "+15",
        "12.0",
    ]
    assert "42 places" not in found.text and "最多能录取 42 个" in found.text
    assert "12.0 children more" in soup(city, LIST, lang="en").text


def test_a_search_is_stopped_and_only_the_city_asks(desk, portal_engine, frozen_clock):
    city = desk("city")
    assert "2000" in press(city, LIST, "/more-places", places="9999").text
    page = press(city, LIST, "/more-places", places="10").headers["Location"]
    stale = hidden_fields(city.get(page).text, f"{page}/stop")
    assert press(city, page, "/stop").status_code == 303
    assert let_the_worker_work(portal_engine, frozen_clock, (seat_searches.KIND,)) == ["done"]
    assert "中途停止" in soup(city, page).text
    assert city.post(f"{page}/stop", data=stale).status_code == 303
    assert "来不及停止：已经结束了。" in soup(city, page).text
    area = desk("area")
    assert area.get(page).status_code == 200 and not soup(area, LIST).select("main form")
