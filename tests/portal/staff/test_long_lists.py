"""Lists that are longer than a page: they say how many there are, turn pages, and nothing is lost behind their end (ADR 72)."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup

from enrollment.ground.accounts import Role
from enrollment.offers.arrivals import children
from enrollment.places.roll_changes import movements
from enrollment.places.spreadsheets import is_rewritten
from enrollment.review.queue import search
from enrollment.staff_accounts import changes, listing
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


@prepared
def admitted(town, frozen_clock):
    """Three children with a confirmed place, on the first day of arrival."""
    here = town.kindergarten("锦官新城幼儿园", places=3)
    town.open_registration()
    three = [town.child(name, wishes=[here]) for name in ("李沐晨", "王小雨", "李一一")]
    town.drawn(*three)
    for each in three:
        town.confirm(each)
    town.at(dt.datetime(2026, 8, 20, 10, tzinfo=town.now.tzinfo))
    frozen_clock.set(town.now)
    town.here = here
    town.session.commit()
    return three


@pytest.fixture
def at_work(town, admitted, client):
    clerk = town.clerk_of(town.here)
    town.session.commit()
    return sign_in(client, clerk.account_id)


def page_of(client, path):
    return BeautifulSoup(client.get(path).text, "lxml")


def test_the_door_turns_pages_and_finds_a_child_of_another_page(at_work, admitted, monkeypatch):
    whole = page_of(at_work, "/staff/arrivals")
    assert len(whole.select(".kid-row")) == 3 and whole.select_one(".pager") is None
    assert "data-part" not in whole.select_one("#door").attrs
    monkeypatch.setattr(children, "MOST_CARDS", 2)
    first, second = (page_of(at_work, f"/staff/arrivals?page={number}") for number in (1, 2))
    shown = [[row["data-name"] for row in page.select("#door .kid-row")] for page in (first, second)]
    assert [len(names) for names in shown] == [2, 1] and len({*shown[0], *shown[1]}) == 3
    assert "data-part" in first.select_one("#door").attrs, "the script asks the server for what the page has not"
    assert "第 1 / 2 页" in first.select_one(".pager").text and "一共 3 条" in first.select_one(".pager").text
    assert "超过 2 个孩子" in first.text
    found = page_of(at_work, f"/staff/arrivals?q={shown[1][0]}")
    assert [row["data-name"] for row in found.select("#found .kid-row")] == shown[1]
    assert len(page_of(at_work, "/staff/arrivals/print").select("tbody tr")) == 3, "the paper holds all of them"


def test_a_search_says_how_many_it_does_not_list(at_work, town, admitted, monkeypatch):
    clerk = town.clerk_of(town.here)
    assert search.find(town.session, "l", by=clerk).total == 2
    monkeypatch.setattr(search, "MOST_HITS", 1)
    hits = search.find(town.session, "l", by=clerk)
    assert (len(hits.ids), hits.total) == (1, 2)
    assert "还有 1 份相近的没有列出" in page_of(at_work, "/staff/queue?q=l").text


def test_movements_of_a_year_turn_pages(town):
    here = town.kindergarten("锦官园")
    head = town.head_of(here)
    kept = [town.child_on_roll(here, name) for name in ("甲甲", "乙乙", "丙丙")]
    asked = {"since": dt.date(2020, 1, 1), "until": dt.date(2030, 1, 1), "by": head}
    pages = [movements.movements(town.session, here.id, page=number, per_page=2, **asked) for number in (1, 2)]
    assert [len(each) for each in pages] == [2, 1] and pages[0].total == 3
    assert {one.child_id for each in pages for one in each} == {each.id for each in kept}


def test_a_request_about_an_account_is_not_hidden_behind_those_of_other_areas(town):
    here, elsewhere = town.kindergarten("锦官园", area="510104"), town.kindergarten("武侯园", area="510107")
    city, mine = town.city_official(), town.area_official("510104")
    asked = {"reason": "新来的老师", "area_code": None, "now": town.now}
    changes.ask_new(town.session, "old1", "老师", Role.CLERK, kindergarten_id=here.id, by=city, **asked)
    for number in range(listing.PER_PAGE * 4 + 1):
        changes.ask_new(
            town.session, f"new{number}", "老师", Role.CLERK, kindergarten_id=elsewhere.id, by=city, **asked
        )
    assert [each.login for each in listing.asked_for(town.session, by=mine, now=town.now)] == ["old1"]
    assert listing.waiting_for(town.session, by=mine, now=town.now) == 1


def test_a_report_names_the_columns_that_a_spreadsheet_rewrites_and_its_csv_is_as_the_page(town, client):
    here = town.kindergarten("锦官园")
    town.child_on_roll(here, "甲甲", class_name="1-2", level="lower", year=2025)
    head = town.head_of(here)
    town.session.commit()
    sign_in(client, head.account_id)
    page = page_of(client, "/staff/reports/on_roll?year=2025")
    assert "CSV，表格软件会改写这些列" in page.text and "班级。" in page.text.partition("像日期的字）：")[2][:6]
    assert ",1-2," in client.get("/staff/reports/on_roll/file.csv?year=2025").get_data(as_text=True)
    assert [text for text in ("0510", "510104199001011234", "1-2", "3E5", "12.5.2026") if not is_rewritten(text)] == []
    assert [text for text in ("小1-2班", "510104", "2026-05-25", "6MWT-C4LD", 510104) if is_rewritten(text)] == []
