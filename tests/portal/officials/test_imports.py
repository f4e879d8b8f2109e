"""An official imports a list: review the changes, then confirm."""

import datetime as dt
import io
import time
from concurrent.futures import ThreadPoolExecutor

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from enrollment.ground.accounts import SYSTEM, Account
from enrollment.ground.jobs import Job
from enrollment.places import kindergartens, ledger
from enrollment.places.imports import importer
from enrollment.places.imports.files.sheet_reader import Sheet, read
from enrollment.places.imports.headers import find_tables
from enrollment.places.imports.importer import MODULES
from enrollment.places.imports.uploaded_files import ImportFile
from tests.support.office_files import HEADINGS, ROWS, csv_file, xlsx
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.worker import IMPORTS, let_the_worker_work


@prepared
def official(town, client):
    found = town.area_official("510104")
    town.session.commit()
    sign_in(client, found.account_id)
    return found


@prepared
def work(town, portal_engine, frozen_clock):
    """Let the worker do what waits."""

    def work():
        town.session.commit()
        return let_the_worker_work(portal_engine, frozen_clock, IMPORTS)

    return work


@prepared
def upload(client, work):
    """Upload a file and let it be checked; the address of its page."""

    def upload(content, name="名册.xlsx", kind="kindergartens", by=None):
        path = send(by or client, content, name, kind)
        assert work() == ["done"]
        return path

    return upload


def until(condition):
    """Wait for a condition of another thread."""
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def send(client, content, name="名册.xlsx", kind="kindergartens"):
    answer = fill_in(
        client, "/officials/2026/imports", "/officials/2026/imports", kind=kind, file=(io.BytesIO(content), name)
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_imp05_a_list_is_checked_and_written_by_jobs(town, official, client, upload, work):
    path = upload(xlsx())
    page = client.get(path)
    assert "新增 3" in page.text
    assert "锦官新城幼儿园" in page.text
    assert client.get(f"{path}?lang=en").status_code == 200
    client.get(f"{path}?lang=zh")
    assert kindergartens.by_code(town.session, "5151040001") is None
    answer = fill_in(client, path, f"{path}/take-in")
    assert answer.status_code == 303
    assert kindergartens.by_code(town.session, "5151040001") is None
    assert work() == ["done"]
    assert "已导入" in client.get(answer.headers["Location"]).text
    town.session.expire_all()
    assert kindergartens.by_code(town.session, "5151040001").nature == "public"
    assert "新增 3" in client.get("/officials/2026/imports").text


def test_imp05_the_page_shows_the_progress_and_lets_the_owner_cancel(town, official, client, work):
    path = send(client, xlsx())
    page = client.get(path)
    assert "等待后台接手" in page.text
    assert "<progress" in page.text
    told = client.get(f"{path}/progress.json").json
    assert told["state"] == "running"
    assert "还没有完成的" in client.get("/officials/2026/imports").text
    assert fill_in(client, path, f"{path}/give-up").status_code == 303
    assert work() == ["done"]
    assert client.get(path).status_code == 404
    assert town.session.scalar(select(func.count(ImportFile.id))) == 0


def test_imp05_a_file_that_is_cancelled_while_it_is_written_changes_nothing(town, official, client, upload, work):
    path = upload(xlsx())
    fill_in(client, path, f"{path}/take-in")
    assert client.get(f"{path}/progress.json").json["state"] == "running"
    fill_in(client, path, f"{path}/give-up")
    work()
    assert kindergartens.by_code(town.session, "5151040001") is None


def test_imp05_who_cancels_too_late_is_told_and_sees_what_was_written(town, official, client, upload, work):
    path = upload(xlsx())
    fill_in(client, path, f"{path}/take-in")
    stale = hidden_fields(client.get(path).text, f"{path}/give-up")
    assert work() == ["done"]
    answer = client.post(f"{path}/give-up", data=stale)
    assert answer.headers["Location"].endswith(path)
    page = client.get(path).text
    assert "来不及取消：这个文件已经导入。" in page
    assert "已放弃" not in page
    assert "新增 3" in page
    town.session.expire_all()
    assert kindergartens.by_code(town.session, "5151040001") is not None


def test_imp05_a_job_that_failed_is_told_and_the_file_can_be_given_up(town, official, client, work):
    path = send(client, xlsx())
    town.session.execute(update(Job).values(state="failed", error="ValueError at read:1"))
    town.session.commit()
    page = client.get(path)
    assert "后台没有做完" in page.text
    assert "ValueError at read:1" in page.text
    assert client.get(f"{path}/progress.json").json["state"] == "done"


def test_imp05_what_changed_since_the_check_is_shown_again(town, official, client, upload, work):
    path = upload(xlsx())
    fill_in(client, path, f"{path}/take-in")
    town.kindergarten("抢先的名字", area="510104", code="5151040001")
    assert work() == ["done"]
    assert work() == ["done"]
    page = client.get(path)
    assert "城市数据在检查之后变了" in page.text
    assert "新增 2" in page.text
    assert kindergartens.by_code(town.session, "5151040001").name == "抢先的名字"


def test_imp06_a_second_import_waits_and_says_who_imports(
    town, official, client, upload, portal_engine, frozen_clock, work
):
    path = upload(xlsx())
    fill_in(client, path, f"{path}/take-in")
    colleague = town.area_official("510104")
    town.session.commit()
    name = town.session.get(Account, colleague.account_id).name
    with Session(portal_engine) as other, ThreadPoolExecutor() as pool:
        importer.wait_for_turn(other, by=colleague, told=lambda _holder: None)
        second = pool.submit(let_the_worker_work, portal_engine, frozen_clock, IMPORTS)
        until(lambda: name in client.get(f"{path}/progress.json").json["step"])
        assert not second.done()
        other.rollback()
        assert second.result(60) == ["done"]
    assert "已导入" in client.get(path).text


def test_imp06_a_cancelled_import_does_not_wait_for_its_turn(
    town, official, client, upload, portal_engine, frozen_clock
):
    path = upload(xlsx())
    fill_in(client, path, f"{path}/take-in")
    with Session(portal_engine) as other, ThreadPoolExecutor() as pool:
        importer.wait_for_turn(other, by=SYSTEM, told=lambda _holder: None)
        second = pool.submit(let_the_worker_work, portal_engine, frozen_clock, IMPORTS)
        until(lambda: "运维人员" in client.get(f"{path}/progress.json").json["step"])
        fill_in(client, path, f"{path}/give-up")
        assert second.result(60) == ["done"]
    assert kindergartens.by_code(town.session, "5151040001") is None


def test_imp07_faults_of_one_kind_are_grouped_and_the_whole_list_is_a_file(official, client, upload):
    rows = [[*ROWS[0][:3], f"51510400{number:02}", *ROWS[0][4:6], "九", *ROWS[0][7:]] for number in range(40)]
    path = upload(xlsx(rows=rows))
    page = client.get(path)
    assert "需要修改 40 处" in page.text
    assert len(BeautifulSoup(page.text, "lxml").select(".cell")) == 5
    assert "同类问题还有 35 处" in page.text
    listed = client.get(f"{path}/faults.csv").data.decode("utf-8-sig").splitlines()
    assert len(listed) == 41
    assert listed[40].startswith("G42,班数,“九”不是数字")


def test_imp15_the_own_file_comes_back_with_its_faults_marked(official, client, upload):
    rows = [list(row) for row in ROWS]
    rows[1][HEADINGS.index("班数")] = "九"
    path = upload(xlsx(rows=rows))
    answer = client.get(f"{path}/marked.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    sheet = book["Sheet1"]
    assert [cell.value for cell in sheet[2]][: len(HEADINGS)] == HEADINGS
    assert sheet["G4"].value == "九"
    assert sheet["G4"].fill.fgColor.rgb == "FFFBE3E0"
    assert "不是数字" in sheet["G4"].comment.text
    assert "不是数字" in sheet.cell(4, len(HEADINGS) + 1).value
    assert sheet.cell(3, len(HEADINGS) + 1).value is None
    assert sheet["G3"].value == 9


def test_imp17_conflicts_with_changes_by_hand_are_asked_one_by_one(town, official, client, upload, work):
    k = town.kindergarten("锦官新城幼儿园", code="5151040001", licensed_classes=9)
    plans = xlsx(["学校标识码", "年级段", "班数"], [["5151040001", "小班", 2], ["5151040001", "中班", 1]], title=None)
    path = upload(plans, kind="programmes")
    fill_in(client, path, f"{path}/take-in")
    work()
    for level in ("lower", "middle"):
        ask = {
            "by": town.clerk_of(k),
            "now": town.now,
            "reason": "教师到位",
            "planned_classes": 3,
            "staffed_classes": 3,
        }
        ledger.propose(town.session, town.programme_of(k, level).id, **ask)
    again = xlsx(["学校标识码", "年级段", "班数"], [["5151040001", "小班", 1], ["5151040001", "中班", 2]], title=None)
    path = upload(again, kind="programmes")
    page = client.get(path)
    assert "需要您决定 2 条" in page.text
    assert "有一份申请在等审批" in page.text
    fill_in(client, path, f"{path}/take-in", overwrite=["5151040001/lower/2026"])
    work()
    town.session.expire_all()
    assert ledger.open_proposal(town.session, town.programme_of(k, "lower").id) is None
    assert ledger.open_proposal(town.session, town.programme_of(k, "middle").id).plan.planned_classes == 3
    assert "按您的选择保留原样 1" in client.get(path).text


def test_a_closing_day_in_an_open_round_is_written_after_a_decision_alone(town, official, client, upload, work):
    here = town.kindergarten("锦官新城幼儿园", code="5151040001", licensed_classes=9, places=25)
    town.child("安娜", wishes=[here])
    headings = ["学校标识码", "园所名称", "办园性质", "招生区域", "停办日期"]
    closing = xlsx(headings, [["5151040001", "锦官新城幼儿园", "公办", "锦江区", "2026-07-31"]], title=None)
    path = upload(closing)
    page = client.get(path)
    assert "需要您决定 1 条" in page.text
    assert "但主批次正在招生，现有 0 名幼儿持有这所园的学位" in page.text
    assert client.get(f"{path}?lang=en").status_code == 200
    fill_in(client, path, f"{path}/take-in")
    work()
    town.session.refresh(here)
    assert here.closed_on is None, "nobody has decided it"
    path = upload(closing)
    fill_in(client, path, f"{path}/take-in", overwrite=["5151040001"])
    work()
    town.session.refresh(here)
    assert here.closed_on == dt.date(2026, 7, 31)


def test_a_second_import_of_the_file_has_nothing_to_write(official, client, upload, work):
    path = upload(xlsx())
    fill_in(client, path, f"{path}/take-in")
    work()
    page = client.get(upload(xlsx()))
    assert "完全一样" in page.text
    assert "确认导入" not in page.text


def test_all_faults_stand_with_their_cells_and_how_to_mend_them(official, client, upload):
    rows = [list(row) for row in ROWS]
    rows[0][HEADINGS.index("班数")] = "九"
    rows[1][HEADINGS.index("招生区域")] = "绵阳市"
    page = client.get(upload(xlsx(rows=rows)))
    told = [cell.get_text() for cell in BeautifulSoup(page.text, "lxml").select(".cell")]
    assert told == ["G3", "E4"]
    assert "“九”不是数字" in page.text
    assert "确认导入" not in page.text


def test_a_file_is_needed(official, client, upload):
    answer = fill_in(
        client, "/officials/2026/imports", "/officials/2026/imports", kind="roll", file=(io.BytesIO(b""), "")
    )
    assert "请选择文件" in answer.text


def test_rows_of_another_area_are_told(official, client, upload):
    page = client.get(upload(csv_file(HEADINGS, [[*ROWS[0][:4], "青羊区", *ROWS[0][5:]]]), "a.csv"))
    assert "不在您负责的区域" in page.text


def test_a_file_given_up_is_gone(official, client, upload):
    path = upload(xlsx())
    assert fill_in(client, path, f"{path}/give-up").status_code == 303
    assert client.get(path).status_code == 404


def test_another_officials_file_is_not_found(town, official, client, another_client, upload):
    path = upload(xlsx())
    colleague = town.area_official("510104")
    town.session.commit()
    browser = sign_in(another_client(), colleague.account_id)
    assert browser.get(path).status_code == 404
    assert browser.get(f"{path}/progress.json").status_code == 404
    assert browser.get(f"{path}/faults.csv").status_code == 404
    assert client.get(path).status_code == 200


def test_an_auditor_imports_nothing(town, client):
    auditor = town.account_of_staff("auditor", "审计", "auditor")
    town.session.commit()
    sign_in(client, auditor)
    assert client.get("/officials/2026/imports").status_code == 403


@pytest.mark.parametrize("kind", MODULES)
def test_imp15_a_template_is_a_list_that_we_can_read(official, client, kind):
    answer = client.get(f"/officials/2026/imports/templates/{kind}.xlsx")
    columns = MODULES[kind].COLUMNS
    table = find_tables([_with_a_row(read(answer.data)[0])], columns).tables[0]
    assert set(table.place) == {column.key for column in columns}
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    sheet = book["填写"]
    assert [cell.value.endswith("*") for cell in sheet[1]] == [column.required for column in columns]
    offered = {next(iter(rule.sqref.ranges)).min_col - 1 for rule in sheet.data_validations.dataValidation}
    assert offered == {index for index, column in enumerate(columns) if column.choices}
    assert sheet["A2"].value.startswith("示例")
    assert book["填写说明"].max_row == 1 + len(columns)


def test_imp15_the_template_offers_the_names_of_the_areas(official, client):
    book = openpyxl.load_workbook(io.BytesIO(client.get("/officials/2026/imports/templates/kindergartens.xlsx").data))
    offered = {cell.value for row in book["选项"] for cell in row}
    assert {"锦江区", "四川天府新区", "普惠性民办"} <= offered


def test_imp15_the_example_of_a_template_is_not_imported(official, client, upload):
    answer = client.get("/officials/2026/imports/templates/kindergartens.xlsx")
    page = client.get(upload(answer.data))
    assert "完全一样" in page.text
    assert "模板里的示例" in page.text


def _with_a_row(sheet):
    rows = list(sheet.rows())
    return Sheet(sheet.name, lambda: iter([*rows, (3, ["x"] * len(rows[0][1]))]), 3)


def test_there_is_no_template_for_what_does_not_exist(official, client):
    assert client.get("/officials/2026/imports/templates/cats.xlsx").status_code == 404
