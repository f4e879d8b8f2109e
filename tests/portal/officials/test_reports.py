"""Reports for officials: from the city to an area to a kindergarten, the same rows on the page and in both files."""

import csv
import datetime as dt
import io

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.audit import AuditEntry
from enrollment.offers.arrivals import arrival
from enrollment.reports.tables import area_sums, statistics, widths
from enrollment.reports.tables.catalogue import OFFICIAL_REPORTS, REPORTS, official_report_of
from enrollment.reports.tables.export_rows import ReportExport
from enrollment.reports.tables.report import Question, Width
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_season import at

ALL = REPORTS | OFFICIAL_REPORTS


@pytest.fixture
def city(town, frozen_clock):
    """Two kindergartens of Jinjiang and one of Qingyang; two children have a place, one of them arrived."""
    town.here, town.other = town.kindergarten("锦官新城幼儿园", places=2), town.kindergarten("牡丹幼儿园", places=3)
    town.west = town.kindergarten("青羊幼儿园", places=4, area="510105")
    town.child_on_roll(town.here, "刘小果", id_number="510104202203153426", born=dt.date(2022, 3, 15))
    town.roll(town.other, "middle", 31)
    town.open_registration()
    town.ana, town.ben = (town.child(name, wishes=[town.here]) for name in ("李沐晨", "王小雨"))
    town.drawn(town.ana, town.ben)
    town.confirm(town.ana)
    town.at(at(8, 20, 10))
    frozen_clock.set(town.now)
    clerk = town.clerk_of(town.here)
    arrival.arrive(town.session, town.offer_for(town.ana).id, class_name="小一班", by=clerk, now=town.now)
    town.session.commit()
    return town


def rows_of(client, path):
    page = BeautifulSoup(client.get(path).text, "lxml")
    return [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.select("main table tr")]


def table(town, code, by, **where):
    question = Question(town.session, 2026, by, town.now, **where)
    return widths.read_at(official_report_of(code), question, how="page", decides=True)


def test_sums_agree_from_the_city_to_its_kindergartens(city):
    town, by = city, city.city_official()
    for code, report in ALL.items():
        if widths.allows(report, Width.AREA):
            of_an_area = table(town, code, by, area="510104")
            assert not of_an_area.unequal and not of_an_area.report.has_names, code
        if not report.has_sums or not widths.allows(report, Width.CITY):
            continue
        if code in area_sums.KEPT:
            assert table(town, code, by).rows == [] and set(table(town, code, by).missing) >= {"510104", "510105"}
            for area in area_sums.all_area_codes(town.session):
                area_sums.count(town.session, code, 2026, area, now=town.now)
        areas = table(town, code, by)
        assert areas.missing == (), code
        parts = {row[0]: table(town, code, by, area=row[0]) for row in areas.rows}
        assert not areas.unequal and not any(part.unequal for part in parts.values()), code
        for place, column in enumerate(areas.report.columns):
            if column.total:
                assert areas.totals[place] == sum(part.total(column.code) for part in parts.values()), (code, column)
    ledger = table(town, "ledger", by)
    assert {row[0]: row[ledger.report.place_of("places")] for row in ledger.rows} == {"510104": 5, "510105": 4}
    assert ledger.total("arrived") == table(town, "arrivals", by).total("arrived") == 1
    assert table(town, "by_wish", by).total("placed") == sum(
        ledger.total(code) for code in ("offered", "accepted", "arrived")
    )
    assert table(town, "vacancies", by).total("free") == ledger.total("free")
    for code in ("ledger", "statistics"):
        assert [row[0] for row in table(town, code, town.area_official()).rows] == ["510104"], "its own areas"


def test_the_statistics_return_counts_what_the_two_shares_count(city):
    town, by = city, city.city_official()
    returned = table(town, "statistics", by, area="510104")
    assert returned.unequal == () and returned.total("children") == 32
    assert (returned.total("sex_unknown"), returned.total("age_unknown")) == (31, 31), "a class kept as a number"
    assert (returned.total("girls"), returned.total("age_3")) == (1, 1), "three years old on 31 August 2025"
    assert returned.rows[0][0].name == "锦官新城幼儿园" or returned.rows[1][0].name == "锦官新城幼儿园"
    assert (returned.total("classes"), returned.total("within_norm")) == (2, 1)
    assert returned.totals[returned.report.place_of("within_share")] == "50.00%"
    shares = table(town, "two_shares", by)
    assert shares.total("children") == 32 and shares.rows[0][0] == "510104"
    of_a_county = statistics.SHARES.with_shares(("x", 25_113, 10_301, None, 17_930, None, 0, 0, None, 0, None))
    assert (of_a_county[3], of_a_county[5], of_a_county[8]) == ("41.02%", "71.40%", None)


def test_an_area_official_reads_own_kindergartens_alone(city, client):
    """Also where the address names another area or its kindergarten: as a page, as a file, and in the query itself."""
    town, own, foreign = city, city.area_official("510105"), "510104"
    for code, report in ALL.items():
        if widths.allows(report, Width.AREA):
            assert table(town, code, own, area=foreign).rows == [], code
    gardens = {str(row[0]) for row in table(town, "statistics", own, area="510105").rows}
    assert len(gardens) == 1 and "青羊幼儿园" in gardens.pop()
    town.session.commit()
    sign_in(client, own.account_id)
    for code in ("statistics", "promotion"):
        page = f"/officials/2026/reports/{code}"
        for asked in (f"?area={foreign}", f"?at={town.here.code}"):
            assert client.get(page + asked).status_code == 404, (code, asked)
            assert client.get(f"{page}/file.csv{asked}").status_code == 404, (code, asked)
        mine = client.get(page).text
        assert "青羊幼儿园" in mine and "牡丹幼儿园" not in mine, code


def test_page_and_files_hold_the_same_rows_at_each_width(city, client):
    town = city
    sign_in(client, town.city_official().account_id)
    listed = BeautifulSoup(client.get("/officials/2026/reports").text, "lxml")
    assert len(listed.select("main a.card")) == len(ALL)
    counted = client.get("/officials/2026/reports/statistics?lang=zh").text
    assert "还没有统计过" in counted and "现在重新统计" in counted and "statistics?area=510105" in counted
    page = "/officials/2026/reports/statistics"
    assert fill_in(client, page, f"{page}/count").status_code == 303
    assert "正在逐区统计" in client.get(page).text and "现在重新统计" not in client.get(page).text
    for number, area in enumerate(area_sums.all_area_codes(town.session)):
        if number == 1:
            assert "合计还不是全市" in client.get(page).text
        area_sums.count(town.session, "statistics", 2026, area, now=town.now)
    town.session.commit()
    assert "合计还不是全市" not in client.get(page).text
    where = {Width.CITY: "", Width.AREA: "area=510104&lang=en", Width.KINDERGARTEN: f"at={town.here.id}"}
    for code in ("ledger", "roll_file", "statistics", "readiness_rows"):
        for width, chosen in where.items():
            report = ALL[code]
            path = f"/officials/2026/reports/{code}"
            shown = rows_of(client, f"{path}?{chosen}")
            file = client.get(f"{path}/file.csv?{chosen}")
            if report.has_names and width == Width.KINDERGARTEN:
                assert file.status_code == 303 and "/export" in file.headers["Location"]
            elif not widths.allows(report, width):
                assert not shown and file.status_code == 404, (code, width)
            else:
                assert list(csv.reader(io.StringIO(file.get_data().decode("utf-8-sig")))) == shown != [], (code, width)
                sheet = client.get(f"{path}/file.xlsx?{chosen}").get_data()
                book = openpyxl.load_workbook(io.BytesIO(sheet))
                cells = [["" if cell is None else str(cell) for cell in row] for row in book.worksheets[0].values]
                assert cells == shown, (code, width)
                assert "教育局经办" in book.worksheets[1].cell(5, 1).value, "who read it"


def test_names_are_for_who_decides_there_and_leave_a_trail(city, client, another_client, portal_session):
    town, at_here = city, f"at={city.here.id}"
    official = sign_in(client, town.area_official().account_id)
    assert "李沐晨" in official.get(f"/officials/2026/reports/class_list?{at_here}").text
    read = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "read_report")).all()
    assert [(each.subject, each.subject_id) for each in read] == [("kindergarten", str(town.here.id))]
    assert official.get(f"/officials/2026/reports/ledger?at={town.west.id}").status_code == 404
    auditor = sign_in(another_client(), town.account_of_staff("auditor", "审计", "auditor").id)
    shown = auditor.get(f"/officials/2026/reports/class_list?{at_here}")
    assert shown.status_code == 200 and "李沐晨" not in shown.text
    assert auditor.get("/officials/2026/reports/support_cases").status_code == 404
    path = f"/officials/2026/reports/class_list/export?{at_here}"
    assert auditor.get(path).status_code == 403
    assert fill_in(official, path, reason="区里核对").status_code == 303
    export = portal_session.scalars(select(ReportExport)).one()
    file = f"/officials/2026/reports/exports/{export.id}/file.xlsx"
    assert official.get(file).status_code == 404
    second = sign_in(another_client(), town.city_official().account_id)
    decide = f"/officials/2026/reports/exports/{export.id}"
    assert fill_in(second, "/officials/2026/reports", decide, agree="y").status_code == 303
    book = openpyxl.load_workbook(io.BytesIO(official.get(file).get_data()))
    assert "李沐晨" in {cell for row in book.worksheets[0].values for cell in row}
    assert official.get(f"/officials/2026/audit?number={export.id}").text.count(str(export.id)[:8]) >= 2


def test_a_number_of_the_cockpit_opens_to_its_classes_in_two_clicks(city, client):
    """From the city to an area to the classes of a kindergarten, with the definition and the day of the roll on the way."""
    sign_in(client, city.city_official().account_id)
    cockpit = BeautifulSoup(client.get("/officials/2026/coverage").text, "lxml")
    assert (
        cockpit.select(".tile a[href='#areas']") and cockpit.select_one("#areas") and cockpit.select_one("#definition")
    )
    line = cockpit.select_one("#area-510104")
    area = BeautifulSoup(client.get(line.select_one("a")["href"]).text, "lxml")
    listed = [row for row in area.select("main tbody tr") if row.select_one("a[href*='on_roll']")]
    numbers = [int(row.select_one("a[href*='on_roll']").get_text()) for row in listed]
    assert sorted(numbers) == [1, 31] and sum(numbers) == int(line.select("td")[0].get_text())
    for row, number in zip(listed, numbers, strict=True):
        classes = rows_of(client, row.select_one("a[href*='on_roll']")["href"])
        assert classes[-1][4] == str(number), classes
    assert "名册" in area.select_one("main").get_text() and "不含托班" in area.select_one("main").get_text()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_return_of_1_september_is_counted_by_one_and_signed_by_another(
    city, client, another_client, frozen_clock, lang
):
    town = city
    town.roll(town.other, "upper", 30, year=2026)
    one, two = town.area_official(), town.area_official()
    clerk = town.clerk_of(town.other)
    town.session.commit()
    path, hand_in = (
        "/officials/2026/reports/statistics?area=510104",
        "/officials/2026/reports/statistics/hand-in?area=510104",
    )
    sign_in(client, one.account_id)
    client.get(f"/?lang={lang}")
    early = BeautifulSoup(client.get(path).text, "lxml")
    assert not early.select('form[action*="hand-in"]') and ("9月1日" in early.text or "1 September 2026" in early.text)
    frozen_clock.set(at(9, 2, 9))
    sign_in(client, one.account_id)
    assert fill_in(client, path, hand_in).status_code == 303
    mine = BeautifulSoup(client.get(path).text, "lxml")
    assert not mine.select('form[action$="/sign"]'), "not the one who counted it"
    colleague = sign_in(another_client(), two.account_id)
    page = BeautifulSoup(colleague.get(path).text, "lxml")
    sign = page.select_one('form[action$="/sign"]')["action"]
    assert fill_in(colleague, path, sign).status_code == 303
    signed = BeautifulSoup(client.get(path).text, "lxml")
    files = [link["href"] for link in signed.select('a[href*="/reports/returns/"]')]
    shown = rows_of(client, path)
    text = client.get(next(each for each in files if each.endswith("csv"))).get_data().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == shown, "what was handed in is what the page said"
    city_sees = sign_in(another_client(), town.city_official().account_id)
    assert city_sees.get(files[0]).status_code == 200
    stranger = sign_in(another_client(), town.area_official("510105").account_id)
    assert stranger.get(files[0]).status_code == 404
    staff = sign_in(another_client(), clerk.account_id)
    roll_page = BeautifulSoup(staff.get("/staff/roll?year=2026").text, "lxml")
    assert any(
        "30" in each.text and ("定稿" in each.text or "handed in" in each.text) for each in roll_page.select("p.says")
    )


def test_officials_read_the_ledger_of_a_day_as_the_kindergarten_does(city, client):
    town = city
    official = town.area_official()
    town.session.commit()
    sign_in(client, official.account_id)
    plan = BeautifulSoup(client.get(f"/officials/2026/places/{town.here.id}").text, "lxml")
    address = next(link["href"] for link in plan.select("a") if link["href"].endswith("/day"))
    page = BeautifulSoup(client.get(f"{address}?since=2026-08-01&until=2026-08-20").text, "lxml")
    assert page.select_one(".receipt .total b").text == "2" and len(page.select("main table tbody tr")) == 1
    assert client.get(f"/officials/2026/places/{town.west.id}/day").status_code == 404
    assert "2026" in client.get(f"{address}?since=nonsense").text
