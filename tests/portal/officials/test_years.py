"""DRW01: every officials' page has its year in its address; a year in preparation changes no page of another year."""

from bs4 import BeautifulSoup

from enrollment.season import rounds
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_season import at

ADDRESSES = ("", "/season", "/rounds", "/draws", "/policies", "/places", "/unplaced", "/coverage", "/cases", "/imports")


@prepared
def city(client, town):
    """A browser of a city official, in a city whose registration is open."""
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    town.session.commit()
    return sign_in(client, town.city_pair()[0].account_id)


def years_of(page: str) -> dict[str, str]:
    """The years of the switch with their addresses."""
    links = BeautifulSoup(page, "lxml").select("nav.years a")
    return {link.get_text(" ", strip=True): link["href"] for link in links}


def prepare_next_year(town) -> None:
    """2027 in preparation, with a round of its own."""
    town.prepared_season(2027)
    more = {"opens_at": at(5, 21, year=2027), "closes_at": at(5, 29, year=2027), "confirm_by": at(6, 9, year=2027)}
    rounds.plan(town.session, 2027, name="2027 主批次", by=town.city_pair()[0], now=town.now, **more)
    town.session.commit()


def test_an_address_without_a_year_leads_to_the_one_that_families_see(city, town):
    prepare_next_year(town)
    for address in ADDRESSES:
        moved = city.get(f"/officials{address}?lang=zh")
        assert (moved.status_code, moved.headers["Location"]) == (303, f"/officials/2026{address}?lang=zh")


def test_a_page_of_a_year_leads_to_pages_of_its_year_whatever_was_read_before(city, town):
    prepare_next_year(town)
    for year, other in ((2026, 2027), (2027, 2026), (2026, 2027)):
        for section in ADDRESSES:
            page = BeautifulSoup(city.get(f"/officials/{year}{section}").text, "lxml")
            links = {
                link["href"]
                for link in page.select("main a[href], nav:not(.years) a[href], form[action]")
                if link.get("href")
            }
            assert not [link for link in links if link.startswith(f"/officials/{other}") and "back=" not in link], (
                section
            )


def test_an_address_that_names_a_round_leads_to_its_year(city, town):
    later = town.the_round
    prepare_next_year(town)
    planned = rounds.rounds_of_year(town.session, 2027)[0]
    for given, year in ((planned, 2027), (later, 2026)):
        for address in (f"/officials/rounds/{given.id}", f"/officials/{4053 - year}/rounds/{given.id}/draw"):
            answer = city.get(address, follow_redirects=True)
            assert answer.status_code == 200
            assert answer.request.path.startswith(f"/officials/{year}/rounds/{given.id}")


def test_every_page_offers_every_year_and_stays_in_its_section(city, town):
    prepare_next_year(town)
    for address in ADDRESSES:
        years = years_of(city.get(f"/officials/2026{address}").text)
        assert list(years.values()) == [f"/officials/2027{address}", f"/officials/2026{address}"], address
        assert list(years) == ["2027 准备中", "2026 进行中"]
        assert city.get(f"/officials/2027{address}").status_code == 200, address


def test_a_year_that_nobody_created_is_not_found(city):
    assert city.get("/officials/2031/rounds").status_code == 404
    assert city.get("/officials/1/season").status_code == 404


def test_pages_of_one_year_do_not_show_or_change_the_other(city, town):
    prepare_next_year(town)
    assert "2027 主批次" not in city.get("/officials/2026/season/result").text
    assert "2027 主批次" in city.get("/officials/2027/rounds").text
    span = {"begins_at": "2027-06-05T09:00", "ends_at": "2027-06-13T18:00", "reason": "场地", "accept_warnings": "y"}
    assert fill_in(city, "/officials/2027/season/result", **span).status_code == 303
    tokens = hidden_fields(city.get("/officials/2026/season/result").text)
    assert city.post(f"/officials/2027/rounds/{town.the_round.id}/close", data=tokens).status_code == 404


def test_two_officials_announce_a_year_on_its_page_and_the_second_finds_it_on_the_home_page(
    client, another_client, town
):
    """The home page of another year says what waits."""
    town.season(2026)
    town.prepared_season(2027)
    town.session.commit()
    first = sign_in(client, town.city_pair()[0].account_id)
    second = sign_in(another_client(), town.city_pair()[1].account_id)
    page = "/officials/2027/season/announcement"
    assert "签署公布 2027 招生年度" not in second.get("/officials/2026").text
    assert fill_in(first, page, accept_warnings="y").status_code == 303
    assert "还没有公布" in first.get("/officials/2027/season?lang=zh").text
    assert "签署公布 2027 招生年度" in second.get("/officials/2026?lang=zh").text
    assert "签署公布 2027 招生年度" not in first.get("/officials/2026").text
    assert fill_in(second, page, accept_warnings="y").status_code == 303
    assert years_of(second.get("/officials/2026").text)["2027 已公布"] == "/officials/2027"


def test_a_calendar_that_changed_under_the_page_is_not_signed(city, town):
    prepare_next_year(town)
    page = "/officials/2027/season/announcement"
    old = hidden_fields(city.get(page).text)
    span = {"begins_at": "2027-06-05T09:00", "ends_at": "2027-06-13T18:00", "reason": "", "accept_warnings": "y"}
    assert fill_in(city, "/officials/2027/season/result", **span).status_code == 303
    answer = city.post(page, data=old)
    assert answer.status_code == 200 and "日程有改动" in answer.text
    assert fill_in(city, page, accept_warnings="y").status_code == 303


def test_a_year_is_closed_on_its_page(city, town, frozen_clock):
    page = "/officials/2026/season/close"
    assert "最后一个环节结束以后" in fill_in(city, page).text
    frozen_clock.set(at(10, 1))
    assert "结束 2026 招生年度" in city.get("/officials/2026?lang=zh").text
    assert town.the_round.name in fill_in(city, page).text, "its registration was never closed"
    town.close_registration()
    town.session.commit()
    assert fill_in(city, page).status_code == 303
    assert "已结束" in city.get("/officials/2026/season?lang=zh").text
    assert city.get(page).status_code == 200


def test_drw01_a_form_sent_too_late_leads_to_a_page_and_not_around_in_circles(city, town):
    """The address takes POST alone; a browser that reloads it gets an error, not one more year at each turn."""
    only_post = f"/officials/2026/rounds/{town.the_round.id}/freeze"
    assert city.get(only_post).status_code == 404
    late = city.post(
        only_post, data={}, headers={"Referer": f"http://localhost/officials/2026/rounds/{town.the_round.id}/draw"}
    )
    assert (late.status_code, late.location) == (303, f"/officials/2026/rounds/{town.the_round.id}/draw")


def test_a_form_of_a_page_from_before_the_year_stood_in_the_address_leads_to_the_new_page(city, town):
    """Nothing is done, and the page says so: a POST without a year could mean another year."""
    old = f"/officials/rounds/{town.the_round.id}"
    answer = city.post(f"{old}/close", data=hidden_fields(city.get("/officials/2026/season/result").text))
    assert answer.status_code == 409
    assert "什么都没有改" in answer.text
    assert f'href="/officials/2026/rounds/{town.the_round.id}"' in answer.text
    assert city.get(f"/officials/2026/rounds/{town.the_round.id}").status_code == 200
    town.session.refresh(town.the_round)
    assert town.the_round.stage == "open"
    nowhere = city.post("/officials/no/such/page", data=hidden_fields(city.get("/officials/2026/season/result").text))
    assert nowhere.status_code == 409 and 'href="/officials/2026"' in nowhere.text


def test_an_address_of_a_year_without_a_page_is_not_found_and_does_not_redirect_for_ever(city):
    assert city.get("/officials/2026/no-such-page").status_code == 404
    assert city.get("/officials/2026/rounds/").status_code in (303, 308, 404)
    tokens = hidden_fields(city.get("/officials/2026/season/result").text)
    assert city.post("/officials/2026/audit", data=tokens).status_code == 405
