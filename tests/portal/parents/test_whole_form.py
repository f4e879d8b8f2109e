"""A new family fills in all pages up to the receipt, and changes its answers later."""

import datetime as dt
import io
import json
import zipfile

from PIL import Image
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.ground import sign_in as doors
from tests.portal.parents.desk import page
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_families import id_number


@prepared
def places(town):
    garden = town.kindergarten("锦江区机关第一幼儿园", places=2)
    park = town.kindergarten("锦官新城幼儿园", places=2)
    town.open_registration()
    return garden, park


def application_of(town) -> Application:
    town.session.expire_all()
    return town.session.scalars(select(Application)).one()


def photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200), "beige").save(file, "JPEG")
    return file.getvalue()


def go_on(answer, client):
    """Follow a redirect; the path of the next page."""
    assert answer.status_code == 303, page(answer).select_one(".govuk-error-summary")
    return answer.headers["Location"]


def test_from_sign_in_to_the_receipt(client, town, places):
    garden, park = places
    account = doors.account_of_phone(town.session, "13712345678", now=town.now)
    sign_in(client, account)
    beginning = page(client.get("/parents"))
    assert beginning.select_one(".sticky .btn").get_text(strip=True) == "继续：个人信息同意书"
    assert go_on(fill_in(client, "/parents/consent", consent="y"), client) == "/parents/guardian"
    mine = {"name": "李建国", "id_kind": "resident", "id_number": id_number(dt.date(1990, 5, 4), "m")}
    assert go_on(fill_in(client, "/parents/guardian", **mine), client) == "/parents/children/new"
    child = {"name": "李沐晨", "relation": "father", "id_kind": "resident"}
    number = id_number(dt.date(2023, 3, 12))
    next_page = go_on(fill_in(client, "/parents/children/new", **child, id_number=number), client)
    application = application_of(town)
    start = f"/parents/applications/{application.id}"
    assert next_page == f"{start}/household"
    assert "2023年3月12日出生，适龄小班。" in client.get(next_page).text
    home = {"hukou_kind": "local", "hukou_area": "510104", "home_area": "510104", "home_street": "三圣街道"}
    assert go_on(fill_in(client, next_page, **home), client) == f"{start}/grounds"
    claims = {
        "elder_sibling": "y",
        "elder_sibling_detail": "机关第一",
        "elder_name": "李沐春",
        "elder_born": "2020-03-12",
    }
    assert go_on(fill_in(client, f"{start}/grounds", **claims), client) == f"{start}/evidence"
    paper = {"document": "hukou_booklet", "pages": (io.BytesIO(photo()), "photo.jpg")}
    assert go_on(fill_in(client, f"{start}/evidence", **paper), client) == f"{start}/evidence#paper-hukou_booklet"
    add_wish(client, f"{start}/wishes/add", garden)
    add_wish(client, f"{start}/wishes/add", park)
    assert go_on(press(client, f"{start}/wishes", "up:1"), client) == f"{start}/wishes"
    assert go_on(press(client, f"{start}/wishes", "next"), client) == f"{start}/check"
    checked = client.get(f"{start}/check").text
    assert all(text in checked for text in ("李沐晨", "锦江区机关第一幼儿园", "三圣街道"))
    assert number not in checked
    receipt = go_on(fill_in(client, f"{start}/check", true="y", agrees_to_central="y"), client)
    assert receipt == f"{start}/receipts/1"
    code = application_of(town).registration_code
    shown = client.get(receipt).text
    assert code in shown
    assert shown.index("锦官新城幼儿园") < shown.index("锦江区机关第一幼儿园")
    timeline = client.get("/parents").text
    assert code in timeline
    assert "资格审核" in timeline


def add_wish(client, path, kindergarten):
    found = page(client.get(path, query_string={"q": kindergarten.name}))
    form = found.select_one(".finds form")
    hidden = {field["name"]: field["value"] for field in form.select("input")}
    assert client.post(path, data=hidden).status_code == 303


def press(client, path, act):
    form = page(client.get(path)).select_one("#wishes-form")
    hidden = [(field["name"], field["value"]) for field in form.select("input[type=hidden]")]
    data = {}
    for name, value in [*hidden, ("act", act)]:
        data.setdefault(name, []).append(value)
    return client.post(path, data=data)


def test_F11_an_edit_gives_a_receipt_that_names_what_changed(client, town, places):
    ana = town.child("安娜", wishes=[places[0]])
    sign_in(client, ana.entered_by)
    start = f"/parents/applications/{ana.id}"
    answer = fill_in(
        client,
        f"{start}/household",
        hukou_kind="local",
        hukou_area="510104",
        hukou_street="三圣街道",
        home_area="510104",
        home_street="牛市口街道",
        home_address="三圣街道 8 号（模拟数据）",
    )
    assert answer.headers["Location"] == f"{start}/receipts/2"
    told = page(client.get(f"{start}/receipts/2"))
    assert told.h1.get_text(strip=True) == "修改回执"
    assert [line.get_text(strip=True) for line in told.select("main .fixed ul li")] == ["户籍与住址：居住街道"]


def test_saving_without_a_change_makes_no_receipt(client, town, places, frozen_clock):
    ana = town.child("安娜", wishes=[places[0]])
    frozen_clock.move(minutes=1)
    sign_in(client, ana.entered_by)
    start = f"/parents/applications/{ana.id}"
    answer = fill_in(client, f"{start}/grounds")
    assert answer.headers["Location"] == start
    assert "没有新的改动" in client.get(start).text


def test_each_button_of_the_wishes_says_that_the_change_counts(client, town, places, frozen_clock):
    ana = town.child("安娜", wishes=places)
    frozen_clock.move(minutes=1)
    sign_in(client, ana.entered_by)
    start = f"/parents/applications/{ana.id}"
    press(client, f"{start}/wishes", "up:1")
    assert "修改已生效，这是第 2 版" in client.get(f"{start}/wishes").text
    frozen_clock.move(minutes=1)
    press(client, f"{start}/wishes", "next")
    assert "现在有效的是第 2 版" in client.get(start).text
    states = page(client.get(f"{start}/tasks")).select("ul.tasks li")
    assert "已完成" in states[-1].get_text()


def test_withdrawing_asks_once_more_and_can_be_undone(client, town, places):
    ana = town.child("安娜", wishes=[places[0]])
    sign_in(client, ana.entered_by)
    start = f"/parents/applications/{ana.id}"
    assert fill_in(client, f"{start}/withdraw").headers["Location"] == start
    code = ana.registration_code
    assert client.post(f"{start}/again", data=again_form(client, start)).status_code == 303
    fresh = application_of(town)
    assert (fresh.stage, fresh.registration_code) == ("draft", code)


def again_form(client, start):
    form = page(client.get(start)).select_one(f"form[action='{start}/again']")
    return {field["name"]: field["value"] for field in form.select("input")}


def test_twins_choose_to_be_bound_on_one_page(client, town, places):
    ana, ben = town.twins("安娜", "本", bound=False, wishes=[places[0]], submit=False)
    sign_in(client, ana.entered_by)
    path = f"/parents/applications/{ana.id}/together"
    assert "只剩 1 个学位" in client.get(path).text
    assert fill_in(client, path, together="bound", elder="").status_code == 303
    town.session.expire_all()
    assert ana.unit == ben.unit is not None
    fill_in(client, path, together="separate", elder="")
    town.session.expire_all()
    assert ana.unit is ben.unit is None


def test_a_bound_twin_that_is_not_handed_in_is_named_on_the_receipt(client, town, places):
    ana, ben = town.twins("安娜", "本", wishes=[places[0]], submit=False)
    town.submit(ana)
    sign_in(client, ana.entered_by)
    told = page(client.get(f"/parents/applications/{ana.id}/receipts/1"))
    assert told.select_one(".says.stop a")["href"] == f"/parents/applications/{ben.id}/check"


def test_the_other_guardian_is_invited_and_shares_the_application(client, another_client, town, places):
    ana, father = town.child("安娜", wishes=[places[0]]), town.family("王")
    sign_in(client, ana.entered_by)
    fill_in(client, f"/parents/applications/{ana.id}/invite", phone=father.phone)
    other = sign_in(another_client(), father.account)
    invitation = page(other.get("/parents")).select_one(".card.now a")["href"]
    assert fill_in(other, invitation, relation="father").status_code == 303
    assert "安娜" in other.get("/parents").text


def test_a_family_takes_everything_that_is_held_about_it(client, town, places, portal_engine, frozen_clock):
    ana = town.child("安娜", wishes=[places[0]])
    sign_in(client, ana.entered_by)
    start = f"/parents/applications/{ana.id}"
    paper = {"document": "hukou_booklet", "pages": (io.BytesIO(photo()), "photo.jpg")}
    fill_in(client, f"{start}/evidence", **paper)
    asked = fill_in(client, "/parents/data", action="/parents/data/download")
    packed = drawn_letter(client, portal_engine, frozen_clock, asked.headers["Location"])
    archive = zipfile.ZipFile(io.BytesIO(packed.data))
    plain = json.loads(archive.read("data.json"))
    assert plain["applications"][0]["answers"]["child"]["name"] == "安娜"
    assert any(name.endswith("hukou_booklet-1.webp") for name in archive.namelist())


def test_a_message_is_new_once(client, town, places):
    ana = town.child("安娜", wishes=[places[0]])
    sign_in(client, ana.entered_by)
    assert "消息 1" in client.get("/parents").text
    assert ana.registration_code in client.get("/parents/messages").text
    assert "消息 1" not in client.get("/parents").text


def test_consent_is_taken_back_with_every_application(client, town, places):
    ana = town.child("安娜", wishes=[places[0]])
    sign_in(client, ana.entered_by)
    assert fill_in(client, "/parents/consent/withdraw").headers["Location"] == "/parents/data"
    town.session.expire_all()
    assert ana.stage == "withdrawn"
    assert client.get("/parents/children/new").headers["Location"] == "/parents/consent"


def test_a_guardian_who_corrects_the_name_gets_a_receipt_and_the_deadline_holds(client, town, places, frozen_clock):
    ana = town.child("安娜", wishes=[places[0]])
    sign_in(client, ana.entered_by)
    frozen_clock.move(minutes=1)
    assert fill_in(client, "/parents/guardian", name="李建国", id_kind="resident").status_code == 303
    told = client.get(f"/parents/applications/{ana.id}/receipts/2")
    assert [line.get_text(strip=True) for line in page(told).select("main .fixed ul li")] == ["监护人"]
    frozen_clock.set(town.the_round.closes_at)
    late = fill_in(client, "/parents/guardian", name="李建军", id_kind="resident")
    assert late.status_code == 409
    assert "没有保存" in late.text and "李建军" in late.text


def test_a_family_with_a_child_is_not_led_to_enter_another(client, town, places):
    ana = town.child("安娜", submit=False)
    sign_in(client, ana.entered_by)
    assert fill_in(client, "/parents/consent", consent="y").headers["Location"] == "/parents"
    assert fill_in(client, "/parents/guardian", name="李建国", id_kind="resident").headers["Location"] == "/parents"
