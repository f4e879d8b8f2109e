"""The desk that keeps the two shares: the finding as title, alarms and their answers, the forecast, one page for an area."""

import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from enrollment.coverage import rollup, shares
from enrollment.coverage.forecast import outlook
from enrollment.coverage.indicator import Definition
from enrollment.places.measures.rows import Measure
from enrollment.places.population.rows import AreaBirths, AreaHistory, Estate
from enrollment.places.roll import RollClass
from portal.officials.coverage import headlines
from tests.domain.coverage.test_forecast import write_past
from tests.support.counted_city import COUNTED_ON, DAY, NOON, YEAR, CountedCity
from tests.support.letters import drawn_letter
from tests.support.signing_in import fill_in, hidden_fields, sign_in

DESK = "/officials/2026/coverage"


@pytest.fixture
def city(town, portal_session):
    city = CountedCity(portal_session)
    city.targets()
    city.kindergarten("public", {"lower": 60, "middle": 50, "upper": 40}, name="锦绣园")
    city.kindergarten("private", {"lower": 40, "middle": 50, "upper": 60}, name="小园")
    write_past(portal_session, 2008)
    portal_session.commit()
    return city


@pytest.fixture
def official(client, town, city):
    account = town.account_of_staff("city-1", "周工", "city_official")
    town.session.commit()
    return sign_in(client, account)


@pytest.fixture
def of_area(client, town, city):
    account = town.account_of_staff("area-1", "李工", "area_official", area_code="510104")
    town.session.commit()
    return sign_in(client, account)


def soup(answer) -> BeautifulSoup:
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "lxml")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_title_is_the_finding_and_every_area_stands_in_the_order_of_what_is_missing(official, city, language):
    page = soup(official.get(DESK, query_string={"lang": language}))
    says = {"zh": "今天两项都没有达标：公办差 3 人，普惠差 96 人", "en": "Both shares are below target today"}[language]
    assert page.h1.text.startswith(says)
    assert page.select("table.desk tbody tr")[0].th.text == {"zh": "锦江区", "en": "Jinjiang"}[language]
    assert "2028" in page.select_one(".c-tile").text
    assert len(page.select(".c-dots .c-low")) == 2


def test_every_number_opens_to_its_rows_in_two_clicks(official, city):
    """From a card to the areas, from an area to the kindergartens; the sums are the number of the card."""

    def number(cell) -> int:
        return int("".join(sign for sign in cell.get_text() if sign.isdigit()) or 0)

    page = soup(official.get(DESK))
    (link, shown), *others = [(row.a["href"], number(row.td)) for row in page.select("#levels tbody tr")]
    assert len(others) == 2 and "lower" in link and shown == 100
    areas = soup(official.get(link))
    assert number(areas.select("tfoot td")[0]) == shown == sum(number(row.td) for row in areas.select("tbody tr"))
    gardens = soup(official.get(areas.select_one("tbody a")["href"]))
    assert [number(row.select("td")[-1]) for row in gardens.select("main tbody tr")] == [60, 40]
    assert "at=" in gardens.select("main tbody tr")[0].select("a")[-1]["href"], "and on to the roll"
    for words in ("名册", "怎么算的"):
        assert words in areas.main.text and words in gardens.main.text
    steps = {each["href"]: each.select_one(".gain").text for each in page.select(".steps-list a")}
    assert steps
    for href, gain in steps.items():
        sums = [number(cell) for cell in soup(official.get(href)).select("tfoot td")]
        assert number(BeautifulSoup(gain, "lxml")) in (sums[1], sums[3]), "all its children, or its free seats"
    assert [each["href"] for each in page.select(".passes a")] == ["#areas"] * 2
    assert page.select_one("#areas table") and official.get(f"{DESK}/levels/none").status_code == 404


def test_off11_hollow_and_hatched_mean_below_and_nothing_else(official, city):
    """OFF11: one meaning a colour, and a shape with it."""
    page = soup(official.get(DESK))
    low = page.select(".c-low, .pips .x, .band-1, .band-2")
    assert low
    city.kindergarten("public", {"lower": 3_000})
    city.session.commit()
    page = soup(official.get(DESK))
    assert page.h1.text.startswith("今天达标")
    assert not page.select(".below, .c-low, .pips .x")
    assert not page.select(".maps use.band-1, .maps use.band-2")


def test_a_page_reads_the_counts_that_are_kept_and_says_the_same(official, city):
    before = official.get(DESK).text
    rollup.refresh(city.session, [YEAR], now=NOON.replace(month=5, day=22))
    city.session.commit()
    table = BeautifulSoup(before, "lxml").select_one("table.desk").text
    assert soup(official.get(DESK)).select_one("table.desk").text == table


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("share", ["public", "inclusive", "total"])
def test_the_forecast_shows_its_inputs_and_how_good_it_was(official, city, language, share):
    page = soup(official.get(f"{DESK}/510104/forecast", query_string={"share": share, "lang": language}))
    assert page.select_one("svg.c-fan .c-fan80")
    text = page.main.text
    assert "0.800" in text, "the entry rate: 100 of 125 births"
    assert {"zh": "和今年一样", "en": "Same as this year"}[language] in text
    assert "2.00" not in page.select_one("h1").text
    city_page = soup(
        official.get(f"{DESK}/city/forecast", query_string={"share": share, "cautious": "y", "lang": language})
    )
    assert city_page.select_one("a[aria-current=true]")


def test_a_card_shows_today_september_and_three_years_with_interval_and_chance(official, city, portal_session):
    figures = shares.city_shares(portal_session, Definition(NOON.date().replace(month=5, day=22)), year=YEAR)
    first, _second, last = outlook.outlook(portal_session, figures).city
    told = " ".join(soup(official.get(DESK)).select_one(".c-tile").text.split())
    for label, each in (("2026.9", first.public), ("2028.9", last.public)):
        at = told.index(label)
        said = told[at : at + 60]
        assert each.share.text in said and f"守住的把握 {headlines.chance_text(each.chance)}" in said
        assert f"{each.band.low:.1f}–{each.band.high:.1f}" in said
    page = soup(official.get(DESK))
    assert page.select(".c-dots .c-target") and page.select(".c-dots path[class$=-line]"), (
        "targets, and arrows to September"
    )
    for mode in ("public", "inclusive", "change"):
        assert page.select(f".maps svg .m-{mode} use"), mode


def test_the_page_prints_how_good_the_forecast_was(official, city, portal_session):
    """Error of areas, levels and city, bias, skill, and how often both intervals held, for each of the three years."""
    figures = shares.city_shares(portal_session, Definition(NOON.date().replace(month=5, day=22)), year=YEAR)
    found = outlook.outlook(portal_session, figures).accuracy
    rows = {
        row.th.text: [cell.text for cell in row.select("td")]
        for row in soup(official.get(f"{DESK}/510104/forecast")).select("tbody.sums tr")
    }
    assert rows["各区域平均"] == [f"{each:.1f}%" for each in found.areas]
    assert rows["区域的各年级平均"] == [f"{each:.1f}%" for each in found.cells]
    assert rows["全市"] == [f"{each:.1f}%" for each in found.city]
    assert rows["比“和今年一样”好多少（0 以下就不用）"] == [f"{each:.2f}" for each in found.skill]
    assert len(rows["全市偏差（正数是报高）"]) == 3
    for place, level in ((0, 80), (1, 95)):
        assert rows[f"{level}% 区间命中"] == [f"{round(each[place].part * 100)}%" for each in found.held]
    assert rows["80% 区间，最差的十分之一年份"] == [f"{round(each[0].worst * 100)}%" for each in found.held]
    assert rows["80% 区间的宽度"] == [f"{each[0].width:.1f}%" for each in found.held]


def test_where_the_method_was_no_better_the_page_says_so_and_shows_the_figure_of_now(official, city, portal_session):
    """Births that say nothing of the children: every year as many children came."""
    rows = portal_session.query(AreaBirths).order_by(AreaBirths.school_year).all()
    for number, row in enumerate(rows):
        row.children = 180 if number % 2 else 70
    portal_session.query(AreaHistory).filter(AreaHistory.nature == "public").update({"children": 50})
    portal_session.query(AreaHistory).filter(AreaHistory.nature == "private").update({"children": 50})
    portal_session.commit()
    page = soup(official.get(f"{DESK}/510104/forecast?share=total"))
    assert "这里过去用“和今年一样”更准，所以按“和今年一样”" in page.main.text
    assert page.select_one(".big-chance").text == "300"
    assert "按“和今年一样”" not in soup(official.get(f"{DESK}/510104/forecast?share=total&cautious=y")).h1.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_forecast_names_its_estates_and_what_the_projects_make_of_it(official, city, portal_session, language):
    portal_session.add(Estate(area_code="510104", name="东湖苑", first_september=2027, dwellings=900, per_hundred=10))
    for code, stage, begins in (("P1", "underway", 2025), ("P2", "idea", 2025), ("P3", "approved", 2023)):
        portal_session.add(
            Measure(
                code=code, name=f"项目{code}", kind="build", area_code="510104", nature="public", places=90, cost=1, yearly=0,
                earliest_year=begins, lead_years=1, made_at=NOON, stage=stage,
            )
        )  # fmt: skip
    portal_session.commit()
    for area in ("510104", "city"):
        page = soup(official.get(f"{DESK}/{area}/forecast", query_string={"lang": language}))
        text = page.main.text
        assert "90" in text and ("东湖苑" in text) == (area != "city")
        assert "项目P1" in text and "项目P2" not in text
        late = {"zh": "过了原定的时间还没有动工，没有算", "en": "past its date and not begun: not counted"}[language]
        assert late in text
        told = page.find("caption", string={"zh": "算上项目以后", "en": "The forecast with the projects"}[language])
        first = [cell.text for cell in told.find_parent("table").select("tbody tr")[0].select("td")]
        assert float(first[1]) - float(first[0]) == pytest.approx(100 * 25 / 300, abs=0.02)


def test_an_area_without_estates_and_projects_says_so(official, city):
    text = soup(official.get(f"{DESK}/510104/forecast")).main.text
    assert "没有在册的新小区" in text and "没有已立项或在建的项目" in text


def test_a_forecast_that_cannot_be_says_what_is_missing(official, city):
    assert "没有历年数字" in official.get(f"{DESK}/510104/forecast?nursery=y").text
    assert "还没有在园名册" in official.get(f"{DESK}/GXQ/forecast").text
    assert official.get(f"{DESK}/999999/forecast").status_code == 404
    assert official.get(f"{DESK}/510104/forecast?share=all").status_code == 404


def test_an_area_answers_its_alarm_and_the_city_reads_who_does_what_by_when(of_area, city):
    assert "还没有人填措施" in of_area.get(DESK).text
    page = of_area.get(f"{DESK}/510104")
    form = BeautifulSoup(page.text, "lxml").select_one("form[action$='/answers']")
    sent = {field["name"]: field.get("value", "") for field in form.select("input[type=hidden]")}
    sent |= {"share": "public", "owner": "学前科", "measure": "认定两所普惠园", "due_on": "2026-06-30"}
    wrong = of_area.post(form["action"], data=sent | {"owner": "", "due_on": "2026-01-01"})
    assert "认定两所普惠园" in wrong.text, "nothing typed is lost"
    assert "govuk-error-summary" in wrong.text
    assert of_area.post(form["action"], data=sent).status_code == 303
    table = soup(of_area.get(DESK)).select_one("#alarms").text
    assert "学前科" in table and "认定两所普惠园" in table and "2026年6月30日" in table


def test_off09_one_page_for_an_area_with_page_number_definition_and_date_in_the_foot(
    official, city, portal_engine, frozen_clock
):
    """OFF09"""
    answer = drawn_letter(official, portal_engine, frozen_clock, f"{DESK}/510104.pdf")
    assert answer.mimetype == "application/pdf"
    (page,) = PdfReader(io.BytesIO(answer.get_data())).pages
    text = page.extract_text()
    for told in ("1 / 1", "不含托班", "2026年5月22日", "50.00%", "少 3 人", "负责人签名"):
        assert told in text, told
    refused = official.get(f"{DESK}/510104.pdf?on=2030-01-01")
    assert (refused.status_code, refused.mimetype) == (400, "text/html")


def test_the_page_of_an_area_prints_the_date_of_its_own_roll(
    official, city, portal_session, portal_engine, frozen_clock
):
    other = city.kindergarten("public", {"lower": 10}, area_code="GXQ")
    newer = {"as_of": COUNTED_ON + DAY}
    portal_session.query(RollClass).filter_by(kindergarten_id=other.id).update(newer)
    portal_session.commit()
    answer = drawn_letter(official, portal_engine, frozen_clock, f"{DESK}/510104.pdf")
    (page,) = PdfReader(io.BytesIO(answer.get_data())).pages
    text = "".join(page.extract_text().split())
    assert "最近更新2026年5月20日" in text


def test_what_changed_since_a_day_stands_on_the_page(official, city):
    _group, (child, *_rest) = city.listed_class(city.kindergarten("public"), "lower", [dt.date(2022, 1, 1)] * 2)
    child.entered_on = dt.date(2026, 4, 1)
    city.session.commit()
    page = official.get(DESK, query_string={"since": "2026-03-01"}).text
    assert "2026年3月1日以来变了什么" in page
    assert "301 → 302" in " ".join(page.split())
    assert "govuk-error-summary" in official.get(DESK, query_string={"since": "2030-01-01"}).text


def test_an_area_confirms_its_roll_and_the_city_reads_who_when_and_what_changed_since(
    of_area, city, town, another_client
):
    page = f"{DESK}/510104"
    seen_page = of_area.get(page).text
    seen = BeautifulSoup(seen_page, "lxml").select_one("#roll")
    assert "300 个孩子" in seen.text and "还没有人确认" in seen.text
    late = of_area.post(f"{page}/roll", data=hidden_fields(seen_page, f"{page}/roll") | {"seen": "299"})
    assert late.status_code == 200 and "现在是 300 个孩子" in late.text
    assert fill_in(of_area, page, f"{page}/roll", seen="300").status_code == 303
    said = soup(of_area.get(page)).select_one("#roll").text
    assert "李工" in said and "我确认" not in said, "it was said today, of this number"
    token = hidden_fields(seen_page, f"{page}/roll")
    assert of_area.post(f"{DESK}/510105/roll", data=token).status_code == 404, "another area"
    city.kindergarten("public", {"lower": 20}, name="新园")
    town.session.commit()
    of_city = sign_in(another_client(), town.account_of_staff("city-2", "周工", "city_official"))
    cockpit = soup(of_city.get(DESK))
    assert "1 / 23 个区域" in cockpit.select_one(".fresh").text
    first, *others = [row.get_text(" ", strip=True) for row in cockpit.select("#rolls tbody tr")]
    assert "李工" in first and "300" in first and "+20" in first
    assert len(others) == 22 and all("还没有人确认" in row for row in others)
    assert "我确认" not in of_city.get(page).text, "the city reads it"
