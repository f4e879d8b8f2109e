"""Reports of the desk: the page, the spreadsheet and the CSV file hold the same rows, sums agree, names need two people."""

import csv
import io

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.audit import AuditEntry
from enrollment.offers.arrivals import arrival
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


def table(town, code, by=None):
    return read(REPORTS[code], Question(town.session, 2026, by or town.clerk, town.now), how="page")


def page_rows(client, path):
    page = BeautifulSoup(client.get(path).text, "lxml")
    return [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.select("main table tr")]


def test_the_sums_of_the_reports_agree(garden):
    town = garden
    ledger, arrivals, by_wish, on_roll = (table(town, code) for code in ("ledger", "arrivals", "by_wish", "on_roll"))
    assert (ledger.total("places"), ledger.total("arrived"), ledger.total("offered")) == (2, 1, 1)
    for code in ("arrived", "offered", "free"):
        assert arrivals.total(code) == ledger.total(code), code
    assert by_wish.total("placed") == sum(ledger.total(code) for code in ("offered", "accepted", "arrived"))
    assert on_roll.total("children") == ledger.total("arrived")
    assert table(town, "demand").total("wish_1") == 2
    assert [row[3:6] for row in table(town, "movements").rows] == [("李沐晨", "in", None)]
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
