"""The roll on the staff desk: classes, masked children, leaving, moving up, taking away."""

import datetime as dt
import io

import pytest
import python_calamine
from bs4 import BeautifulSoup

from enrollment.places import roll
from enrollment.places.imports import importer
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes import classes, moves, transfers
from portal.text.formats import day
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

NUMBER = "510104202112012011"


@prepared
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
    assert "<title>26 名幼儿，2 个班" in page.text
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


def test_stf06_a_class_is_opened_and_its_number_is_an_entry(town, desk, client):
    path = f"/staff/roll?at={desk.kindergarten.id}&year=2025"
    told = {"class_name": "大 一班", "level": "upper", "kept_as": "count"}
    there = fill_in(client, "/staff/roll", path, **told).headers["Location"]
    number = {"children": "33", "day": "2026-05-01", "reason": "按点名表"}
    assert fill_in(client, there, f"{there}/count", **number).status_code == 303
    assert "3 个班" in client.get(path).text
    assert "59" in client.get(path).text
    assert "已有同名的班" in fill_in(client, "/staff/roll", path, **told).text, "and what was typed is kept"
    answer = fill_in(client, there, f"{there}/count", children="50", day="2026-05-02", reason="并入")
    page = client.get(answer.headers["Location"]).text
    assert "等第二人确认" in page
    assert "33 名幼儿，只登记人数" in page
    sign_in(client, town.head_of(desk.kindergarten).account_id)
    number = client.get(there).text.split("/staff/roll/counts/")[1].split('"')[0]
    assert fill_in(client, there, f"/staff/roll/counts/{number}", act="agree").status_code == 303
    assert "50 名幼儿，只登记人数" in client.get(there).text


def test_stf06_a_class_is_renamed_and_closed_at_the_desk(town, desk, client):
    path = f"/staff/roll/classes/{desk.ana.class_id}"
    renamed = {"rename-class_name": "向日葵班", "rename-reason": "家长投票"}
    assert fill_in(client, path, f"{path}/rename", **renamed).status_code == 303
    assert "向日葵班" in client.get("/staff/roll/movements").text
    refused = fill_in(client, path, f"{path}/close", **{"close-reason": "撤班"})
    assert "班里还有 1 名幼儿" in refused.text


def test_stf08_a_child_changes_class_and_a_leaving_is_taken_back(town, desk, client):
    town.child_on_roll(desk.kindergarten, "本本", class_name="中三班")
    town.session.commit()
    path = f"/staff/roll/children/{desk.ana.id}/class"
    other = client.get(path).text.split('<option value="')[1].split('"')[0]
    assert fill_in(client, path, None, to_class=other, day="2026-05-20").status_code == 303
    moved = f"/staff/roll/classes/{other}"
    assert "2 名幼儿" in client.get(moved).text
    child = client.get(moved).text.split("/staff/roll/children/")[1].split("/")[0]
    leave = f"/staff/roll/children/{child}/leave"
    assert fill_in(client, leave, None, on="2026-05-21", reason="illness").status_code == 303
    page = client.get(moved).text
    assert "因病" in page
    gone = page.split("/undo-leave")[0].split("/")[-1]
    assert fill_in(client, moved, f"/staff/roll/children/{gone}/undo-leave").status_code == 303
    assert "2 名幼儿" in client.get(moved).text


def test_the_page_of_a_class_shows_when_the_child_entered_the_kindergarten(town, desk, client):
    entered = desk.ana.entered_on
    alike = town.session.get_one(RollClass, desk.ana.class_id)
    by = {"by": desk.clerk, "now": town.now}
    told = {"name": "新二班", "level": alike.level, "school_year": alike.school_year, "kept_as": "rows"}
    there = classes.open_class(town.session, desk.kindergarten.id, **told, **by)
    moves.change_class(town.session, desk.ana.id, there.id, day=town.now.date(), **by)
    town.session.commit()
    page = BeautifulSoup(client.get(f"/staff/roll/classes/{there.id}").text, "lxml")
    assert page.select_one('td[data-label="入园"]').text.strip() == day(entered, True)


def test_a_class_without_another_to_merge_into_says_why(town, desk, client):
    path = f"/staff/roll/classes/{desk.ana.class_id}"
    assert "没有可以并入的班" in client.get(path).text
    assert "There is no class to merge into" in client.get(f"{path}?lang=en").text
    client.get(f"{path}?lang=zh")
    alike = town.session.get_one(RollClass, desk.ana.class_id)
    told = {"name": "新二班", "level": alike.level, "school_year": alike.school_year, "kept_as": "rows"}
    classes.open_class(town.session, desk.kindergarten.id, **told, by=desk.clerk, now=town.now)
    town.session.commit()
    page = client.get(path).text
    assert "没有可以并入的班" not in page
    assert "新二班" in page


def test_stf08_a_transfer_is_agreed_by_both_sides(town, desk, client):
    """Asked from the child's kindergarten: due in ten working days, and on one roll on each day."""
    other = town.kindergarten("别处", area="510105", code="5151050001")
    town.child_on_roll(other, "本本", class_name="中一班")
    town.session.commit()
    path = f"/staff/roll/children/{desk.ana.id}/transfer"
    asked = {"to_code": "5151050001", "moves_on": "2026-06-01", "reason": "搬家"}
    assert fill_in(client, path, None, **asked).status_code == 303
    assert "已有一件转园在办" in fill_in(client, path, None, **asked).text
    assert "等对方同意" in client.get("/staff/roll").text
    sign_in(client, town.clerk_of(other).account_id)
    page = client.get("/staff/roll/transfers").text
    assert "6月5日" in page
    assert "安**" in page
    line = "/staff/roll/transfers/" + page.split("/staff/roll/transfers/")[1].split('"')[0]
    there = client.get(line).text.split('<option value="')[1].split('"')[0]
    assert fill_in(client, line, f"{line}/agree", to_class=there).status_code == 303
    town.session.expire_all()
    rows = town.session.query(RollChild).filter_by(id_index=desk.ana.id_index).order_by(RollChild.entered_on).all()
    assert [(str(row.entered_on), str(row.left_on)) for row in rows] == [
        ("2025-09-01", "2026-06-01"), ("2026-06-01", "None"),
    ]  # fmt: skip
    assert "已转" in client.get(line).text


def test_stf08_the_taking_side_asks_and_learns_nothing(town, desk, client):
    other = town.kindergarten("别处", area="510105", code="5151050001")
    town.child_on_roll(other, "本本", class_name="中一班")
    town.session.commit()
    sign_in(client, town.clerk_of(other).account_id)
    path = "/staff/roll/transfers"
    there = client.get(path).text.split('<option value="')[1].split('"')[0]
    asked = {"id_number": NUMBER, "to_class": there, "moves_on": "2026-06-01", "reason": "搬家"}
    assert "没有找到这名在园幼儿" in fill_in(client, path, None, name="安娜", **asked).text
    assert fill_in(client, path, None, name="安娜娜", **asked).status_code == 303
    assert "锦官新城" not in client.get(path).text


def test_a_transfer_in_september_is_offered_the_classes_of_september(town, desk, client, frozen_clock):
    other = town.kindergarten("别处", area="510105", code="5151050001")
    town.now = dt.datetime(2026, 7, 15, 9, tzinfo=town.now.tzinfo)
    frozen_clock.set(town.now)
    clerk = town.clerk_of(other)
    for year, name, level in ((2025, "中一班", "middle"), (2026, "大一班", "upper")):
        told = {"name": name, "level": level, "school_year": year, "kept_as": "rows"}
        classes.open_class(town.session, other.id, **told, by=clerk, now=town.now)
    day = dt.date(2026, 9, 5)
    asked = transfers.ask_to_leave(
        town.session, desk.ana.id, to_code=other.code, moves_on=day, due_on=day, reason="搬家", by=desk.clerk,
        now=town.now,
    )  # fmt: skip
    town.session.commit()
    sign_in(client, clerk.account_id)

    def offered(path):
        return [each.text for each in BeautifulSoup(client.get(path).text, "lxml").select("select option")]

    assert offered("/staff/roll/transfers") == ["中一班（0 人）", "大一班 · 2026 学年（0 人）"]
    line = f"/staff/roll/transfers/{asked.id}"
    assert offered(line) == ["大一班 · 2026 学年（0 人）"]
    old = roll.class_of_name(town.session, other.id, 2025, "中一班")
    refused = fill_in(client, line, f"{line}/agree", to_class=str(old.id)).text
    assert "转园日期是 2026年9月5日，要进 2026 学年的班" in refused


def test_a_child_enters_and_leaves(town, desk, client):
    path = f"/staff/roll/classes/{desk.ana.class_id}"
    entered = fill_in(client, path, path, name="本本", id_number="", born="2021-05-05", entered_on="2026-03-01")
    assert entered.status_code == 303
    assert "2 名幼儿" in client.get(path).text
    leave = f"/staff/roll/children/{desk.ana.id}/leave"
    told = client.get(leave).text
    assert day(desk.ana.born, True) in told and (desk.ana.id_number is None or desk.ana.id_number[-4:] in told), (
        "a class has several 李*"
    )
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
    assert "从2026年7月1日起可以在这里预览和确认" in client.get("/staff/roll/promote").text


def test_the_roll_of_september_names_the_children_who_were_not_moved_up(town, desk, client, frozen_clock):
    """Its own sheet is for the next summer: without this line nobody finds the one of this year any more."""
    frozen_clock.set(dt.datetime(2026, 9, 10, 9, tzinfo=town.now.tzinfo))
    sign_in(client, desk.clerk.account_id)
    warned = "2025 学年的 26 名幼儿还没有升班或毕业"
    page = client.get("/staff/roll")
    assert warned in page.text
    [sheet] = BeautifulSoup(page.text, "lxml").select(".says.warn a")
    assert sheet["href"].endswith("year=2025")
    assert warned not in client.get("/staff/roll?year=2025").text
    assert fill_in(client, sheet["href"], f"/staff/roll/promote?at={desk.kindergarten.id}&year=2025").status_code == 303
    assert warned not in client.get("/staff/roll").text


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
