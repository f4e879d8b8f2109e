"""FAM31: a family reads what is held about it, in its language, without codes, and sees who looked."""

import datetime as dt
import io
import json
import re
import time
import zipfile

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.applications.guardian_access import access_codes, desk_access, phone_changes
from enrollment.ground import outbox
from enrollment.ground.errors import Refused
from enrollment.ground.retention import Moment
from enrollment.people.person_rows import Guardian
from enrollment.reports import data_packages
from enrollment.reports.family_records import QUERIES
from enrollment.review import guardian_requests
from enrollment.review.guardian_requests import Paper
from tests.support import viewers
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_helping import photo_of_a_paper
from tests.support.worker import let_the_worker_work


@pytest.fixture
def download(portal_engine, frozen_clock):
    """A function that gives the zip: asked for, packed by the worker, fetched."""

    def fetched(client, language="zh") -> zipfile.ZipFile:
        client.get(f"/parents/data?lang={language}")
        asked = fill_in(client, "/parents/data", action="/parents/data/download")
        answer = drawn_letter(client, portal_engine, frozen_clock, asked.headers["Location"])
        assert answer.mimetype == "application/zip", answer.text
        return zipfile.ZipFile(io.BytesIO(answer.data))

    return fetched


def document(archive: zipfile.ZipFile) -> BeautifulSoup:
    name = next(name for name in archive.namelist() if name.endswith(".html"))
    return BeautifulSoup(archive.read(name).decode(), "lxml")


def part(page: BeautifulSoup, title: str) -> str:
    """The text from one heading to the next."""
    heading = next(each for each in page.find_all("h2") if each.get_text() == title)
    said = []
    for element in heading.find_next_siblings():
        if element.name == "h2":
            break
        said.append(element.get_text(" ", strip=True))
    return " ".join(said)


@prepared
def ana(town, frozen_clock, client):
    """Admitted; a clerk has looked at her application for its review."""
    here, there = town.kindergarten("锦官新城幼儿园", places=1), town.kindergarten("金苹果", places=1)
    town.open_registration()
    ana = town.child("李沐晨", wishes=[here, there])
    town.clerk_confirms(ana)
    frozen_clock.set(town.now)
    town.session.commit()
    sign_in(client, town.reviewer_of(ana).account_id)
    assert client.get(f"/staff/applications/{ana.id}").status_code == 200
    town.drawn(ana)
    town.confirm(ana)
    frozen_clock.set(town.now)
    town.session.commit()
    return ana


@pytest.mark.parametrize("language", ["zh", "en"])
def test_fam31_words_not_codes_and_who_looked(town, ana, another_client, language, download):
    client = sign_in(another_client(), town.parent_of(ana).account_id)
    archive = download(client, language)
    page = document(archive)
    text = page.get_text(" ", strip=True)
    assert not re.search(r"\d{4}-\d{2}-\d{2}", text), re.search(r".{30}\d{4}-\d{2}-\d{2}.{30}", text)
    assert not re.search(r"[a-z]+_[a-z]+", text), re.findall(r"[a-z_]+_[a-z_]+", text)
    titles = [each.get_text() for each in page.find_all("h2")]
    assert len(titles) == len(QUERIES) + 1, "each table, and the views apart from the acts"
    if language == "en":
        assert page.html["lang"] == "en"
        assert "Kindergarten clerk · 锦官新城幼儿园" in part(page, "Who looked at the children's records")
        assert "Place confirmed" in part(page, "Places offered")
        return
    looked = part(page, "谁查看过孩子的资料")
    assert "幼儿园审核员 · 锦官新城幼儿园" in looked and "资格审核" in looked and "查看" in looked
    assert "已确认入园" in part(page, "学位")
    for said in ("录取", "不需要", "第 6 优先级", "普通学位"):
        assert said in part(page, "每个志愿的结果和依据")
    assert "派位结果已经公布" in part(page, "发给您的消息")
    assert "孩子的个人信息" in part(page, "同意书")
    assert ana.registration_code in part(page, "申请")
    assert town.parent_of(ana).name in part(page, "监护人")


def test_fam31_the_pdf_says_the_same_in_every_viewer(town, ana, another_client, tmp_path, download):
    archive = download(sign_in(another_client(), town.parent_of(ana).account_id))
    content = archive.read("资料.pdf")
    assert PdfReader(io.BytesIO(content)).trailer["/Root"]["/Lang"] == "zh-CN"
    file = tmp_path / "data.pdf"
    file.write_bytes(content)
    for name, text in viewers.texts(file).items():
        for said in ("谁查看过孩子的资料", "幼儿园审核员·锦官新城幼儿园", "李沐晨", "已确认入园"):
            assert said in text, (name, said)


def test_fam31_staff_stand_in_it_without_a_name(town, ana, another_client, download):
    archive = download(sign_in(another_client(), town.parent_of(ana).account_id))
    plain = json.loads(archive.read("data.json"))
    looked = [entry for entry in plain["records"]["audit_entry"] if entry["act"] == "view"]
    assert {"role": "clerk", "workplace": "锦官新城幼儿园"} in [entry["account_id"] for entry in looked]
    assert plain["records"]["offer"][0]["state"] == "confirmed"
    assert plain["records"]["wish_reason"] and plain["records"]["ticket"]
    assert not {"password_hash", "second_factor"} & plain["records"]["account"][0].keys()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_fam31_a_proposed_refusal_that_lapsed_is_no_refusal(town, frozen_clock, another_client, language, download):
    garden = town.kindergarten("锦官新城幼儿园", places=1)
    town.open_registration()
    ben = town.child("本本", wishes=[garden], grounds={"multi_child": 2})
    town.clerk_proposes_refusal(ben)
    town.the_round.closes_at = town.now + dt.timedelta(days=1)
    town.session.flush()
    town.claim(ben, {})
    frozen_clock.set(town.now)
    town.session.commit()
    page = document(download(sign_in(another_client(), town.parent_of(ben).account_id), language))
    title, said = {
        "zh": ("审核未通过的决定", "决定不予通过 家长改了申请，提议作废"),
        "en": ("Decisions on a refusal", "Refused lapsed: the family changed the application"),
    }[language]
    assert said in part(page, title)


@prepared
def beside(town, ana):
    """Another family, with a message of its own."""
    other = town.family("王小二")
    outbox.tell(town.session, "review_confirmed", account_id=other.account.id, key="other", now=town.now)
    town.session.commit()
    return other


def test_fam31_nothing_of_another_family(town, ana, beside, another_client, download):
    archive = download(sign_in(another_client(), town.parent_of(ana).account_id))
    everything = archive.read("data.json").decode() + document(archive).get_text()
    assert "王小二" not in everything
    assert beside.phone not in everything
    assert str(beside.account.id) not in everything


@prepared
def parents(town, ana):
    """Ana's mother at a desk and beside a father; both correct something, and she asks for his removal under protection."""
    town.father = town.second_guardian(ana, "王小二").actor
    town.mother, clerk = town.parent_of(ana), town.reviewer_of(ana)
    mother, father = (
        town.session.scalars(select(Guardian).where(Guardian.account_id == each.account_id)).one()
        for each in (town.mother, town.father)
    )
    desk_access.check_identity(
        town.session, ana.id, mother.account_id, document_kind=mother.id_kind, document_end=mother.id_number[-4:],
        purpose="desk", by=clerk, now=town.now,
    )  # fmt: skip
    codes = phone_changes.send_codes(town.session, mother.account_id, "13911110000", by=clerk, now=town.now)
    phone_changes.request_at_desk(
        town.session, ana.id, mother.account_id, "13911110000", codes.new, "", by=clerk, now=town.now
    )
    text = town.prints_code(ana, mother.account_id, by=clerk)
    access_codes.sign_in_with(town.session, text, now=town.now)
    town.two_agree(town.requests_correction(ana, "name", name="李木晨"))
    town.requests_correction(ana, "other_identity", by=town.father, name="王大二", id_kind="", id_number="")
    guardian_requests.request_removal(
        town.session, ana.id, father.id, Paper(photo_of_a_paper()), protected=True, text="离婚", by=town.mother,
        now=town.now,
    )  # fmt: skip
    town.decline(ana)
    town.session.commit()
    return town


@pytest.mark.parametrize("language", ["zh", "en"])
def test_fam31_corrections_desks_and_decisions_in_words(parents, another_client, language, download):
    archive = download(sign_in(another_client(), parents.mother.account_id), language)
    page = document(archive)
    text = page.get_text(" ", strip=True)
    assert not re.search(r"[a-z]+_[a-z]+", text), re.findall(r"[a-z_]+_[a-z_]+", text)
    said = {
        "zh": {
            "截止后的更正申请": ("姓名：李沐晨", "姓名：李木晨", "已更正"),
            "更正申请的经过": ("第一人同意",),
            "要监护人共同作出的决定": ("放弃学位", "等待生效", "您本人"),
            "窗口核对证件": ("居民身份证", "在窗口办理", "幼儿园审核员 · 锦官新城幼儿园"),
            "更换登录手机号": ("13911110000", "在窗口办理"),
            "登录码的使用": ("使用时间",),
            "增加或移除监护人的申请": ("有保护令",),
        },
        "en": {
            "Correction requests after the deadline": ("Name: 李沐晨", "Name: 李木晨", "Corrected"),
            "Decisions of the guardians together": ("Give the place up", "Waiting", "You"),
            "Changes of the sign-in phone": ("At a desk", "Kindergarten clerk"),
        },
    }[language]
    for title, words in said.items():
        assert all(one in part(page, title) for one in words), (title, part(page, title))
    files = {name.rpartition("/")[2] for name in archive.namelist()}
    assert {"correction-1-1.webp", "guardian-request-1.webp"} <= files and "correction-2-1.webp" not in files


def test_fam31_one_guardian_does_not_read_what_is_the_others_alone(parents, another_client, download):
    mine = download(sign_in(another_client(), parents.father.account_id))
    records = json.loads(mine.read("data.json"))["records"]
    assert [row["kind"] for row in records["correction_request"]] == ["name", "other_identity"]
    assert records["joint_decision"][0]["proposed_by"] == {"role": "guardian", "workplace": None}
    for alone in ("guardian_request", "phone_change", "identity_check", "access_code", "access_code_use"):
        assert records[alone] == [], alone
    assert not [name for name in mine.namelist() if "guardian-request" in name]
    theirs = download(sign_in(another_client(), parents.mother.account_id))
    assert "王大二" not in theirs.read("data.json").decode() + document(theirs).get_text()


def test_fam31_an_ordinary_download_takes_less_than_two_seconds(town, ana, another_client, download):
    client = sign_in(another_client(), town.parent_of(ana).account_id)
    download(client)
    began = time.process_time()
    download(client)
    assert time.process_time() - began < 2


def test_fam31_a_long_one_is_packed_in_the_background(
    town, ana, beside, another_client, app, portal_engine, frozen_clock
):
    account = town.parent_of(ana).account_id
    for number in range(300):
        told = {"key": f"many:{number}", "child_id": ana.child_id, "application_id": ana.id}
        outbox.tell(town.session, "review_confirmed", account_id=account, now=town.now, who="kindergarten", **told)
    town.session.commit()
    client = sign_in(another_client(), account)
    asked = fill_in(client, "/parents/data", action="/parents/data/download")
    assert asked.headers["Location"] == "/parents/data/package.zip"
    waits = client.get("/parents/data/package.zip")
    assert waits.status_code == 202 and "不到一分钟" in waits.text and waits.headers["Refresh"].startswith("20; ")
    assert "看进度" in client.get("/parents/data").text
    assert fill_in(client, "/parents/data", action="/parents/data/download").status_code == 303, (
        "asked twice, packed once"
    )
    with app.app_context():
        assert let_the_worker_work(portal_engine, frozen_clock, (data_packages.PACK_LONG,)) == ["done"]
    ready = BeautifulSoup(client.get("/parents/data").text, "lxml").select_one('main a[href$="package.zip"]')
    packed = client.get(ready["href"])
    assert packed.headers["Cache-Control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(packed.data))
    assert part(document(archive), "发给您的消息").count("幼儿园已审核通过您家的入园申请") >= 300
    assert sign_in(another_client(), beside.account.id).get("/parents/data/package.zip").status_code == 404
    moment = Moment(town.now + dt.timedelta(days=1, minutes=1), town.now)
    assert data_packages.delete_old(town.session, moment, 10) == {"data_package": 1}


def test_fam31_a_helper_gets_no_download(town, another_client, frozen_clock):
    town.kindergarten("锦官新城幼儿园", places=1)
    town.open_registration()
    yang = town.helper()
    acting = town.acting(yang, town.mandate_by_code(yang, "13811112222"))
    with pytest.raises(Refused, match="only_the_guardian"):
        data_packages.ask(town.session, language="zh", by=acting, now=town.now)
    assert data_packages.of(town.session, by=acting) is None
