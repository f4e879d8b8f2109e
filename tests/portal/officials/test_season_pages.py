"""The officials' pages of the season: create a year, move a date, plan, open, extend and close a round."""

import pytest
from bs4 import BeautifulSoup

from enrollment.season import calendar, policy_approval, rounds
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_season import at, dates_of


@pytest.fixture(params=["zh", "en"])
def lang(request):
    return request.param


@pytest.fixture
def city(client, town):
    """A browser in which a city official is signed in."""
    sign_in(client, town.city_pair()[0].account_id)
    return client


def season_fields(**changed) -> dict:
    fields = {"year": "2026", "hotline": "028-12345"}
    for step, (begins_at, ends_at) in dates_of().items():
        fields[f"{step}_begins"], fields[f"{step}_ends"] = f"{begins_at:%Y-%m-%dT%H:%M}", f"{ends_at:%Y-%m-%dT%H:%M}"
    return fields | changed


def text_of(response) -> str:
    return " ".join(BeautifulSoup(response.text, "lxml").main.get_text(" ").split())


def test_every_page_of_an_empty_city_opens(city, lang):
    for path in (
        "/officials/",
        "/officials/season",
        "/officials/season/new",
        "/officials/rounds",
        "/officials/policies",
    ):
        assert city.get(f"{path}?lang={lang}").status_code == 200, path


def test_a_year_is_created_with_its_dates(city, town):
    answer = fill_in(city, "/officials/season/new", **season_fields())
    assert answer.status_code == 303
    season = calendar.current_season(town.session, town.now)
    assert calendar.spans(season)["draw"] == dates_of()["draw"]
    assert "2026" in text_of(city.get("/officials/season"))


def test_the_form_begins_with_dates_that_fit(city, town):
    page = BeautifulSoup(city.get("/officials/season/new").text, "lxml")
    fields = {field["name"]: field["value"] for field in page.select("main input[type=datetime-local], #year")}
    assert fill_in(city, "/officials/season/new", **fields).status_code == 303
    assert calendar.current_season(town.session, town.now).year == 2026


def test_conflicting_dates_are_listed_and_nothing_is_lost(city, town, lang):
    fields = season_fields(announcement_ends="2026-05-08T18:00", draw_begins="2026-06-01T09:00")
    answer = fill_in(city, f"/officials/season/new?lang={lang}", **fields)
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "lxml")
    assert len(page.select("section.stop li")) == 2
    assert page.find(id="draw_begins")["value"] == "2026-06-01T09:00"
    assert calendar.current_season(town.session, town.now) is None


def test_a_missing_date_is_named_next_to_its_field(city):
    answer = fill_in(city, "/officials/season/new", **season_fields(draw_begins="明天"))
    page = BeautifulSoup(answer.text, "lxml")
    assert "2026-05-21 09:00" in page.find(id="draw_begins-error").get_text()


def test_a_date_is_moved_with_a_reason(city, town, lang):
    town.season()
    town.session.commit()
    path = f"/officials/season/2026/result?lang={lang}"
    span = {"begins_at": "2026-06-05T09:00", "ends_at": "2026-06-13T18:00"}
    refused = fill_in(city, path, **span, reason="")
    assert BeautifulSoup(refused.text, "lxml").find(id="reason-error")
    assert fill_in(city, path, **span, reason="公证处时间调整").status_code == 303
    town.session.expire_all()
    assert calendar.spans(calendar.current_season(town.session, town.now))["result"][1] == at(6, 13, 18)


def test_a_stale_tab_does_not_overwrite_a_date(city, town, another_client):
    town.season()
    town.session.commit()
    path = "/officials/season/2026/result"
    old = hidden_fields(city.get(path).text)
    span = {"begins_at": "2026-06-05T09:00", "ends_at": "2026-06-13T18:00", "reason": "一"}
    assert fill_in(city, path, **span).status_code == 303
    late = city.post(path, data={**old, **span, "ends_at": "2026-06-14T18:00"})
    assert late.status_code == 409


@pytest.fixture
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
    return fill_in(city, "/officials/rounds/new", **(fields | changed))


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
    assert "不在“网上登记”之内" in text_of(city.get("/officials/season"))


def test_an_area_official_reads_but_does_not_decide_for_the_city(client, town, ready):
    town.session.commit()
    official = town.area_official("510104")
    sign_in(client, official.account_id)
    for path in ("/officials/", "/officials/season", "/officials/rounds", "/officials/policies"):
        assert client.get(path).status_code == 200
    for path in ("/officials/season/new", "/officials/rounds/new", "/officials/season/2026/draw"):
        assert client.get(path).status_code == 403


def test_the_home_page_names_what_waits(city, town, lang):
    town.kindergarten("金苹果", places=2)
    town.kindergarten("红房子", places=2, area="510107")
    made = town.policy("510104", signed=False)
    policy_approval.dry_run(town.session, made.id, [], by=town.city_pair()[0], now=town.now)
    town.session.commit()
    page = city.get(f"/officials/?lang={lang}")
    links = {link["href"] for link in BeautifulSoup(page.text, "lxml").select("main .tasks a")}
    assert {"/officials/policies/510104/1", "/officials/policies/510107"} <= links
    policy_approval.sign(town.session, made.id, by=town.city_pair()[0], now=town.now)
    town.session.commit()
    assert "/officials/policies/510104/1" not in city.get("/officials/").text
