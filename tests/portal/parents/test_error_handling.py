"""Double click, back button, stale tab, expired session, wrong file, large photo, passed deadline: a clear message, nothing lost."""

import datetime as dt
import io
import os

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from enrollment.applications.applications import Application, ApplicationVersion
from enrollment.eligibility import evidence, households
from enrollment.ground.files.upload_limits import LIMITS
from enrollment.ground.sign_in import WebSession
from enrollment.people.person_rows import Child
from tests.portal.parents.desk import errors, hidden, page, summary, value_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_families import id_number

BORN = dt.date(2023, 3, 12)


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=2)
    town.open_registration()
    return found


@prepared
def draft(client, town, garden):
    """A complete draft whose guardian is signed in."""
    application = town.child("安娜", wishes=[garden], submit=False)
    sign_in(client, application.entered_by)
    return application


def address(application, page_name: str) -> str:
    return f"/parents/applications/{application.id}/{page_name}"


def household_of(town, application):
    town.session.expire_all()
    return households.household_of(town.session, application.id)


HOME = {"hukou_kind": "local", "hukou_area": "510104", "home_area": "510104"}


@pytest.mark.parametrize(
    ("fields", "beside"),
    [
        ({"name": ""}, {"name": "请填写姓名。"}),
        ({"relation": ""}, {"relation": "请选择您与孩子的关系。"}),
        ({"id_number": ""}, {"id_number": "请填写证件号码。"}),
        ({"id_number": "51010420230312"}, {"id_number": "身份证号是 18 位，现在是 14 位。请对照户口簿检查。"}),
        ({"id_number": id_number(dt.date(2010, 1, 1))}, {"id_number": "孩子 2010年1月1日 出生"}),
        (
            {"id_kind": "passport", "id_number": "E12345678"},
            {"born": "请填写出生日期。", "sex": "请选择孩子的性别。"},
        ),
        ({"id_kind": "passport", "id_number": "E12345678", "born": "2023-03-12"}, {"sex": "请选择孩子的性别。"}),
        ({"id_kind": "passport", "id_number": "E12345678", "born": "soon"}, {"born": "请写成 2023-03-12 这样的日期。"}),
    ],
)
def test_what_is_wrong_with_a_child_stands_beside_its_field_and_nothing_is_lost(client, town, garden, fields, beside):
    sign_in(client, town.family("李").account)
    good = {"name": "李沐晨", "relation": "mother", "id_kind": "resident", "id_number": id_number(BORN)}
    answer = fill_in(client, "/parents/children/new", **(good | fields))
    assert answer.status_code == 200
    for field, text in beside.items():
        assert text in errors(answer)[field]
    for name, typed in (good | fields).items():
        assert (value_of(answer, name) or "") == typed
    assert town.session.scalar(select(func.count()).select_from(Child)) == 0


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", ("中班今年没有网上登记，要插班请直接问想去的幼儿园，或", "没有保存草稿")),
        ("en", ("There is no online registration for it this year", "No draft was saved")),
    ],
)
def test_fam14_a_level_without_registration_is_told_at_the_childs_page(client, town, garden, language, told):
    sign_in(client, town.family("李").account)
    client.get(f"/parents/children/new?lang={language}", follow_redirects=True)
    middle = {"id_kind": "resident", "id_number": id_number(dt.date(2022, 6, 1))}
    answer = fill_in(client, "/parents/children/new", name="李沐晨", relation="mother", **middle)
    assert answer.status_code == 200 and all(text in errors(answer)["id_number"] for text in told)
    assert town.session.scalar(select(func.count()).select_from(Child)) == 0


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    ("page_name", "fields", "field"),
    [
        ("household", {"hukou_kind": ""}, "hukou_kind"),
        ("household", HOME | {"hukou_area": ""}, "hukou_area"),
        ("household", HOME | {"home_area": ""}, "home_area"),
        ("household", HOME | {"hukou_since": "2030-01-01"}, "hukou_since"),
        ("household", HOME | {"hukou_since": "spring"}, "hukou_since"),
        ("grounds", {"elder_sibling": "y", "elder_sibling_detail": ""}, "elder_sibling_detail"),
        ("grounds", {"elder_sibling": "y", "elder_sibling_detail": "没有的园"}, "elder_sibling_detail"),
        ("grounds", {"policy_care": "y"}, "policy_care_detail"),
        ("check", {}, "true"),
        ("invite", {"phone": "12"}, "phone"),
    ],
)
def test_every_fault_stands_beside_its_field_in_both_languages(client, draft, language, page_name, fields, field):
    client.set_cookie("lang", language, domain="localhost")
    answer = fill_in(client, address(draft, page_name), **fields)
    assert answer.status_code == 200
    assert field in errors(answer)


def test_several_kindergartens_of_one_name_are_named(client, town):
    town.kindergarten("第一幼儿园东区", places=2)
    town.kindergarten("第一幼儿园西区", places=2)
    draft = town.child("安娜", submit=False)
    town.open_registration()
    sign_in(client, draft.entered_by)
    answer = fill_in(client, address(draft, "grounds"), elder_sibling="y", elder_sibling_detail="第一幼儿园")
    assert "第一幼儿园东区、第一幼儿园西区" in errors(answer)["elder_sibling_detail"]


def test_consent_has_to_be_ticked(client, town, garden):
    from enrollment.ground import sign_in as doors

    sign_in(client, doors.account_of_phone(town.session, "13712345678", now=town.now))
    answer = fill_in(client, "/parents/consent")
    assert "请先阅读并同意" in errors(answer)["consent"]
    assert client.get("/parents/children/new").status_code == 303


def test_F2_a_child_of_another_account_is_refused_neutrally_with_a_way_on(client, town, garden):
    number = id_number(BORN)
    town.child("安娜", number=number, wishes=[garden])
    sign_in(client, town.family("赵").account)
    good = {"name": "随便", "relation": "father", "id_kind": "resident", "id_number": number}
    answer = fill_in(client, "/parents/children/new", **good)
    assert "暂时不能由您登记" in errors(answer)["id_number"]
    assert "安娜" not in answer.text
    assert "/parents/dispute" in {link["href"] for link in page(answer).select(".card.warn a")}
    answer = fill_in(
        client, "/parents/dispute", child_name="安娜", id_kind="resident", id_number=number, text="由我抚养"
    )
    assert answer.status_code == 303
    assert "监护人争议" in client.get("/parents").text


def test_a_double_click_hands_in_once(client, town, draft):
    path = address(draft, "check")
    form = hidden(client.get(path)) | {"true": "y"}
    first, second = client.post(path, data=form), client.post(path, data=form)
    assert first.headers["Location"] == second.headers["Location"] == address(draft, "receipts/1")
    assert town.session.scalar(select(func.count()).select_from(ApplicationVersion)) == 1


def test_a_double_click_enters_a_child_once(client, town, garden):
    sign_in(client, town.family("李").account)
    form = hidden(client.get("/parents/children/new"))
    form |= {"name": "李沐晨", "relation": "mother", "id_kind": "resident", "id_number": id_number(BORN)}
    answers = [client.post("/parents/children/new", data=form) for _ in range(2)]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert town.session.scalar(select(func.count()).select_from(Application)) == 1


def test_the_back_button_after_handing_in_shows_the_same_receipt(client, town, draft):
    path = address(draft, "check")
    first = fill_in(client, path, true="y")
    old_page = {"version": str(draft.version), "true": "y"}
    fresh_tokens = hidden(client.get(address(draft, "withdraw")))
    again = client.post(path, data=fresh_tokens | old_page)
    assert again.headers["Location"] == first.headers["Location"]
    assert "已经提交过" in client.get(again.headers["Location"]).text


@pytest.mark.parametrize("page_name", ["household", "grounds", "check"])
def test_the_deadline_that_passes_while_typing_is_said_and_the_text_stays(client, town, draft, frozen_clock, page_name):
    path = address(draft, page_name)
    form = hidden(client.get(path))
    typed = {
        "household": HOME | {"home_street": "牛市口街道"},
        "grounds": {"multi_child": "y", "multi_child_detail": "2"},
        "check": {"true": "y"},
    }[page_name]
    frozen_clock.set(town.the_round.closes_at)
    answer = client.post(path, data=form | typed)
    assert answer.status_code == 409
    shown = page(answer)
    assert "登记已于 5 月 29 日 18:00 截止，这次修改没有保存" in shown.get_text()
    assert not shown.select("main form"), "no button that refuses again"
    for name, value in typed.items():
        if value != "y" and not name.endswith(("_area", "_kind")):
            assert value in shown.get_text(), name
    assert household_of(town, draft).home_street == "三圣街道"
    town.session.expire_all()
    assert draft.stage == "draft"


def test_wishes_after_the_deadline_say_so(client, town, draft, frozen_clock):
    path = address(draft, "wishes")
    form = hidden(client.get(path)) | {"act": "remove:0"}
    frozen_clock.set(town.the_round.closes_at)
    answer = client.post(path, data=form)
    assert answer.status_code == 409 and "这次修改没有保存" in answer.text
    assert "登记已经截止，志愿不能再改" in client.get(path).text


def test_a_session_that_ended_while_typing_gives_the_text_back(client, town, draft):
    path = address(draft, "household")
    form = hidden(client.get(path)) | HOME | {"home_street": "牛市口街道"}
    town.session.execute(update(WebSession).values(expires_at=WebSession.created_at))
    town.session.commit()
    answer = client.post(path, data=form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=")
    client.get(answer.headers["Location"])
    from enrollment.ground.accounts import Account
    from tests.portal.web.test_signing_in import newest_code

    phone = town.session.get(Account, draft.entered_by).phone
    fill_in(client, answer.headers["Location"], action="/sign-in", phone=phone)
    back = fill_in(client, "/sign-in/code", code=newest_code(town.session))
    assert back.headers["Location"] == path
    shown = client.get(path)
    assert value_of(shown, "home_street") == "牛市口街道"
    assert "刚才填写的内容还在" in shown.text
    assert client.post(path, data=hidden(shown) | HOME | {"home_street": "牛市口街道"}).status_code == 303


def upload(client, application, content, name="photo.jpg"):
    paper = {"document": "hukou_booklet", "pages": (io.BytesIO(content), name)}
    return fill_in(client, address(application, "evidence"), **paper)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"MZ\x90\x00 this is a program", "只能上传照片"),
        (b"<html><script>alert(1)</script>", "只能上传照片"),
        (b"", "空的"),
        (b"\xff\xd8\xff\xe0 torn", "打不开"),
    ],
)
def test_a_wrong_file_is_refused_beside_its_field(client, draft, content, text):
    answer = upload(client, draft, content)
    assert answer.status_code == 200
    assert text in errors(answer)["pages-hukou_booklet"]


def test_no_file_at_all_is_asked_for(client, draft):
    answer = fill_in(client, address(draft, "evidence"), document="hukou_booklet")
    assert "请选择" in errors(answer)["pages-hukou_booklet"]


def test_a_photo_of_20_MB_is_taken_and_made_small(client, town, draft):
    file = io.BytesIO()
    picture = Image.frombytes("RGB", (2600, 2600), os.urandom(2600 * 2600 * 3))
    picture.save(file, "PNG", compress_level=0)
    assert 20_000_000 < len(file.getvalue()) < LIMITS["photo"].largest
    assert upload(client, draft, file.getvalue()).status_code == 303
    (kept,) = evidence.pages_of(town.session, draft.id)["hukou_booklet"]
    assert kept.size < 3_000_000


def test_fam28_a_photo_of_21_MB_is_refused_with_its_size(client, town, draft):
    answer = upload(client, draft, b"\xff\xd8\xff\xe0" + bytes(21_000_000 - 4))
    assert "文件有 21 MB，最大 20 MB" in errors(answer)["pages-hukou_booklet"]
    assert evidence.pages_of(town.session, draft.id) == {}


def test_an_own_page_is_a_download_in_a_sandbox_and_can_be_removed_and_put_back(client, town, draft):
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "JPEG")
    upload(client, draft, file.getvalue())
    (kept,) = evidence.pages_of(town.session, draft.id)["hukou_booklet"]
    path = address(draft, f"evidence/{kept.id}")
    answer = client.get(path)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for act, left in (("remove", {}), ("restore", {"hukou_booklet": [kept.id]})):
        shown = page(client.get(address(draft, "evidence")))
        form = shown.select_one(f"form[action='{path}/{act}']")
        data = {field["name"]: field["value"] for field in form.select("input")}
        assert client.post(f"{path}/{act}", data=data).status_code == 303
        town.session.expire_all()
        there = evidence.pages_of(town.session, draft.id)
        assert {name: [each.id for each in pages] for name, pages in there.items()} == left


@pytest.mark.parametrize(
    "page_name",
    [
        "child",
        "household",
        "grounds",
        "evidence",
        "wishes",
        "wishes/add",
        "together",
        "check",
        "tasks",
        "withdraw",
        "invite",
        "receipts/1",
    ],
)
def test_anybody_elses_application_is_not_found(client, town, garden, page_name):
    ana = town.child("安娜", wishes=[garden])
    sign_in(client, town.family("赵").account)
    assert client.get(address(ana, page_name)).status_code == 404
    assert client.get(f"/parents/applications/{ana.id}").status_code == 404


def test_an_invitation_to_another_phone_is_not_found(client, town, garden):
    from enrollment.people import invitations

    ana = town.child("安娜")
    made = invitations.invite(town.session, ana.child_id, "13900000000", by=town.parent_of(ana), now=town.now)
    sign_in(client, town.family("赵").account)
    assert client.get(f"/parents/invitations/{made.id}").status_code == 404


def test_an_application_on_hold_says_why_it_cannot_be_changed(client, town, draft):
    draft.on_hold = True
    town.session.commit()
    answer = fill_in(client, address(draft, "household"), **HOME)
    assert answer.status_code == 409 and "由区教育局核实" in answer.text


def test_before_registration_opens_everything_but_the_wishes_can_be_filled_in(client, town, frozen_clock):
    frozen_clock.set(dt.datetime(2026, 5, 20, 9, tzinfo=town.now.tzinfo))
    town.now = frozen_clock.now
    town.kindergarten("金苹果", places=2)
    draft = town.child("安娜")
    sign_in(client, draft.entered_by)
    assert fill_in(client, address(draft, "household"), **HOME).status_code == 303
    assert "登记 5月21日 09:00 开始" in client.get(address(draft, "wishes")).text
    answer = fill_in(client, address(draft, "check"), true="y")
    assert "登记 5 月 21 日 09:00 开始" in summary(answer)[0]


def test_every_ground_without_its_detail_is_told_at_once(client, draft):
    answer = fill_in(client, address(draft, "grounds"), multi_child="y", elder_sibling="y")
    assert set(errors(answer)) == {"multi_child_detail", "elder_sibling_detail"}


def test_the_same_picture_again_is_said_to_be_the_same(client, town, draft):
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "JPEG")
    upload(client, draft, file.getvalue())
    assert "已保存 1 页" in client.get(address(draft, "evidence")).text
    upload(client, draft, file.getvalue())
    told = client.get(address(draft, "evidence")).text
    assert "有 1 张与已有的照片完全相同" in told and "已保存" not in told
    assert len(evidence.pages_of(town.session, draft.id)["hukou_booklet"]) == 1


def test_a_consent_is_given_by_hand_and_a_missing_paper_is_told_after_handing_in(client, town, draft):
    path = address(draft, "check")
    assert page(client.get(path)).select_one("[name=agrees_to_central]").get("checked") is None
    receipt = client.post(path, data=hidden(client.get(path)) | {"true": "y"}).headers["Location"]
    town.session.expire_all()
    assert not draft.agrees_to_central
    for told, where in ((client.get(receipt), "section.card.warn"), (client.get("/parents"), "section.home-act")):
        assert "户口簿" in page(told).select_one(where).get_text()
