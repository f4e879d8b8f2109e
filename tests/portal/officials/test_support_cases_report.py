"""The report about support cases: codes only, of the official's areas, the same as a page and as files."""

import csv
import io

import openpyxl
import pytest
from bs4 import BeautifulSoup

from enrollment.review import support_cases
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


@prepared
def cases(town, frozen_clock):
    """One case of Jinjiang under assessment."""
    here = town.kindergarten("锦官新城幼儿园", places=5)
    town.open_registration()
    town.ana = town.child("李沐晨", wishes=[here], grounds=["special_need"])
    town.registration_is_over()
    clerk = town.clerk_of(here)
    town.case = support_cases.open_for(town.session, town.ana, text="需要支持", by=clerk, now=town.now)
    frozen_clock.set(town.now)
    town.session.commit()
    return town


def rows_of(client, path):
    page = BeautifulSoup(client.get(path).text, "lxml")
    return [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.select("main table tr")]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_spreadsheet_and_csv_hold_the_same_rows(cases, client, lang):
    town = cases
    sign_in(client, town.area_official().account_id)
    path = "/officials/2026/support-cases"
    assert f"{path}" in client.get("/officials/2026/cases").text or path in client.get("/officials/cases").text
    shown = rows_of(client, f"{path}?lang={lang}")
    assert [row[0] for row in shown[1:]] == [town.ana.registration_code]
    assert {"zh": "评估中", "en": "under assessment"}[lang] in shown[1]
    assert "李沐晨" not in client.get(path).text
    text = client.get(f"{path}/file.csv").get_data().decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == shown
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{path}/file.xlsx").get_data()))
    assert [["" if cell is None else str(cell) for cell in row] for row in book.worksheets[0].values] == shown


def test_who_may_read_it(cases, client, another_client):
    town = cases
    elsewhere = sign_in(client, town.area_official("510105").account_id)
    assert rows_of(elsewhere, "/officials/2026/support-cases") == []
    auditor = sign_in(another_client(), town.account_of_staff("auditor", "审计", "auditor").id)
    assert auditor.get("/officials/2026/support-cases").status_code == 403
