"""The places ledger on the staff desk."""

import datetime as dt
import io

import pytest
from bs4 import BeautifulSoup
from PIL import Image
from sqlalchemy import select, text

from enrollment.ground.retention import Moment
from enrollment.maintenance import places_retention
from enrollment.places import ledger
from enrollment.places.approvals.papers import Approval, ApprovalPaper
from enrollment.places.ledger_rows import LedgerEntry
from enrollment.places.plans import class_loss
from enrollment.places.roll_changes import classes, counts
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


@prepared
def desk(town, client):
    """A clerk at a kindergarten with an approved plan, signed in."""

    class Desk:
        kindergarten = town.kindergarten("锦官新城幼儿园", places=25)
        clerk = town.clerk_of(kindergarten)

        def propose(self, level="lower", **changes):
            told = {
                "planned_classes": 2, "staffed_classes": 2, "class_norm": 25, "continuing": 0, "withheld": 0,
                "reason": "新开一个小班",
            }  # fmt: skip
            path = f"/staff/places/{level}"
            return fill_in(client, path, f"{path}?at={self.kindergarten.id}&year=2026", **told | changes)

    found = Desk()
    town.session.commit()
    sign_in(client, found.clerk.account_id)
    return found


def a_photo() -> io.BytesIO:
    photo = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(photo, "PNG")
    photo.seek(0)
    return photo


def test_the_ledger_shows_the_plan_of_each_level(desk, client):
    page = client.get("/staff/places")
    assert page.status_code == 200
    assert "锦官新城幼儿园" in page.text
    assert "托班" in page.text
    assert client.get("/staff/places?lang=en").status_code == 200


def test_a_clerk_proposes_and_the_old_number_stands(town, desk, client):
    answer = desk.propose()
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert "审批后为 50 个" in page.text
    assert "小班 第 2 版" in page.text
    assert "待区级审批" in page.text
    town.session.expire_all()
    assert town.programme_of(desk.kindergarten).places == 25


def test_a_level_without_a_plan_gets_one(town, desk, client):
    assert desk.propose("middle", class_norm=30, reason="开中班").status_code == 303
    town.session.expire_all()
    assert town.programme_of(desk.kindergarten, "middle").state == "proposed"


def test_a_refusal_stands_beside_its_field_and_nothing_typed_is_lost(desk, client):
    answer = desk.propose(class_norm=30)
    assert answer.status_code == 200
    assert "班额最多 25 人" in answer.text
    assert "新开一个小班" in answer.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"planned_classes": "两个"}, "请填写整数"),
        ({"planned_classes": ""}, "请填写整数"),
        ({"withheld": "-1"}, "0 至 1000"),
        ({"reason": " "}, "请写明原因"),
        ({"planned_classes": 13, "staffed_classes": 13}, "超过核定的 12 个班"),
    ],
)
def test_impossible_numbers_are_refused_immediately(desk, changes, words):
    answer = desk.propose(**changes)
    assert answer.status_code == 200
    assert words in answer.text


def test_a_stale_page_is_told(town, desk, client):
    page = client.get("/staff/places/lower").text
    town.pool(desk.kindergarten, "care", 1, ["policy_care"])
    town.session.commit()
    path = f"/staff/places/lower?at={desk.kindergarten.id}&year=2026"
    answer = client.post(path, data=hidden_fields(page, path) | {
        "planned_classes": 2, "staffed_classes": 2, "class_norm": 25, "continuing": 0, "withheld": 0, "reason": "旧页面",
    })  # fmt: skip
    assert answer.status_code == 409


def test_stf04_the_second_of_two_clerks_is_told_and_both_proposals_stay(town, desk, client):
    """Both opened the page; the second one sees the first one's numbers beside its own before it replaces them."""
    path = f"/staff/places/lower?at={desk.kindergarten.id}&year=2026"
    stale = hidden_fields(client.get("/staff/places/lower").text, path)
    assert desk.propose(reason="第一位").status_code == 303
    told = {"planned_classes": 3, "staffed_classes": 3, "class_norm": 25, "continuing": 0, "withheld": 0}
    answer = client.post(path, data=stale | told | {"reason": "第二位"})
    assert answer.status_code == 409
    assert "第二位" in answer.text, "nothing typed is lost"
    again = client.post(path, data=hidden_fields(answer.text, path) | told | {"reason": "第二位"})
    assert again.status_code == 303
    page = client.get("/staff/places").text
    assert "第一位" in page
    assert "第二位" in page
    assert "小班 第 3 版" in page


def test_stf05_the_roll_stands_beside_the_ledger_and_its_number_is_one_act_away(town, desk, client):
    town.roll(desk.kindergarten, "lower", 24)
    town.session.commit()
    desk.propose("middle", class_norm=30, continuing=20, reason="按去年")
    page = client.get("/staff/places").text
    assert "名册多 4" in page
    path = f"/staff/places/middle/from-roll?at={desk.kindergarten.id}&year=2026"
    assert fill_in(client, "/staff/places", path).status_code == 303
    page = client.get("/staff/places").text
    assert "名册多" not in page
    assert "按在园名册更正" in page


def test_stf03_the_page_prints_the_sum_and_what_cannot_be_is_refused_with_it(desk, client):
    page = client.get("/staff/places").text
    assert "许可的班都用上了" not in page
    assert "上限在这里" in page
    answer = desk.propose(withheld=51)
    assert "2 个班 × 25 − 升班在园 0 ＝ 50 个学位，不能有 51 个不参与派位" in answer.text


def test_a_lost_class_is_reported_and_the_area_signs(town, desk, client):
    town.session.execute(text("UPDATE programme SET taken = 20"))
    town.session.commit()
    path = "/staff/places/lower/class-loss"
    page = client.get(path).text
    assert "20 名幼儿" in page
    told = {"classes": "1", "from_day": "2026-09-01", "solution": "other_level", "reason": "教室停用"}
    sent = f"{path}?at={desk.kindergarten.id}&year=2026"
    assert "没有这个" not in fill_in(client, path, sent, **(told | {"classes": "9"})).text
    rests_on = {"paper_number": "锦江住建〔2026〕7 号"}
    undated = BeautifulSoup(fill_in(client, path, sent, **told, **rests_on).text, "lxml")
    assert undated.select_one("#paper_date-error") and undated.select_one("details[open] #paper_number")["value"]
    sheet = {"paper_date": "2026-04-02", "paper_file": (a_photo(), "a.png")}
    assert fill_in(client, path, sent, **told, **rests_on, **sheet).status_code == 303
    (paper,) = town.session.scalars(select(ApprovalPaper))
    in_ten_years = Moment(town.now.replace(year=2037), town.now.replace(year=2037))
    assert not places_retention.delete_approval_papers(town.session, in_ten_years, 10), "kept as long as the case"
    told_here = client.get("/staff/places").text
    assert "等区里签字" in told_here
    assert "锦江住建〔2026〕7 号（2026年4月2日）" in told_here and f"/staff/approval-papers/{paper.id}" in told_here
    sign_in(client, town.area_official().account_id)
    assert "少了班，等您签字：1 件" in client.get("/officials/2026/places").text
    plan = f"/officials/2026/places/{desk.kindergarten.id}"
    act = "/officials/2026/places/class-losses/" + client.get(plan).text.split("/class-losses/")[1].split('"')[0]
    refused = fill_in(client, plan, act, act="sign", **{"loss-until_day": "2029-01-01"})
    assert "最晚 2027年8月31日" in refused.text
    assert fill_in(client, plan, act, act="sign", **{"loss-until_day": "2027-08-31"}).status_code == 303
    town.session.expire_all()
    programme = town.programme_of(desk.kindergarten)
    assert (programme.places, programme.taken, programme.overhang) == (0, 20, 20)
    assert "20 名幼儿超出班级、保留学位" in client.get(plan).text
    named = set(town.session.scalars(select(LedgerEntry.field).where(LedgerEntry.paper_id == paper.id)))
    assert named == {"planned_classes", "staffed_classes", "places", "overhang"}, "the entries name the approval"
    signed = BeautifulSoup(client.get(plan).text, "lxml")
    assert signed.select(f"section.edge a[href$='/approval-papers/{paper.id}']"), "the case too"


def test_a_plan_sent_back_says_why(town, desk, client):
    desk.propose()
    programme = town.programme_of(desk.kindergarten)
    ledger.send_back(town.session, programme.id, by=town.area_official(), now=town.now, remark="请补教师名单")
    town.session.commit()
    assert "请补教师名单" in client.get("/staff/places").text


def test_a_plan_older_than_a_signed_loss_ends_and_the_kindergarten_reads_why(town, desk, client):
    desk.propose()
    told = {"classes": 1, "from_day": dt.date(2026, 9, 1), "reason": "教室停用", "solution": "other_level"}
    loss = class_loss.report(
        town.session, desk.kindergarten.id, "lower", 2026, **told, by=town.head_of(desk.kindergarten), now=town.now
    )
    class_loss.sign(town.session, loss.id, until_day=dt.date(2027, 8, 31), by=town.area_official(), now=town.now)
    town.session.commit()
    page = client.get("/staff/places").text
    assert "小班 的申请没有生效，数字已经另行改动：区里已签字少了班。" in page and "“区里已签字少了班”" in page
    assert "did not take effect" in client.get("/staff/places?lang=en").text
    desk.propose()
    assert "没有生效" not in client.get("/staff/places?lang=zh").text


def test_another_kindergartens_ledger_is_not_found(town, desk, client):
    other = town.kindergarten("别处", area="510105", places=1)
    town.session.commit()
    assert client.get(f"/staff/places?at={other.id}").status_code == 404
    assert client.get("/staff/places?at=nonsense").status_code == 404
    assert client.get(f"/staff/places/lower?at={other.id}").status_code == 404
    path = f"/staff/places/lower?at={desk.kindergarten.id}&year=2026"
    answer = fill_in(client, path, path, at=str(other.id), reason="x", planned_classes="1")
    town.session.expire_all()
    assert answer.status_code in (200, 404)
    assert ledger.open_proposal(town.session, town.programme_of(other).id) is None


def test_a_level_that_does_not_exist_is_not_found(desk, client):
    assert client.get("/staff/places/adults").status_code == 404


def test_an_approval_stands_with_its_numbers_in_the_history_and_in_the_reports(town, desk, client, another_client):
    said = {"paper_number": "成锦教〔2026〕12 号"}
    refused = BeautifulSoup(desk.propose(**said).text, "lxml")
    assert refused.select_one("#paper_date-error") and refused.select_one("details[open] #paper_number")["value"]
    assert desk.propose(**said, paper_date="2026-04-10", paper_file=(a_photo(), "a.png")).status_code == 303
    town.session.expire_all()
    programme = town.programme_of(desk.kindergarten)
    ledger.approve_kindergarten(town.session, desk.kindergarten.id, 2026, by=town.area_official(), now=town.now)
    (paper,) = town.session.scalars(select(ApprovalPaper))
    named = select(LedgerEntry.field).where(LedgerEntry.paper_id == paper.id)
    assert set(town.session.scalars(named)) == {"planned_classes", "staffed_classes", "places"}
    counted = classes.open_class(
        town.session, desk.kindergarten.id, name="中一班", level="middle", school_year=2025, kept_as="count",
        by=desk.clerk, now=town.now,
    )  # fmt: skip
    rests_on = Approval("成锦教〔2026〕15 号", dt.date(2026, 4, 20))
    count = {"children": 4, "day": dt.date(2026, 4, 21), "reason": "转入", "approval": rests_on}
    counts.enter(town.session, counted.id, **count, by=desk.clerk, now=town.now)
    town.session.commit()

    history = BeautifulSoup(client.get(f"/staff/places?at={desk.kindergarten.id}&year=2026").text, "lxml")
    assert len(history.find_all("a", href=f"/staff/approval-papers/{paper.id}")) == 4, "three entries and the proposal"
    assert "成锦教〔2026〕15 号（2026年4月20日）" in client.get(f"/staff/roll/classes/{counted.id}").text
    for report, told in (
        ("ledger", "成锦教〔2026〕12 号（2026-04-10）"),
        ("on_roll", "成锦教〔2026〕15 号（2026-04-20）"),
    ):
        assert told in client.get(f"/staff/reports/{report}?year=2026").text
        assert told in client.get(f"/staff/reports/{report}/file.csv?year=2026").text
    opened = client.get(f"/staff/approval-papers/{paper.id}")
    assert (opened.status_code, opened.mimetype) == (200, "image/webp")
    there = town.kindergarten("小蜜蜂", places=25)
    stranger, official = town.clerk_of(there), town.area_official("510104")
    town.session.commit()
    assert sign_in(another_client(), stranger.account_id).get(f"/staff/approval-papers/{paper.id}").status_code == 404
    there = sign_in(another_client(), official.account_id)
    assert there.get(f"/officials/approval-papers/{paper.id}", follow_redirects=True).status_code == 200
    assert programme.places == 50
