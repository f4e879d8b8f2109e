"""Every spreadsheet of the portal, opened in LibreOffice: sheets, cells and their kinds are what the page and the file say.

The files come from the routes that people use.  What begins with = + - @ stays text, zeros in front of codes and phone
numbers stay, and no cell is a formula.
"""

import datetime as dt
import io
import re

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.offers.arrivals import arrival
from enrollment.places.imports.uploaded_files import KINDS
from enrollment.places.measures.rows import MeasureKind
from enrollment.planning import simulations
from enrollment.reports.tables import signed_returns, widths
from enrollment.reports.tables.catalogue import OFFICIAL_REPORTS, REPORTS
from enrollment.reports.tables.export_rows import ReportExport
from enrollment.reports.tables.report import Width
from tests.support import libreoffice, planned_town
from tests.support.office_files import xlsx
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_season import at
from tests.support.worker import IMPORTS, let_the_worker_work

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        libreoffice.program() is None, reason=f"LibreOffice is missing: sudo apt-get install -y {libreoffice.PACKAGE}"
    ),
]
FORMULAS = {"=1+1", "+8613800000000", "-5", "@SUM(A1)"}
WITH_A_FORM = re.compile(r"\.<(?:string:)?form>|\.xlsx")


class Collected:
    """The files by name, what the page beside each shows (None: no table), and the routes that gave them."""

    def __init__(self, app):
        self.app, self.files, self.pages, self.endpoints = app, {}, {}, set()

    def fetch(self, name, client, path, page=None):
        answer = client.get(path)
        assert answer.status_code == 200, (name, path, answer.status_code)
        assert answer.data[:2] == b"PK", name
        self.files[name], self.pages[name] = answer.data, page
        with self.app.test_request_context(path):
            self.endpoints.add(self.app.url_map.bind("").match(path.partition("?")[0])[0])


def rows_of(client, path):
    page = BeautifulSoup(client.get(path).text, "lxml")
    return [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.select("main table tr")]


def press(client, path, action, **typed):
    """Send a form as the browser would, with what is chosen on the page."""
    form = BeautifulSoup(client.get(path).text, "lxml").select_one(f'form[action$="{action}"]')
    values = {}
    for field in form.select("input[name], select[name]"):
        if field.get("type") in ("radio", "checkbox") and not field.has_attr("checked"):
            continue
        options = field.select("option")
        chosen = next((each for each in options if each.has_attr("selected")), options[0]) if options else field
        values[field["name"]] = chosen.get("value", "")
    answer = client.post(form["action"], data=values | typed)
    assert answer.status_code == 303, answer.text
    return answer


@pytest.fixture
def city(town, frozen_clock):
    """Kindergartens and children whose names would be formulas, a roll, applications in review, a draw and an arrival."""
    schools = planned_town.children(town)
    planned_town.measure(town, MeasureKind.BUILD, 30, 9000, lead_years=1, name="=1+1")
    planned_town.measure(town, MeasureKind.TO_PUBLIC, 20, 100, of=schools["inclusive"], yearly=40, name="转公办一所")
    town.here, town.other = town.kindergarten("@SUM(A1)", places=2), town.kindergarten("牡丹幼儿园", places=3)
    town.here.phone, town.here.address, town.here.run_by = "02885550001", "+8613800000000", "-5"
    town.child_on_roll(town.here, "=翠翠", id_number="510104202203153426", born=dt.date(2022, 3, 15))
    town.roll(town.other, "middle", 31, name="-5")
    town.open_registration()
    town.ana, town.ben = (
        town.child("=沐晨", wishes=[town.here, town.other]),
        town.child("王小雨", wishes=[town.here]),
    )
    town.drawn(town.ana, town.ben)
    town.confirm(town.ana)
    town.at(at(8, 20, 10))
    frozen_clock.set(town.now)
    town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
    arrival.arrive(town.session, town.offer_for(town.ana).id, class_name="=1+1", by=town.head, now=town.now)
    town.one, town.two = town.city_official("first"), town.city_official("second")
    town.session.commit()
    return town


def collect_reports(town, found, staff, second, official, portal_session):
    """Both desks; what has names through two people."""
    for code, report in REPORTS.items():
        page = rows_of(staff, f"/staff/reports/{code}?lang=zh")
        if not report.has_names:
            found.fetch(f"staff-{code}", staff, f"/staff/reports/{code}/file.xlsx", page)
            continue
        path = f"/staff/reports/{code}/export?at={town.here.id}&year=2026"
        assert fill_in(staff, path, reason="=1+1").status_code == 303
        export = portal_session.scalars(select(ReportExport).order_by(ReportExport.asked_at.desc())).all()
        export = next(each for each in export if each.report == code)
        decide = f"/staff/reports/exports/{export.id}"
        assert fill_in(second, "/staff/reports", f"{decide}?year=2026", agree="y").status_code == 303
        found.fetch(f"staff-{code}", staff, f"{decide}/file.xlsx", page)
    where = {Width.CITY: "", Width.AREA: "area=510104", Width.KINDERGARTEN: f"at={town.here.id}"}
    for code, report in (REPORTS | OFFICIAL_REPORTS).items():
        for width, chosen in where.items():
            if widths.allows(report, width) and not (report.has_names and width == Width.KINDERGARTEN):
                path = f"/officials/2026/reports/{code}"
                page = rows_of(official, f"{path}?{chosen}&lang=zh")
                found.fetch(f"officials-{code}-{width}", official, f"{path}/file.xlsx?{chosen}", page)
    page = rows_of(official, "/officials/2026/support-cases")
    found.fetch("support-cases", official, "/officials/2026/support-cases/file.xlsx", page)
    path = f"/officials/2026/reports/class_list/export?at={town.here.id}"
    assert fill_in(official, path, reason="核对").status_code == 303
    mine = select(ReportExport).where(ReportExport.asked_by == town.one.account_id)
    export = portal_session.scalars(mine).one()
    decide = f"/officials/2026/reports/exports/{export.id}"
    assert (
        fill_in(second, "/staff/reports", f"/staff/reports/exports/{export.id}?year=2026", agree="y").status_code == 303
    )
    page = rows_of(official, f"/officials/2026/reports/class_list?at={town.here.id}")
    found.fetch("officials-export", official, f"{decide}/file.xlsx", page)
    handed_in = signed_returns.hand_in(town.session, "510104", 2025, by=town.area_official(), now=town.now)
    town.session.commit()
    found.fetch("return", official, f"/officials/2026/reports/returns/{handed_in.id}/file.xlsx")
    for code in ("readiness", "readiness_rows", "high_quality"):
        found.fetch(f"quality-{code}", official, f"/officials/2026/quality/files/{code}.xlsx?area=510104")


def test_libreoffice_reads_every_spreadsheet_as_the_pages_show_it(
    app, city, client, another_client, portal_session, portal_engine, frozen_clock, tmp_path
):
    town, found = city, Collected(app)
    staff, second = sign_in(client, town.clerk.account_id), sign_in(another_client(), town.head.account_id)
    official = sign_in(another_client(), town.one.account_id)
    collect_reports(town, found, staff, second, official, portal_session)
    for what in ("classes", "children"):
        found.fetch(f"roll-{what}", staff, f"/staff/roll/export.xlsx?what={what}&year=2025")
    for kind in KINDS:
        found.fetch(f"template-{kind}", official, f"/officials/2026/imports/templates/{kind}.xlsx")
    found.fetch("template-staff-roll", staff, "/staff/roll/imports/templates/roll.xlsx")
    for name, who, at_, kind in (
        ("officials", official, "/officials/2026/imports", "kindergartens"), ("staff", staff, "/staff/roll/imports", "roll"),
    ):  # fmt: skip
        rows = [("=1+1", "-5", "0051040001"), ("@SUM(A1)", "+8613800000000", "0051040002")]
        content = (io.BytesIO(xlsx(("园所名称", "办园性质", "学校标识码"), rows, title=None)), "表.xlsx")
        sent = fill_in(who, at_, at_, kind=kind, file=content)
        assert sent.status_code == 303, sent.text
        town.session.commit()
        assert let_the_worker_work(portal_engine, frozen_clock, IMPORTS) == ["done"]
        found.fetch(f"marked-{name}", who, f"{sent.headers['Location']}/marked.xlsx")
    asked = press(official, "/officials/2026/planning/new", "/planning/new", name="=1+1", deadline="2027")
    assert let_the_worker_work(portal_engine, frozen_clock, ("search_plan",)) == ["done"]
    assert let_the_worker_work(portal_engine, frozen_clock, (simulations.KIND,)) == ["done"]
    found.fetch("plan", official, f"{asked.headers['Location']}/plan.xlsx")
    study = {"name": "=1+1", "round_id": str(town.the_round.id), "comparison": "one_wish", "draws": "30"}
    at_ = "/officials/2026/laboratory"
    made = press(official, at_, at_, **study).headers["Location"]
    press(official, made, "/draw")
    assert let_the_worker_work(portal_engine, frozen_clock, ("draw_laboratory",)) == ["done"]
    found.fetch("laboratory", official, f"{made}/figures.xlsx")

    made_here = {rule.endpoint for rule in app.url_map.iter_rules() if WITH_A_FORM.search(rule.rule)}
    assert {each for each in made_here if "coverage" not in each} - found.endpoints == set(), (
        "a spreadsheet without a test"
    )

    opened = libreoffice.read(found.files, tmp_path)
    assert libreoffice.processes_of(tmp_path / "profile") == []
    texts = set()
    for name, sheets in opened.items():
        book = openpyxl.load_workbook(io.BytesIO(found.files[name]))
        assert list(sheets) == book.sheetnames, name
        for sheet in book.worksheets:
            read = sheets[sheet.title]
            texts |= {cell.text for row in read for cell in row if cell.kind == "string"}
            assert [cell for row in read for cell in row if cell.formula] == [], (name, sheet.title)
            assert [[_told(cell) for cell in row] for row in read] == _cells(sheet), (name, sheet.title)
        if found.pages[name]:
            first = next(iter(sheets.values()))
            width = max(map(len, found.pages[name]))
            shown = [[_told(cell) for cell in row] + [""] * (width - len(row)) for row in first]
            assert shown == found.pages[name], name
    assert texts >= FORMULAS | {"02885550001", "0051040001", "510104202203153426"}


def _told(cell) -> str:
    """The cell as the page writes it: a number without needless digits."""
    return _number(float(cell.text)) if cell.kind == "float" else cell.text


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def _cells(sheet) -> list[list[str]]:
    """What stands in the file by a second reader, cut to what is filled."""
    rows = [
        ["" if cell is None else _number(float(cell)) if isinstance(cell, int | float) else str(cell) for cell in row]
        for row in sheet.values
    ]
    for row in rows:
        while row and row[-1] == "":
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows
