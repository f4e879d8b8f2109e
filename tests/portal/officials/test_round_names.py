"""English pages say the kind of a round; what is stored is the Chinese name that the city gave it."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.season.rounds import Round
from portal.text.round_names import round_name
from tests.support.signing_in import sign_in

NAMES = [
    ("主批次", "main", "Main round"),
    ("2026 年秋季主批次", "main", "Main round"),
    ("补录", "supplementary", "Supplementary round"),
    ("2026 年秋季补录批次（小班）", "supplementary", "Supplementary round · Lower class (age 3)"),
    ("统筹安排", "central", "Central placement"),
    ("第二批补录", "supplementary", "Supplementary round · 第二批补录"),
    ("补录（三圣片区）", "supplementary", "Supplementary round · 补录（三圣片区）"),
    ("补录", "main", "Main round · 补录"),
    ("Main round", "main", "Main round"),
    ("主批次", None, "Main round"),
    ("公办园批次", None, "公办园批次"),
]


@pytest.mark.parametrize(("name", "kind", "said"), NAMES)
def test_an_english_page_says_the_kind_and_what_else_the_name_says(app, name, kind, said):
    with app.test_request_context("/?lang=en"):
        assert round_name(name, kind) == said
    with app.test_request_context("/?lang=zh"):
        assert round_name(name, kind) == name


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_suggested_name_of_a_new_round_is_chinese_in_either_language(town, client, lang):
    town.season()
    first, _second = town.city_pair()
    town.session.commit()
    sign_in(client, first.account_id)
    for name in ("主批次", "补录"):
        page = BeautifulSoup(client.get(f"/officials/2026/rounds/new?lang={lang}").text, "lxml")
        assert page.select_one("#name")["value"] == name
        town.round()
        town.session.commit()


def test_the_pages_of_rounds_say_both_names_in_english(town, client):
    planned = town.round(name="2026 年秋季主批次")
    first, _second = town.city_pair()
    town.session.commit()
    sign_in(client, first.account_id)
    page = BeautifulSoup(client.get(f"/officials/2026/rounds/{planned.id}?lang=en").text, "lxml")
    assert page.h1.get_text(strip=True) == "Main round"
    assert page.select_one("main p[lang=zh-CN]").get_text(strip=True) == "2026 年秋季主批次"
    listed = BeautifulSoup(client.get("/officials/2026/rounds").text, "lxml").select_one("main section p").get_text(" ")
    assert "Main round" in listed and "2026 年秋季主批次" in listed
    assert town.session.scalars(select(Round.name)).one() == "2026 年秋季主批次", "what is stored stays"
    page = BeautifulSoup(client.get(f"/officials/2026/rounds/{planned.id}?lang=zh").text, "lxml")
    assert page.h1.get_text(strip=True) == "2026 年秋季主批次"
