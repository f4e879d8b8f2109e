"""An official imports a list: review the changes, then confirm."""

import io

import pytest
import python_calamine
from bs4 import BeautifulSoup

from enrollment.places import kindergartens
from enrollment.places.imports.headers import find_table
from enrollment.places.imports.importer import MODULES
from enrollment.places.imports.sheet_reader import Sheet
from tests.support.office_files import HEADINGS, ROWS, csv_file, xlsx
from tests.support.signing_in import fill_in, sign_in


@pytest.fixture
def official(town, client):
    found = town.area_official("510104")
    town.session.commit()
    sign_in(client, found.account_id)
    return found


def upload(client, content, name="名册.xlsx", kind="kindergartens"):
    answer = fill_in(client, "/officials/imports", "/officials/imports", kind=kind, file=(io.BytesIO(content), name))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_list_is_looked_at_and_then_written(town, official, client):
    path = upload(client, xlsx())
    page = client.get(path)
    assert "新增 3" in page.text
    assert "锦官新城幼儿园" in page.text
    assert client.get(f"{path}?lang=en").status_code == 200
    client.get(f"{path}?lang=zh")
    assert kindergartens.by_code(town.session, "5151040001") is None
    answer = fill_in(client, path, f"{path}/take-in")
    assert answer.status_code == 303
    assert "已导入" in client.get(answer.headers["Location"]).text
    assert kindergartens.by_code(town.session, "5151040001").nature == "public"
    assert "新增 3" in client.get("/officials/imports").text


def test_a_second_import_of_the_file_has_nothing_to_write(official, client):
    path = upload(client, xlsx())
    fill_in(client, path, f"{path}/take-in")
    page = client.get(upload(client, xlsx()))
    assert "完全一样" in page.text
    assert "确认导入" not in page.text


def test_all_faults_stand_with_their_cells_and_how_to_mend_them(official, client):
    rows = [list(row) for row in ROWS]
    rows[0][HEADINGS.index("班数")] = "九"
    rows[1][HEADINGS.index("招生区域")] = "绵阳市"
    page = client.get(upload(client, xlsx(rows=rows)))
    told = [cell.get_text() for cell in BeautifulSoup(page.text, "lxml").select(".cell")]
    assert told == ["G3", "E4"]
    assert "“九”不是数字" in page.text
    assert "确认导入" not in page.text


def test_a_file_is_needed(official, client):
    answer = fill_in(client, "/officials/imports", "/officials/imports", kind="roll", file=(io.BytesIO(b""), ""))
    assert "请选择文件" in answer.text


def test_rows_of_another_area_are_told(official, client):
    page = client.get(upload(client, csv_file(HEADINGS, [[*ROWS[0][:4], "青羊区", *ROWS[0][5:]]]), "a.csv"))
    assert "不在您负责的区域" in page.text


def test_a_file_given_up_is_gone(official, client):
    path = upload(client, xlsx())
    assert fill_in(client, path, f"{path}/give-up").status_code == 303
    assert client.get(path).status_code == 404


def test_another_officials_file_is_not_found(town, official, client, another_client):
    path = upload(client, xlsx())
    colleague = town.area_official("510104")
    town.session.commit()
    browser = sign_in(another_client(), colleague.account_id)
    assert browser.get(path).status_code == 404
    assert client.get(path).status_code == 200


def test_an_auditor_imports_nothing(town, client):
    auditor = town.account_of_staff("auditor", "审计", "auditor")
    town.session.commit()
    sign_in(client, auditor)
    assert client.get("/officials/imports").status_code == 403


@pytest.mark.parametrize("kind", MODULES)
def test_a_template_is_a_list_that_we_can_read(official, client, kind):
    answer = client.get(f"/officials/imports/templates/{kind}.xlsx")
    book = python_calamine.load_workbook(io.BytesIO(answer.data))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows == [[column.names[0] for column in MODULES[kind].COLUMNS]]
    filled = find_table([Sheet([*rows, ["x"] * len(rows[0])])], MODULES[kind].COLUMNS)
    assert set(filled.place) == {column.key for column in MODULES[kind].COLUMNS}
    notes = book.get_sheet_by_index(1).to_python()
    assert len(notes) == 1 + len(MODULES[kind].COLUMNS)


def test_there_is_no_template_for_what_does_not_exist(official, client):
    assert client.get("/officials/imports/templates/cats.xlsx").status_code == 404
