"""The pages of a mandate on paper: what is sent, what a family without a phone is told, and the way to the guardian."""

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.applications import mandates
from enrollment.applications.applications import Application
from enrollment.ground.outbox import Notice
from enrollment.people.household_rows import household_of
from enrollment.review import review
from tests.portal.helpers.helping import LANGUAGES, MOTHERS_NUMBER, PHONE, code_in, enter_the_form, main_of, newest_text
from tests.portal.parents.desk import errors, page
from tests.portal.parents.test_every_page import open_pages
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_helping import photo_of_a_paper


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=5)
    town.open_registration()
    return found


@prepared
def yang(town, garden, client):
    found = town.helper("小杨", "helper1")
    sign_in(client, found.account_id)
    return found


def send_paper(client, **fields):
    good = {"name": "张小三", "phone": PHONE, "signed_on": "2026-05-21", "agreed": "y"}
    photo = (io.BytesIO(photo_of_a_paper()), "paper.jpg")
    return fill_in(client, "/helpers/new/paper", **({"paper": photo} | good | fields))


def test_on_paper_and_taken_over_by_the_guardian(client, another_client, town, yang, garden):
    assert send_paper(client).headers["Location"] == "/parents"
    assert "正在代 张*三 填写" in client.get("/parents").text
    enter_the_form(client, town.session, garden)
    application = town.session.scalars(select(Application)).one()
    guardian = another_client()
    fill_in(guardian, "/sign-in", phone=PHONE)
    fill_in(guardian, "/sign-in/code", code=code_in(newest_text(town.session)))
    beginning = guardian.get("/parents")
    assert application.registration_code not in beginning.text
    assert "小杨" in beginning.text
    paper = page(beginning).select_one(".card.now a")["href"]
    assert "与委托书上的监护人不符" in fill_in(guardian, paper, id_number="51010419900101123X").text
    assert fill_in(guardian, paper, id_number=MOTHERS_NUMBER).headers["Location"] == "/parents"
    assert application.registration_code in guardian.get("/parents").text
    own = page(guardian.get("/parents/account")).select_one('main a[href$="/paper"]')["href"]
    assert guardian.get(own).mimetype == "image/webp"
    sign_in(guardian, town.city_official().account_id)
    trail = page(guardian.get("/officials/2026/audit?person=helper1")).select_one('main a[href$="/paper"]')["href"]
    assert guardian.get(trail).mimetype == "image/webp"
    told = town.session.scalars(select(Notice.kind).where(Notice.child_id == application.child_id)).all()
    assert set(told) == {"application_submitted_by_helper", "application_taken_over"}


def test_the_blank_paper_says_what_is_signed(client, yang, portal_engine, frozen_clock):
    blank = drawn_letter(client, portal_engine, frozen_clock, "/helpers/mandate.pdf")
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(blank.data)).pages)
    for told in ("代办委托书", "小杨", "最长 30 天", "监护人签名", "个人信息同意书"):
        assert told in text, told


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"signed_on": "昨天"}, "signed_on", "请写成 2026-05-21 这样的日期"),
        ({"signed_on": ""}, "signed_on", "请填写委托书上的签名日期"),
        ({"paper": (io.BytesIO(b""), "")}, "paper", "请选择要上传的照片或 PDF"),
        ({"agreed": ""}, "agreed", "请先把委托书"),
        ({"name": ""}, "name", "请填写姓名"),
    ],
)
def test_a_fault_of_the_paper_stands_beside_its_field(client, yang, fields, field, told):
    assert told in errors(send_paper(client, **fields))[field]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_guardian_takes_over_or_rejects_a_paper(client, town, yang, garden, language):
    mandate = town.mandate_on_paper(yang, PHONE, "李")
    family = town.family("李", phone=PHONE)
    sign_in(client, family.account)
    open_pages(client, ["/parents", f"/parents/papers/{mandate.id}", "/parents/account", "/parents/messages"])
    no = fill_in(client, f"/parents/papers/{mandate.id}", action=f"/parents/papers/{mandate.id}/disown")
    assert no.headers["Location"] == "/parents"
    assert client.get(f"/parents/papers/{mandate.id}").status_code == 404
    assert mandates.acting_for(town.session, mandate.id, by=yang, now=town.now) is None


@pytest.mark.parametrize(
    ("language", "promises"),
    [("zh", ("手机尾号", "会收到短信", "会发短信")), ("en", ("texts you", "gets a text message and", "Phone ending"))],
)
def test_a_family_without_a_phone_is_promised_no_text_message(
    client, another_client, town, yang, garden, portal_engine, frozen_clock, language, promises
):
    client.get(f"/helpers?lang={language}")
    assert send_paper(client, phone="").headers["Location"] == "/parents"
    receipt = enter_the_form(client, town.session, garden)
    application = town.session.scalars(select(Application)).one()
    pdf = drawn_letter(client, portal_engine, frozen_clock, f"{receipt}.pdf").data
    paper = "".join(one.extract_text() for one in PdfReader(io.BytesIO(pdf)).pages)
    shown = [main_of(client.get(receipt).text), main_of(client.get("/helpers").text), paper]
    for text in shown:
        assert not [promise for promise in promises if promise in text]
    told = {"zh": "没有手机的家庭", "en": "Families without a phone"}[language]
    assert told in shown[0] and told in " ".join(paper.split())
    guardian = another_client()
    sign_in(guardian, application.entered_for)
    assert "手机号登录" not in main_of(guardian.get("/parents/messages").text)


def test_the_desk_page_says_what_to_tell_a_family_without_a_phone(
    client, another_client, town, yang, garden, frozen_clock, portal_engine
):
    mandate = town.mandate_on_paper(yang, "")
    baby = town.helper_enters(town.acting(yang, mandate), wishes=[garden])
    town.close_registration()
    reviewer = town.reviewer_of(baby)
    review.take(town.session, baby.id, by=reviewer, now=town.now)
    review.send_back(town.session, baby.id, [review.Ask("rental_record", "首页不清楚")], by=reviewer, now=town.now)
    town.session.commit()
    frozen_clock.set(town.now)
    clerk = sign_in(another_client(), reviewer.account_id)
    for language, told, ask in (
        ("zh", "请您家补充申请的 1 项内容", "首页不清楚"),
        ("en", "asks you to complete 1 item", "首页不清楚"),
    ):
        assert told in main_of(clerk.get(f"/staff/desk?lang={language}").text)
        family = main_of(clerk.get(f"/staff/desk/{baby.id}").text)
        assert told in family and ask in family
    page = f"/staff/desk/{baby.id}"
    assert client.get(f"{page}/contact.pdf").status_code in (303, 403), "the helper is no desk"
    household_of(town.session, baby.id).home_address = None
    town.session.commit()
    assert clerk.get(f"{page}/contact.pdf").status_code == 404, "without an address there is no letter"
    household_of(town.session, baby.id).home_address = "1 栋 301"
    town.session.commit()
    assert "contact.pdf" in clerk.get(page).text
    letter = drawn_letter(clerk, portal_engine, frozen_clock, f"{page}/contact.pdf?lang=zh")
    posted = "".join(one.extract_text() for one in PdfReader(io.BytesIO(letter.data)).pages)
    for said in (
        "1 栋 301",
        "收",
        "首页不清楚",
        "请您家补充申请的 1 项内容",
        "期限",
        baby.registration_code,
        garden.name,
    ):
        assert said in posted, said
    assert fill_in(clerk, page, action=f"{page}/contact", way="letter").status_code == 303
    assert clerk.get(f"{page}/contact.pdf").status_code == 404, "nothing is left to tell"
    assert baby.registration_code not in main_of(clerk.get("/staff/desk").text)
