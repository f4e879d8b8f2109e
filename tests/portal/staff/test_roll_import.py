"""The kindergarten imports its own roll as a job; what belongs to others or to the area is refused."""

import io

import pytest

from enrollment.places.imports import roll
from enrollment.places.imports.uploaded_files import ImportFile
from enrollment.places.roll import RollChild, RollClass
from tests.support.office_files import xlsx
from tests.support.signing_in import fill_in, sign_in
from tests.support.worker import IMPORTS, let_the_worker_work

NUMBER, OTHER = "510104202112012011", "510104202203032034"
PATH = "/staff/roll/imports"
REGISTER = ("班级名称", "姓名", "身份证件号", "入园日期")
"""Columns as the national register writes them; nobody names the own kindergarten."""


@pytest.fixture
def here(town, client):
    kindergarten = town.kindergarten("锦官新城幼儿园", code="5151040001")
    clerk = town.clerk_of(kindergarten)
    town.session.commit()
    sign_in(client, clerk.account_id)
    return kindergarten


@pytest.fixture
def upload(client, town, portal_engine, frozen_clock, here):
    """Upload a list and let it be checked; its page."""

    def upload(*rows, headings=REGISTER, kind="roll"):
        content = (io.BytesIO(xlsx(headings, rows, title=None)), "名册.xlsx")
        sent = fill_in(client, PATH, PATH, kind=kind, file=content)
        assert sent.status_code == 303, sent.text
        town.session.commit()
        assert let_the_worker_work(portal_engine, frozen_clock, IMPORTS) == ["done"]
        return sent.headers["Location"]

    return upload


def test_a_kindergarten_imports_its_roll_without_naming_itself(town, here, client, upload, portal_engine, frozen_clock):
    town.child_on_roll(here, "安娜娜", id_number=NUMBER)
    town.session.commit()
    assert PATH in client.get("/staff/roll").text and client.get(f"{PATH}?lang=en").status_code == 200
    client.get(f"{PATH}?lang=zh")
    page = upload(("中二班", "安娜娜", NUMBER, "2025-09-01"), ("小一班", "本本本", OTHER, "2025-09-01"))
    assert "新增 2" in client.get(page).text  # the other class and its child
    assert fill_in(client, page, f"{page}/take-in").status_code == 303
    assert let_the_worker_work(portal_engine, frozen_clock, IMPORTS) == ["done"]
    town.session.expire_all()
    names = {child.name for child in town.session.query(RollChild).all()}
    assert {"安娜娜", "本本本"} <= names
    assert client.get(f"{PATH}/templates/roll.xlsx").status_code == 200


def test_a_child_of_another_kindergarten_is_not_taken_over(town, here, client, upload):
    """A transfer has two sides; a list of one of them moves nobody."""
    there = town.kindergarten("牡丹幼儿园", code="5151040009")
    child = town.child_on_roll(there, "安娜娜", id_number=NUMBER)
    town.session.commit()
    page = upload(("小一班", "安娜娜", NUMBER, "2025-09-01"))
    assert "已在别的幼儿园名册上" in client.get(page).text
    town.session.expire_all()
    assert town.session.get_one(RollChild, child.id).class_id == child.class_id


def test_a_number_without_names_is_entered_on_the_page_of_the_class(here, client, upload):
    page = upload(("小二班", 24), headings=("班级名称", "在园人数"))
    assert "由区教育局核对" in client.get(page).text


def test_another_kindergarten_in_the_list_is_a_fault(town, here, client, upload):
    town.kindergarten("牡丹幼儿园", code="5151040009")
    town.session.commit()
    page = upload(("5151040009", "小一班", "安娜娜", NUMBER), headings=("学校标识码", "班级名称", "姓名", "身份证件号"))
    assert "没有找到“5151040009”" in client.get(page).text


def test_the_lists_of_officials_are_not_for_kindergartens(town, here, client):
    form = {"kind": "kindergartens", "file": (io.BytesIO(xlsx()), "名册.xlsx")}
    refused = fill_in(client, PATH, PATH, **form)
    assert refused.status_code == 200
    assert town.session.query(ImportFile).count() == 0
    assert client.get(f"{PATH}/templates/kindergartens.xlsx").status_code == 404
    assert client.get("/officials/2026/imports").status_code == 403


def test_a_list_that_the_database_refuses_comes_back_with_a_reason(
    town, here, client, upload, portal_engine, frozen_clock, monkeypatch
):
    """The class of the file is opened by somebody else at the moment of writing; the job does not fail."""
    page = upload(("小一班", "本本本", OTHER, "2025-09-01"))
    write = roll.write

    def late(session, prepared, **more):
        row = {key: value for key, value in prepared.classes[0].items() if key != "id"}
        session.add(RollClass(**row))
        session.flush()
        write(session, prepared, **more)

    monkeypatch.setattr(roll, "write", late)
    assert fill_in(client, page, f"{page}/take-in").status_code == 303
    assert let_the_worker_work(portal_engine, frozen_clock, IMPORTS) == ["done"]
    town.session.expire_all()
    assert town.session.query(RollChild).count() == town.session.query(RollClass).count() == 0
    assert town.session.query(ImportFile).one().state == "faulty"
    assert client.get(page).status_code == 200
