"""The roll on the staff desk: classes, masked children, leaving, moving up, taking away."""

import io

import pytest
import python_calamine

from enrollment.places.imports import importer
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.roll import RollChild
from tests.support.signing_in import fill_in, sign_in

NUMBER = "510104202112012011"


@pytest.fixture
def desk(town, client):
    class Desk:
        kindergarten = town.kindergarten("锦官新城幼儿园", code="5151040001")
        ana = town.child_on_roll(kindergarten, "安娜娜", id_number=NUMBER)
        lower = town.roll(kindergarten, "lower", 25)
        clerk = town.clerk_of(kindergarten)

    found = Desk()
    town.session.commit()
    sign_in(client, found.clerk.account_id)
    return found


def test_the_roll_shows_classes_and_their_numbers(desk, client):
    page = client.get("/staff/roll")
    assert "2 个班，26 名幼儿" in page.text
    assert client.get("/staff/roll?lang=en").status_code == 200


def test_children_are_masked(desk, client):
    page = client.get(f"/staff/roll/classes/{desk.ana.class_id}")
    assert "安**" in page.text
    assert "5101**********2011" in page.text
    assert "安娜娜" not in page.text
    assert NUMBER not in page.text


def test_long_classes_are_paged(town, desk, client):
    for n in range(55):
        town.child_on_roll(desk.kindergarten, f"幼儿{n}")
    town.session.commit()
    path = f"/staff/roll/classes/{desk.ana.class_id}"
    assert client.get(path).text.count("办理离园") == 50
    assert client.get(f"{path}?page=2").text.count("办理离园") == 6


def test_a_class_is_noted_as_a_number(desk, client):
    path = f"/staff/roll?at={desk.kindergarten.id}&year=2025"
    answer = fill_in(client, "/staff/roll", path, class_name="大一班", level="upper", children="33")
    assert answer.status_code == 303
    assert "3 个班，59 名幼儿" in client.get(answer.headers["Location"]).text
    answer = fill_in(client, "/staff/roll", path, class_name="中二班", level="middle", children="30")
    assert "不能再只填人数" in answer.text


def test_a_child_enters_and_leaves(town, desk, client):
    path = f"/staff/roll/classes/{desk.ana.class_id}"
    entered = fill_in(client, path, path, name="本本", id_number="", born="2021-05-05", entered_on="2026-03-01")
    assert entered.status_code == 303
    assert "2 名幼儿" in client.get(path).text
    leave = f"/staff/roll/children/{desk.ana.id}/leave"
    assert fill_in(client, leave, None, on="2026-05-01", reason="moved").status_code == 303
    assert "1 名幼儿" in client.get(path).text
    town.session.expire_all()
    assert town.session.get(RollChild, desk.ana.id).leave_reason == "moved"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("id_number", NUMBER, "已在某所幼儿园的名册上"),
        ("id_number", "51010420211201201X", "最后一位对不上"),
        ("name", "", "请填写"),
    ],
)
def test_a_refused_entry_shows_the_reason(desk, client, field, value, words):
    path = f"/staff/roll/classes/{desk.ana.class_id}"
    told = {"name": "本本", "id_number": "", "entered_on": "2026-03-01"} | {field: value}
    assert words in fill_in(client, path, path, **told).text


def test_promotion_is_refused_before_summer(desk, client):
    assert "升班从 2026-07-01 起办理" in client.get("/staff/roll/promote").text


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_class_numbers_taken_away_can_come_in_again(town, desk, client, form):
    answer = client.get(f"/staff/roll/export.{form}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    town.session.expire_all()
    with pytest.raises(ImportFaults) as raised:
        importer.compare(town.session, "roll", answer.data, by=town.area_official(), now=town.now, year=2026)
    assert [fault.code for fault in raised.value.faults] == ["class_has_children"]


def test_the_list_of_children_is_masked_and_cannot_come_in_again(town, desk, client):
    answer = client.get("/staff/roll/export.xlsx?what=children")
    rows = python_calamine.load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[1][2:4] == ["安**", "5101**********2011"]
    with pytest.raises(ImportFaults):
        importer.compare(town.session, "roll", answer.data, by=town.area_official(), now=town.now, year=2026)


def test_a_name_that_is_a_formula_stays_a_name(town, desk, client):
    town.roll(desk.kindergarten, "upper", 30, name="=1+1")
    town.session.commit()
    assert "'=1+1" in client.get("/staff/roll/export.csv").data.decode("utf-8-sig")


def test_another_kindergartens_roll_is_not_found(town, desk, client):
    other = town.kindergarten("别处", area="510105")
    ben = town.child_on_roll(other, "本本")
    town.session.commit()
    for path in (
        f"/staff/roll?at={other.id}", f"/staff/roll/classes/{ben.class_id}", f"/staff/roll/children/{ben.id}/leave",
        f"/staff/roll/promote?at={other.id}", f"/staff/roll/export.csv?at={other.id}",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
