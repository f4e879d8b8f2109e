"""The two shares for everybody: figures beside targets, the map, the table, the CSV, the definition."""

import csv
import io

import pytest
from bs4 import BeautifulSoup

from enrollment.places.areas import Area
from tests.support.counted_city import CountedCity


@pytest.fixture
def city(portal_session):
    city = CountedCity(portal_session)
    city.kindergarten("public", {"nursery": 10, "lower": 30, "middle": 20})
    city.kindergarten("inclusive", {"lower": 40})
    city.kindergarten("private", {"upper": 10})
    city.kindergarten("public", {"lower": 20}, attached=True)
    portal_session.commit()
    return city


def rows(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def table_of(page) -> dict[str, list[str]]:
    soup = BeautifulSoup(page.text, "lxml")
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
    assert table["成都高新区"][:4] == ["0", "—", "—", "—"]
    assert table["锦江区"][:4] == ["120", "41.67%（未达标）", "75.00%（未达标）", "12"]
    assert table["全市"][1] == "41.67%（未达标）"


def test_the_switches_change_the_figures_and_what_is_printed(client, city):
    page = client.get("/coverage", query_string={"nursery": "y", "attached": "y"}).text
    assert "61.54%" in page  # 80 of 130
    assert "托班计入" in page
    assert "附设班计入分母和分子" in page
    assert "不含托班" in client.get("/coverage").text


@pytest.mark.parametrize("on", ["2099-01-01", "1990-01-01", "yesterday"])
def test_a_date_that_cannot_be_is_refused_beside_its_field_and_today_is_shown(client, city, on):
    page = client.get("/coverage", query_string={"on": on})
    assert page.status_code == 200
    assert "govuk-error-summary" in page.text
    assert "41.67%" in page.text


def test_an_earlier_date_asks_the_roll_of_that_year(client, city):
    assert table_of(client.get("/coverage", query_string={"on": "2024-10-01"}))["全市"][0] == "0"


def test_the_map_says_that_it_is_a_sketch_and_draws_the_districts_and_the_zones(client, city):
    page = client.get("/coverage")
    assert "示意图，非标准地图" in page.text
    sketch = BeautifulSoup(page.text, "lxml").select_one("svg.sketch")
    patches = sketch.find_all(attrs={"data-summary": True})
    told = [patch["data-summary"] for patch in patches]
    assert len(told) == 23
    assert told[0] == "锦江区：公办 41.67%，普惠 75.00%"
    assert told[-3] == "成都高新区：没有在园幼儿"
    assert patches[0]["class"] == ["band-1"]


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
    sizes["form parts"] = len(
        gzip.compress(client.get("/static/vendor/govuk-frontend-6.6.0/govuk-frontend.min.js").get_data())
    )
    assert sum(sizes.values()) < 100_000, sizes
