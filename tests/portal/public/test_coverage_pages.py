"""The two shares for everybody: figures beside targets, the map, the table, the CSV, the definition."""

import csv
import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup

from enrollment.places.areas import Area
from tests.support.counted_city import CountedCity
from tests.support.prepared import prepared


@prepared
def city(portal_session):
    city = CountedCity(portal_session)
    city.targets()
    city.kindergarten("public", {"nursery": 10, "lower": 30, "middle": 20})
    city.kindergarten("inclusive", {"lower": 40})
    city.kindergarten("private", {"upper": 10})
    city.kindergarten("public", {"lower": 20}, attached=True)
    portal_session.commit()
    return city


def rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def table_of(page) -> dict[str, list[str]]:
    """The rows of all areas as a wide screen shows them."""
    soup = BeautifulSoup(page.text, "lxml")
    for narrow in soup.select(".narrowonly"):
        narrow.decompose()
    soup = next(card for card in soup.select(".card") if card.h2 and card.h2.text == "各区域一览")
    lines = soup.select("table.areas tbody tr, table.areas tfoot tr")
    return {line.th.text: [" ".join(cell.text.split()) for cell in line.find_all("td")] for line in lines}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_figures_stand_beside_their_targets(client, city, language):
    page = client.get("/coverage", query_string={"lang": language})
    text = page.text
    assert "41.67%" in text  # 50 of 120: the attached class counts below the line only
    assert "75.00%" in text
    assert "51%" in text
    assert "82%" in text


def test_the_gap_is_stated_in_children_both_ways(client, city):
    page = client.get("/coverage").text
    assert "目标 51%，还差 12 人" in page
    assert "从其他园转入 12 人，或由园外新增 23 人" in page


def test_an_area_without_children_shows_a_dash(client, city):
    table = table_of(client.get("/coverage"))
    assert table["成都高新区"][:5] == ["0", "—", "—", "—", "—"]
    assert table["锦江区"][:3] == ["120", "41.67%（未达标）", "12 / 23"]
    assert table["全市"][1] == "41.67%（未达标）"


def test_the_switches_change_the_figures_and_what_is_printed(client, city):
    page = client.get("/coverage", query_string={"nursery": "y", "attached": "y"}).text
    assert "61.54%" in page  # 80 of 130
    assert "托班计入" in page
    assert "附设班计入分母和分子" in page
    assert "不含托班" in client.get("/coverage").text


def test_off10_both_gaps_are_shown_each_with_both_ways_to_close_it(client, city):
    """OFF10: the table does not show the larger of two gaps without saying which."""
    page = client.get("/coverage")
    assert table_of(page)["锦江区"][1:5] == ["41.67%（未达标）", "12 / 23", "75.00%（未达标）", "9 / 47"]
    heads = [" ".join(head.text.split()) for head in BeautifulSoup(page.text, "lxml").select("table.areas thead th")]
    assert heads[2:6] == ["公办", "公办还差转入 / 新增", "普惠", "普惠还差转入 / 新增"]
    farthest = next(
        card for card in BeautifulSoup(page.text, "lxml").select(".card") if card.h2 and card.h2.text == "离目标最远"
    )
    assert [cell.text for cell in farthest.select("tbody td")] == ["41.67%", "12", "75.00%", "9"]


IMPOSSIBLE = [
    {"on": "2099-01-01"},
    {"on": "2030-01-01"},
    {"on": "1990-01-01"},
    {"on": "2025-08-31"},
    {"on": "yesterday"},
    {"on": "2026-02-30"},
    {"nursery": "0"},
    {"attached": "perhaps"},
]


@pytest.mark.parametrize("asked", IMPOSSIBLE, ids=str)
def test_a_definition_that_cannot_be_is_refused_beside_its_field_and_today_is_shown(client, city, asked):
    page = client.get("/coverage", query_string=asked)
    assert page.status_code == 200
    assert "govuk-error-summary" in page.text
    assert "41.67%" in page.text
    assert 'href="/coverage.csv"' in page.text, "the link does not repeat what was refused"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("asked", IMPOSSIBLE, ids=str)
def test_off03_the_file_of_a_definition_that_cannot_be_is_refused_in_words(client, city, asked, language):
    """OFF03: not today's figures under another date; the words say the range: from the first roll to today."""
    answer = client.get("/coverage.csv", query_string=asked | {"lang": language})
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    summary = BeautifulSoup(answer.text, "lxml").select_one(".govuk-error-summary").text
    if asked.get("on", "")[:2] in ("20", "19") and asked["on"] != "2026-02-30":
        said = {"zh": ("2025年9月1日", "2026年5月22日"), "en": ("1 September 2025", "22 May 2026")}[language]
        assert all(one in summary for one in said), summary


def test_an_earlier_date_asks_the_roll_of_that_year(client, city):
    school = city.kindergarten("public")
    city.counted_class(school, "lower", 7, school_year=2024)
    city.session.commit()
    assert table_of(client.get("/coverage", query_string={"on": "2024-10-01"}))["全市"][0] == "7"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_off04_a_city_without_a_roll_says_what_is_missing_and_who_brings_it(client, portal_session, language):
    """OFF04: nothing is "reached" where nobody is counted, and no empty chart stands there."""
    CountedCity(portal_session).targets()
    portal_session.commit()
    page = client.get("/coverage", query_string={"lang": language}).text
    words = {
        "zh": ("还没有在园名册", "各幼儿园在自己的工作台登记", "都达到了"),
        "en": ("There is no roll yet", "Each kindergarten enters", "has reached"),
    }
    missing, who, reached = words[language]
    assert missing in page and who in page
    assert reached not in page
    assert "data-chart" not in page and "svg" not in BeautifulSoup(page, "lxml").main.decode()
    assert client.get("/coverage.csv").status_code == 200


@pytest.mark.parametrize("language", ["zh", "en"])
def test_off01_a_year_without_targets_says_so_and_judges_nothing(client, city, frozen_clock, language):
    """OFF01: no number of the code stands in for the targets of a new year."""
    frozen_clock.set(dt.datetime(2027, 3, 1, 4, tzinfo=dt.UTC))
    page = client.get("/coverage", query_string={"lang": language}).text
    assert {"zh": "2027 年的目标还没有设定", "en": "The targets of 2027 have not been set"}[language] in page
    main = BeautifulSoup(page, "lxml").main.text
    assert "51%" not in main and "82%" not in main and "达到了" not in main
    line = rows(client.get("/coverage.csv?lang=zh"))[-1]
    assert (line["公办目标（%）"], line["公办达标"], line["公办还差（由他园转入，人）"]) == ("未设定", "—", "—")


def test_off01_the_source_the_floor_of_the_state_and_an_areas_own_target_are_shown(client, city):
    city.targets("50", "80", scope="national")
    city.targets("40.5", None, scope="area", area="510104")
    city.session.commit()
    page = client.get("/coverage")
    assert "成教〔2026〕1号" in page.text
    assert "国家底线 50%：还差 10 人" in page.text
    assert table_of(page)["锦江区"][1:3] == ["41.67%目标 40.5%", "—"]
    first, whole = (rows(client.get("/coverage.csv"))[index] for index in (0, -1))
    assert (first["公办目标（%）"], first["公办达标"], first["公办国家底线（%）"]) == ("40.5", "是", "50")
    assert (whole["公办目标（%）"], whole["公办达标"], whole["达到公办国家底线"]) == ("51", "否", "否")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_off02_targets_of_nothing_and_of_everything_on_the_page_and_in_the_file(client, portal_session, language):
    """OFF02"""
    city = CountedCity(portal_session)
    city.targets("100", "0")
    city.kindergarten("public", {"lower": 30})
    city.kindergarten("private", {"upper": 10})
    portal_session.commit()
    page = client.get("/coverage", query_string={"lang": language})
    assert page.status_code == 200
    assert {"zh": "只靠园外新增达不到", "en": "New children alone cannot reach it"}[language] in page.text
    assert {"zh": "已达目标 0%", "en": "0%"}[language] in page.text
    line = list(rows(client.get("/coverage.csv", query_string={"lang": language}))[-1].values())
    never = {"zh": "无法补足", "en": "not possible"}[language]
    assert line[5:12] == ["75.00", "100", {"zh": "否", "en": "No"}[language], "10", never, *line[10:12]]
    assert line[12:17] == ["75.00", "0", {"zh": "是", "en": "Yes"}[language], "0", "0"]


def test_the_map_says_that_it_is_a_sketch_and_draws_the_districts_and_the_zones(client, city):
    page = client.get("/coverage")
    assert "示意图，非标准地图" in page.text
    maps = BeautifulSoup(page.text, "lxml").select_one(".maps")
    told = [patch["data-summary"] for patch in maps.find_all(attrs={"data-summary": True})]
    assert len(told) == 23
    assert told[0] == "锦江区：公办 41.67%，普惠 75.00%"
    assert told[-3] == "成都高新区：没有在园幼儿"
    for mode in ("public", "inclusive"):
        assert maps.select(f"svg .m-{mode} use")[0]["class"] == ["band-1"]


def test_the_file_has_every_area_the_city_and_the_definition(client, city):
    answer = client.get("/coverage.csv")
    assert answer.mimetype == "text/csv"
    assert "coverage-2026-05-22.csv" in answer.headers["Content-Disposition"]
    lines = rows(answer)
    first, zone, whole = lines[0], lines[-4], lines[-1]
    assert len(lines) == 24
    assert (first["区域"], first["在园幼儿"], first["公办占比（%）"], first["公办达标"]) == (
        "锦江区",
        "120",
        "41.67",
        "否",
    )
    assert (zone["公办占比（%）"], zone["公办达标"]) == ("—", "—")
    assert (whole["区域"], whole["普惠覆盖率（%）"]) == ("全市", "75.00")
    assert (whole["名册日期"], whole["托班"]) == ("2026-05-22", "不计")


def test_the_file_speaks_english_and_follows_the_switches(client, city):
    line = rows(client.get("/coverage.csv", query_string={"lang": "en", "nursery": "y"}))[-1]
    assert (line["Area"], line["Children"], line["Nursery"]) == ("Whole city", "130", "Counted")


def test_a_name_that_looks_like_a_formula_is_only_text_in_the_file(client, city, portal_session):
    portal_session.get(Area, "DBXQ").name = "=1+1"
    portal_session.commit()
    assert rows(client.get("/coverage.csv"))[-2]["区域"] == "'=1+1"


def test_the_page_names_what_the_intake_adds(client, city, portal_session):
    school = city.kindergarten("public")
    for _ in range(2):
        city.offer(school, "lower")
    portal_session.commit()
    assert "已录取的 2 名幼儿" in client.get("/coverage").text


def test_a_page_for_families_stays_small_over_the_wire(client, city):
    """At most 100 KB with style sheets and scripts, compressed, the chart's library apart."""
    import gzip

    page = client.get("/coverage")
    soup = BeautifulSoup(page.text, "lxml")
    files = [link["href"] for link in soup.select("link[rel=stylesheet]")] + [s["src"] for s in soup.select("script")]
    sizes = {file: len(gzip.compress(client.get(file).get_data())) for file in files}
    sizes["page"] = len(gzip.compress(page.get_data()))
    assert sum(sizes.values()) < 100_000, sizes


def test_the_title_says_how_many_of_a_hundred_and_rounds_nothing_up(client, portal_session):
    """50.999 % is 50 of 100, and the squares say the same."""
    city = CountedCity(portal_session)
    city.targets()
    city.kindergarten("public", {"lower": 50_999})
    city.kindergarten("private", {"lower": 49_001})
    portal_session.commit()
    page = BeautifulSoup(client.get("/coverage").text, "lxml")
    assert page.h1.text == "每 100 个在园的孩子，50 个在公办园，50 个在公办或普惠园"
    assert len(page.select_one("svg.hundred").select("rect.on")) == 50


def test_the_page_of_a_chosen_area_says_what_is_missing_to_the_child(client, city):
    page = client.get("/coverage", query_string={"area": "510104"}).text
    assert "120 个孩子的 51% 是 62 个，现在 50 个，差一个也不算达到。" in page
    assert 'href="/kindergartens?area=510104"' in page
    assert client.get("/coverage", query_string={"area": "nowhere"}).status_code == 200


def test_every_switch_prints_its_effect_beside_the_figure(client, city):
    cards = BeautifulSoup(client.get("/coverage").text, "lxml").select(".card")
    card = next(card for card in cards if card.h2 and card.h2.text == "换一种算法，会变多少")
    told = {row.th.text: [cell.text for cell in row.find_all("td")] for row in card.select("tbody tr")}
    assert told == {
        "现在的算法": ["41.67%", "75.00%"],
        "托班也计入": ["46.15%", "76.92%"],
        "附设幼儿班计入公办、普惠": ["58.33%", "91.67%"],
        "公办只算教育部门办园": ["0.00%", "33.33%"],
    }
