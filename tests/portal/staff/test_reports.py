"""Reports of the desk: the page, the spreadsheet and the CSV file hold the same rows, sums agree, names need two people."""

import csv
import datetime as dt
import io

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.audit import AuditEntry
from enrollment.offers.arrivals import arrival
from enrollment.places.roll_changes import transfers
from enrollment.places.roll_rows import RollChild
from enrollment.reports.tables.catalogue import REPORTS
from enrollment.reports.tables.export_rows import ReportExport
from enrollment.reports.tables.report import Question, read
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_season import at


@prepared
def garden(town, frozen_clock):
    """Two of three children have a place, one has arrived, one has not answered; a second kindergarten has its own."""
    here, other = town.kindergarten("锦官新城幼儿园", places=2), town.kindergarten("牡丹幼儿园", places=1)
    town.open_registration()
    ana, ben = (town.child(name, wishes=[here, other]) for name in ("李沐晨", "王小雨"))
    cui = town.child("=翠翠", wishes=[other, here])
    town.drawn(ana, ben, cui)
    town.confirm(ana)
    town.at(at(8, 20, 10))
    frozen_clock.set(town.now)
    town.here, town.clerk, town.head = here, town.clerk_of(here), town.head_of(here)
    arrival.arrive(town.session, town.offer_for(ana).id, class_name="小一班", by=town.clerk, now=town.now)
    town.session.commit()
    return town


def table(town, code, by=None, now=None):
    return read(REPORTS[code], Question(town.session, 2026, by or town.clerk, now or town.now), how="page")


def page_rows(client, path):
    page = BeautifulSoup(client.get(path).text, "lxml")
    return [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.select("main table tr")]


def test_the_sums_of_the_reports_agree(garden):
    town = garden
    ledger, arrivals, by_wish = (table(town, code) for code in ("ledger", "arrivals", "by_wish"))
    september = at(9, 1, 8)
    assert (ledger.total("places"), ledger.total("arrived"), ledger.total("offered")) == (2, 1, 1)
    for code in ("arrived", "offered", "free"):
        assert arrivals.total(code) == ledger.total(code), code
    assert by_wish.total("placed") == sum(ledger.total(code) for code in ("offered", "accepted", "arrived"))
    assert table(town, "on_roll").total("children") == 0, "the school year under way, whose roll is empty"
    assert table(town, "on_roll", now=september).total("children") == ledger.total("arrived")
    assert table(town, "demand").total("wish_1") == 2
    moved = table(town, "movements", now=september)
    assert [row[3:8] for row in moved.rows] == [("李沐晨", "in", None, "小一班", None)]
    assert moved.rows[0][-2:] == (town.now, town.clerk.name), "when it was written down, and by whom"
    whole_city = table(town, "ledger", by=town.city_official())
    assert (len(whole_city.rows), whole_city.total("places")) == (2, 3)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_spreadsheet_and_csv_hold_the_same_rows(garden, client, lang):
    town = garden
    sign_in(client, town.clerk.account_id)
    listed = BeautifulSoup(client.get(f"/staff/reports?lang={lang}").text, "lxml")
    assert len(listed.select("main a.card")) == len(REPORTS)
    for code, report in REPORTS.items():
        shown = page_rows(client, f"/staff/reports/{code}?lang={lang}")
        if report.has_names or not shown:
            continue
        text = client.get(f"/staff/reports/{code}/file.csv?lang={lang}").get_data().decode("utf-8-sig")
        assert list(csv.reader(io.StringIO(text))) == shown, code
        book = openpyxl.load_workbook(io.BytesIO(client.get(f"/staff/reports/{code}/file.xlsx").get_data()))
        sheet = [["" if cell is None else str(cell) for cell in row] for row in book.worksheets[0].values]
        assert sheet == shown, code
        assert town.clerk.name in book.worksheets[1].cell(5, 1).value, "who read it"
    assert client.get("/staff/reports/ledger/file.exe").status_code == 404
    assert client.get("/staff/reports/none").status_code == 404


def test_a_file_with_names_needs_a_second_person(garden, client, portal_session, another_client):
    town = garden
    sign_in(client, town.clerk.account_id)
    asked = client.get("/staff/reports/class_list/file.xlsx")
    assert asked.status_code == 303 and "/staff/reports/class_list/export" in asked.headers["Location"]
    path = f"/staff/reports/class_list/export?at={town.here.id}&year=2026"
    silent = fill_in(client, path, reason=" ")
    assert BeautifulSoup(silent.text, "lxml").select_one("#reason-error") is not None
    assert fill_in(client, path, reason="开学第一天门口核对").status_code == 303
    export = portal_session.scalars(select(ReportExport)).one()
    file, decide = f"/staff/reports/exports/{export.id}/file.xlsx", f"/staff/reports/exports/{export.id}"
    assert client.get(file).status_code == 404
    token = BeautifulSoup(client.get("/staff/reports").text, "lxml").select_one("input[name=csrf_token]")
    assert client.post(decide, data={"csrf_token": token["value"], "agree": "y"}).status_code == 303
    portal_session.refresh(export)
    assert export.agreed is None, "the person who asked does not agree"
    colleague = sign_in(another_client(), town.head.account_id)
    assert fill_in(colleague, "/staff/reports", f"{decide}?year=2026", agree="y").status_code == 303
    assert colleague.get(file).status_code == 404, "it is for the person who asked"
    book = openpyxl.load_workbook(io.BytesIO(client.get(file).get_data()))
    assert [cell.value for cell in book.worksheets[0][2]][2:4] == ["小一班", "李沐晨"]
    acts = portal_session.scalars(select(AuditEntry.act).where(AuditEntry.subject == "report_export"))
    assert set(acts) == {"ask_report_export", "decide_report_export"}


def test_the_roll_beside_a_file_of_the_national_one(garden, client, frozen_clock):
    """Children missing on either side, and other names or birth dates; a file that cannot be read says what to mend."""
    town = garden
    town.elsewhere = town.kindergarten("小蜜蜂幼儿园", places=25)
    for name, number in (("刘小果", "510104202203153426"), ("陈一", "510104202204010018"), ("没有证件", None)):
        born = dt.date(2022, 3, 15) if name == "刘小果" else dt.date(2022, 4, 1)
        town.child_on_roll(town.here, name, id_number=number, born=born)
    town.session.commit()
    sign_in(client, town.clerk.account_id)
    path = f"/staff/reports/roll_file/differences?at={town.here.id}"
    page = client.get(path)
    token = BeautifulSoup(page.text, "lxml").select_one("input[name=csrf_token]")["value"]

    def compared(content):
        data = {"csrf_token": token, "file": (io.BytesIO(content.encode()), "national.csv")}
        answer = client.post(path, data=data, content_type="multipart/form-data")
        page = BeautifulSoup(answer.text, "lxml")
        return page, [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.select("tbody tr")]

    head = "姓名,证件号码,出生日期\n"
    page, rows = compared(head + "刘晓果,510104202203153426,2022-03-16\n外来,51010420220506001X,\n")
    assert {(row[0], row[2]) for row in rows} == {
        ("刘小果", "姓名不同"), ("刘小果", "出生日期不同"), ("陈一", "国家学籍里没有"), ("没有证件", "没有证件号码，对不了"),
        ("外来", "我们的名册里没有"),
    }  # fmt: skip
    late = next(row for row in rows if row[0] == "陈一")
    assert late[6:8] == ["2025-11-01", "已经超期"], "two months after 1 September 2025"
    first_day = f"{town.now:%Y-%m-%d}"
    assert {row[8] for row in rows if row[0] != "外来"} == {first_day}
    child = next(each for each in town.session.scalars(select(RollChild)) if each.name == "陈一")
    transfers.ask_to_leave(
        town.session, child.id, to_code=town.elsewhere.code, moves_on=town.now.date(),
        due_on=town.now.date() + dt.timedelta(days=14), reason="搬家", by=town.clerk, now=town.now,
    )  # fmt: skip
    town.session.commit()
    town.at(town.now + dt.timedelta(days=3))
    frozen_clock.set(town.now)
    page, rows = compared(head + "刘晓果,510104202203153426,2022-03-15\n陈一,510104202204010018,\n")
    assert {(row[0], row[2], row[8]) for row in rows} == {
        ("刘小果", "姓名不同", first_day), ("没有证件", "没有证件号码，对不了", first_day),
        (child.name, "转园没办完", first_day),
    }  # fmt: skip
    kept = table(town, "roll_comparisons", by=town.area_official())
    of_here = {row[0].name: row for row in kept.rows}["锦官新城幼儿园"]
    told = dict(zip((column.code for column in kept.report.columns), of_here, strict=True))
    assert (told["not_compared"], told["on_our_roll"], told["in_the_file"], told["compared_at"]) == (0, 3, 2, town.now)
    found = {code: n for code, n in told.items() if code.startswith("differs_") and n}
    assert found == {"differs_name": 1, "differs_no_number": 1, "differs_since": dt.date.fromisoformat(first_day)}
    assert (told["open_transfers"], told["late_transfers"], kept.total("not_compared")) == (1, 0, len(kept.rows) - 1)
    for content, words in (("名,号\n", "第一行要有"), (head + "刘小果,,\n", "第 2 行")):
        page, rows = compared(content)
        assert rows == [] and words in page.select_one(".govuk-error-summary").get_text(), content
