"""The officials' pages of the season: create a year, move a date, plan, open, extend and close a round."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup

from enrollment.season import calendar, deadline_extensions, holidays, policy_approval, rounds, seasons
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_season import at, dates_of


@pytest.fixture(params=["zh", "en"])
def lang(request):
    return request.param


@prepared
def city(client, town):
    """A browser in which a city official is signed in."""
    sign_in(client, town.city_pair()[0].account_id)
    return client


def season_fields(**changed) -> dict:
    fields = {"year": "2026", "hotline": "028-12345", "accept_warnings": "y"}
    for step, (begins_at, ends_at) in dates_of().items():
        fields[f"{step}_begins"], fields[f"{step}_ends"] = f"{begins_at:%Y-%m-%dT%H:%M}", f"{ends_at:%Y-%m-%dT%H:%M}"
    return fields | changed


def text_of(response) -> str:
    return " ".join(BeautifulSoup(response.text, "lxml").main.get_text(" ").split())


def test_every_page_of_an_empty_city_opens(city, lang):
    for path in (
        "/officials/2026",
        "/officials/2026/season",
        "/officials/2026/season/new",
        "/officials/2026/rounds",
        "/officials/2026/policies",
    ):
        assert city.get(f"{path}?lang={lang}").status_code == 200, path


def test_a_year_is_created_with_its_dates(city, town):
    answer = fill_in(city, "/officials/2026/season/new", **season_fields())
    assert answer.status_code == 303
    season = seasons.of_year(town.session, 2026)
    assert calendar.spans(season)["draw"] == dates_of()["draw"]
    assert "2026" in text_of(city.get("/officials/2026/season"))


def test_the_form_begins_with_dates_that_fit(city, town):
    page = BeautifulSoup(city.get("/officials/2026/season/new").text, "lxml")
    fields = {field["name"]: field["value"] for field in page.select("main input[type=datetime-local], #year")}
    assert fill_in(city, "/officials/2026/season/new", **fields).status_code == 303
    assert seasons.of_year(town.session, 2026).year == 2026


def test_conflicting_dates_are_listed_and_nothing_is_lost(city, town, lang):
    fields = season_fields(announcement_ends="2026-05-08T18:00", draw_begins="2026-06-01T09:00")
    answer = fill_in(city, f"/officials/2026/season/new?lang={lang}", **fields)
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "lxml")
    assert page.find(id="announcement_ends-error") and page.find(id="draw_begins-error")
    assert ("不少于 5 个工作日" if lang == "zh" else "no fewer than 5 working days") in page.get_text()
    assert page.find(id="draw_begins")["value"] == "2026-06-01T09:00"
    assert seasons.all_years(town.session) == []


def test_drw11_a_warning_stands_beside_its_date_and_is_accepted_with_a_tick(city, town, lang):
    """The supplementary round of the test calendar ends on the Dragon Boat Festival."""
    page = f"/officials/2026/season/new?lang={lang}"
    fields = season_fields()
    del fields["accept_warnings"]
    assert "accept_warnings" not in city.get(page).text
    warned = BeautifulSoup(fill_in(city, page, **fields).text, "lxml")
    beside = warned.find(id="supplementary_ends-error").get_text()
    assert "端午节" in beside and ("民法典" if lang == "zh" else "Civil Code") in beside
    assert warned.find(id="accept_warnings") and seasons.all_years(town.session) == []
    assert fill_in(city, page, **fields, accept_warnings="y").status_code == 303


def test_drw11_a_day_off_is_corrected_on_its_page(city, town, lang):
    town.season()
    town.session.commit()
    page = f"/officials/2026/season/days?lang={lang}"
    assert "端午节" in city.get(page).text
    wrong = BeautifulSoup(fill_in(city, page, day="明天", kind="work").text, "lxml")
    assert wrong.find(id="day-error")
    assert fill_in(city, page, day="2026-06-19", kind="work").status_code == 303
    assert not holidays.of_year(town.session, 2026).is_rest(dt.date(2026, 6, 19))


def test_a_missing_date_is_named_next_to_its_field(city):
    answer = fill_in(city, "/officials/2026/season/new", **season_fields(draw_begins="明天"))
    page = BeautifulSoup(answer.text, "lxml")
    assert "2026-05-21 09:00" in page.find(id="draw_begins-error").get_text()


def test_a_date_is_moved_with_a_reason(city, town, lang):
    town.season()
    town.session.commit()
    path = f"/officials/2026/season/result?lang={lang}"
    span = {"begins_at": "2026-06-05T09:00", "ends_at": "2026-06-13T18:00"}
    refused = fill_in(city, path, **span, reason="")
    assert BeautifulSoup(refused.text, "lxml").find(id="reason-error")
    assert fill_in(city, path, **span, reason="公证处时间调整").status_code == 303
    town.session.expire_all()
    assert calendar.spans(seasons.of_year(town.session, 2026))["result"][1] == at(6, 13, 18)


def test_a_stale_tab_does_not_overwrite_a_date(city, town, another_client):
    town.season()
    town.session.commit()
    path = "/officials/2026/season/result"
    old = hidden_fields(city.get(path).text)
    span = {"begins_at": "2026-06-05T09:00", "ends_at": "2026-06-13T18:00", "reason": "一"}
    assert fill_in(city, path, **span).status_code == 303
    late = city.post(path, data={**old, **span, "ends_at": "2026-06-14T18:00"})
    assert late.status_code == 409


@prepared
def ready(town):
    """Two kindergartens with approved places and a signed policy."""
    town.kindergarten("金苹果", places=2)
    town.kindergarten("小太阳", places=3, nature="inclusive")
    town.policy("510104")
    town.session.commit()


def plan(city, **changed):
    fields = {
        "name": "主批次", "kind": "main", "max_wishes": "5", "pair_rule": "overhang", "levels": ["lower"],
        "natures": ["public", "inclusive"], "opens_at": "2026-05-21T09:00", "closes_at": "2026-05-29T18:00",
        "confirm_by": "2026-06-09T18:00",
    }  # fmt: skip
    return fill_in(city, "/officials/2026/rounds/new", **(fields | changed))


def test_a_round_is_planned_opened_extended_and_closed(city, town, ready, frozen_clock, lang):
    answer = plan(city)
    assert answer.status_code == 303
    address = answer.headers["Location"]
    assert city.get(f"{address}?lang={lang}").status_code == 200

    assert fill_in(city, address, f"{address}/open").status_code == 303
    [found] = rounds.rounds_of_year(town.session, 2026)
    assert found.stage == "open"
    assert len(rounds.programmes_of(town.session, found.id)) == 2
    page = city.get(f"{address}?lang={lang}")
    assert found.policies[0].digest[:12] in page.text
    assert f"{address}/close" not in page.text, "nobody closes before the deadline"

    assert fill_in(city, f"{address}/extend", closes_at="2026-05-30T18:00", reason="系统维护").status_code == 303
    shown = deadline_extensions.proposal_of(town.session, found).digest
    deadline_extensions.approve(town.session, found.id, digest=shown, by=town.city_pair()[1], now=town.now)
    town.session.commit()
    frozen_clock.set(at(5, 30, 19))
    assert fill_in(city, f"{address}?lang={lang}", f"{address}/close").status_code == 303
    town.session.refresh(found)
    assert found.stage == "closed"
    assert city.get(f"{address}?lang={lang}").status_code == 200


def test_what_is_missing_is_named_before_anybody_tries(city, town, lang):
    town.kindergarten("金苹果", places=2)
    town.season()
    town.session.commit()
    address = plan(city).headers["Location"]
    page = city.get(f"{address}?lang={lang}")
    assert ("锦江区" if lang == "zh" else "Jinjiang") in text_of(page)
    assert f"{address}/open" not in page.text


def test_a_refusal_at_the_last_moment_stands_on_the_page(city, town, ready):
    """The policy was withdrawn in another tab after the page was shown: the service refuses and the page shows why."""
    address = plan(city).headers["Location"]
    fields = hidden_fields(city.get(address).text, f"{address}/open")
    town.kindergarten("红房子", places=2, area="510107")
    town.session.commit()
    answer = city.post(f"{address}/open", data=fields)
    assert answer.status_code == 200
    assert "武侯区" in BeautifulSoup(answer.text, "lxml").select_one(".govuk-error-summary").get_text()


def test_a_plan_with_wrong_dates_is_shown_again(city, town, ready):
    answer = plan(city, closes_at="2026-05-20T18:00")
    page = BeautifulSoup(answer.text, "lxml")
    assert page.find(id="closes_at-error")
    assert page.find(id="name")["value"] == "主批次"


def test_a_round_outside_the_calendar_is_shown_as_a_conflict(city, town, ready):
    plan(city, opens_at="2026-05-16T09:00")
    assert "不在“网上登记”之内" in text_of(city.get("/officials/2026/season"))


def test_an_area_official_reads_but_does_not_decide_for_the_city(client, town, ready):
    town.session.commit()
    official = town.area_official("510104")
    sign_in(client, official.account_id)
    for path in ("/officials/2026", "/officials/2026/season", "/officials/2026/rounds", "/officials/2026/policies"):
        assert client.get(path).status_code == 200
    for path in ("/officials/2026/season/new", "/officials/2026/rounds/new", "/officials/2026/season/draw"):
        assert client.get(path).status_code == 403


def test_the_home_page_names_what_waits(city, town, lang):
    town.kindergarten("金苹果", places=2)
    town.kindergarten("红房子", places=2, area="510107")
    made = town.policy("510104", signed=False)
    policy_approval.dry_run(town.session, made.id, [], by=town.city_pair()[0], now=town.now)
    town.session.commit()
    page = city.get(f"/officials/2026?lang={lang}")
    links = {link["href"] for link in BeautifulSoup(page.text, "lxml").select("main .tasks a")}
    assert {"/officials/2026/policies/510104/1", "/officials/2026/policies/510107"} <= links
    policy_approval.sign(town.session, made.id, by=town.city_pair()[0], now=town.now)
    town.session.commit()
    assert "/officials/2026/policies/510104/1" not in city.get("/officials/2026").text
