"""Walks of untidy families through the desk in Chromium: a lost phone, a grandmother without one, the door in August."""

import datetime as dt

import pytest
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.ground.outbox import TextMessage
from enrollment.offers.offers import Offer
from enrollment.people.desk_rows import PhoneChange
from enrollment.people.person_rows import Guardian
from portal.jobs.scheduler import enqueue_scheduled
from tests.browser.people.clerk import Clerk
from tests.browser.people.desk_clerk import DeskClerk
from tests.browser.people.helper import Helper
from tests.browser.people.parent import Parent
from tests.browser.test_review import let_in
from tests.support.town import Town

GARDEN = "锦官新城幼儿园"
OLD, NEW, OTHER = "13810000001", "13910000002", "13810000003"


@pytest.fixture
def town(site, now):
    with site.session() as session:
        town = Town(session, now)
        town.garden = town.kindergarten(GARDEN, places=4)
        town.open_registration()
        town.clerk, town.head = town.clerk_of(town.garden), town.head_of(town.garden)
        session.commit()
        yield town


@pytest.fixture
def paper(tmp_path):
    """A photo of a paper."""
    picture = tmp_path / "paper.jpg"
    Image.effect_noise((600, 800), 60).convert("RGB").save(picture)
    return picture


@pytest.fixture
def enters(site, new_page):
    """A function that opens the browser of a signed-in person: `enters(DeskClerk, actor)`."""

    def enter(kind, actor, **shape):
        page = new_page(**shape)
        let_in(site, page, actor)
        return kind(page)

    return enter


def goes_on(site, town, moment: dt.datetime) -> None:
    """The city's clock is set, and what was committed before is kept."""
    town.session.commit()
    site.set_time(town.at(moment).now)


def document_end(town, account_id) -> str:
    """What the clerk reads on the document that lies on the desk."""
    return town.session.scalars(select(Guardian.id_number).where(Guardian.account_id == account_id)).one()[-4:]


def offer_of(town, application) -> Offer:
    town.session.expire_all()
    return town.session.scalars(
        select(Offer).where(Offer.application_id == application.id).order_by(Offer.made_at.desc()).limit(1)
    ).one()


def test_a_lost_phone_is_changed_at_the_desk_and_the_place_is_confirmed_from_the_new_number(
    site, town, workers, enters, new_page
):
    family = town.family("李", phone=OLD)
    ana = town.child("李沐晨", family=family, wishes=[town.garden])
    town.drawn(ana)
    goes_on(site, town, town.now)
    code = ana.registration_code

    clerk = enters(DeskClerk, town.clerk)
    clerk.begins()
    clerk.finds(code, "李**")
    clerk.sees_the_document("居民身份证（户口簿上的身份证号）", document_end(town, family.account.id))
    clerk.changes_the_phone(NEW)
    clerk.reads("请另一位工作人员看过证件后", "是您提出的，需要另一位来确认。")
    clerk.looks_closely()
    head = enters(DeskClerk, town.head)
    head.begins()
    head.confirms_the_change(code)
    head.reads("生效。旧号码会收到短信")
    head.finds(code, "李**")
    head.sees_the_document("居民身份证（户口簿上的身份证号）", document_end(town, family.account.id))
    head.reads("一次更换正在等待")

    hasty = Parent(new_page(phone=True))
    hasty.signs_in_by_phone(NEW)  # before the change has taken effect, the new number knows no child
    hasty.is_at("开始入园申请")
    expect(hasty.page.get_by_text("李沐晨")).to_have_count(0)

    change = town.session.scalars(select(PhoneChange)).one()
    goes_on(site, town, change.effective_at + dt.timedelta(minutes=1))
    with site.session() as session, session.begin():  # the scheduler's next turn, which comes every five minutes
        enqueue_scheduled(session, "end_phone_waits", town.now, now=town.now)
    for _ in range(240):
        town.session.rollback()
        if town.session.get_one(PhoneChange, change.id, populate_existing=True).ended_at is not None:
            break
        hasty.page.wait_for_timeout(250)
    assert change.outcome == "done"
    hasty.opens("/sign-in")  # the early session has ended
    hasty.signs_in_by_phone(NEW)
    hasty.follows("查看结果")
    hasty.is_at(GARDEN)
    hasty.confirms()
    assert offer_of(town, ana).state == "confirmed"
    letter, _links = hasty.downloads_the_notice()
    assert "李沐晨" in letter

    finder = Parent(new_page(phone=True))  # whoever has the old telephone sees no child
    finder.signs_in_by_phone(OLD)
    expect(finder.page.get_by_text("李沐晨")).to_have_count(0)


def test_one_of_two_bound_children_arrives_at_the_door_and_the_other_comes_later(site, town, enters):
    family = town.family("李", phone=OLD)
    ana, ben = town.twins("李沐晨", "李沐阳", family=family, wishes=[town.garden])
    other = town.second_guardian(ana, other=town.family("王", phone=OTHER))
    town.drawn()
    town.confirm(ana)
    goes_on(site, town, dt.datetime(2026, 8, 20, 10, tzinfo=town.now.tzinfo))

    clerk = enters(Clerk, town.clerk)
    clerk.page.goto("/staff/")
    clerk.lets_in(ana.registration_code)
    expect(clerk.page.locator(f'#door [data-code="{ben.registration_code}"]')).to_be_hidden()
    clerk.looks_closely()
    assert (offer_of(town, ana).state, offer_of(town, ben).state) == ("arrived", "confirmed")
    father = enters(Parent, other.actor, phone=True)
    father.page.goto("/parents")
    father.looks()
    mother = enters(Parent, family.actor, phone=True)
    mother.page.goto("/parents")
    mother.looks()
    mother.reads("李沐晨", "李沐阳")
    mother.looks_closely()
    for one, says in ((ana, "已经报到"), (ben, "请按幼儿园通知报到")):
        mother.page.goto(f"/parents/applications/{one.id}/result")
        mother.looks()
        mother.reads(says)

    clerk.follows("报到")
    clerk.follows("还没来的孩子和联系记录")
    clerk.reads(ben.registration_code)
    clerk.looks_closely()


def helped_with_a_paper(town, enters, paper) -> Helper:
    """A helper who has entered a grandmother and her grandchild by a mandate on paper, up to the page of the papers."""
    yang = town.helper("小杨")
    town.session.commit()
    helper: Helper = enters(Helper, yang, phone=True)
    helper.begins_with_a_paper("王秀英", town.now.date(), paper)
    helper.follows("继续：监护人")
    helper.says_who_the_grandmother_is("王秀英")
    helper.enters_the_grandchild("李安然")
    helper.tells_where_they_live()
    helper.presses("保存并继续")  # no ground
    return helper


def test_a_grandmother_without_a_telephone_brings_the_proof_of_guardianship(site, town, enters, paper):
    helper = helped_with_a_paper(town, enters, paper)
    helper.reads("监护证明", "因为登记的监护人里没有父亲或母亲")
    helper.looks_closely()
    helper.follows("继续：志愿")
    helper.adds_a_wish("锦官", GARDEN)
    code = helper.checks_and_hands_in()
    helper.presses("结束代办")

    goes_on(site, town, dt.datetime(2026, 5, 30, 9, tzinfo=town.now.tzinfo))
    clerk = enters(Clerk, town.clerk)
    clerk.page.goto("/staff/")
    clerk.takes(code, "李安然")
    clerk.reads("登记的监护人里没有父亲或母亲，请核对监护证明")
    clerk.sends_back("请交村（居）委会开的监护证明。", item="监护证明（父母以外的人监护）")

    desk = enters(DeskClerk, town.head)
    desk.begins()
    desk.follows("窗口")
    desk.reads(code, "没有手机", "请您家补充申请的 1 项内容")
    desk.follows(code)
    desk.reads("监护证明（父母以外的人监护）", "请交村（居）委会开的监护证明。")
    desk.looks_closely()
    desk.contacted("信件")
    desk.reads("已记下。")

    helper.goes_on_with("王*英")
    helper.follows("去补充", exact=False)
    helper.uploads("监护证明（父母以外的人监护）", paper)
    helper.follows("继续：检查并提交")
    helper.ticks("以上内容属实")
    helper.presses("补充完成，再次提交")
    helper.reads(code, "小杨")
    with site.session() as session:
        assert session.scalars(select(Application.stage)).one() == "submitted"
    desk.follows("窗口")
    expect(desk.page.get_by_text(code)).to_have_count(0)


def test_a_grandmother_without_a_telephone_goes_from_the_paper_to_the_door(site, town, workers, enters, paper):
    """FAM11 to its end: no text message is ever sent, and the child stands on the roll on the first morning of arrival."""
    helper = helped_with_a_paper(town, enters, paper)
    helper.follows("继续：志愿")
    helper.adds_a_wish("锦官", GARDEN)
    code = helper.checks_and_hands_in()
    helper.presses("结束代办")
    town.session.expire_all()
    child = town.session.scalars(select(Application)).one()
    guardian = child.entered_for

    town.drawn(child)
    goes_on(site, town, town.now)

    desk = enters(DeskClerk, town.head)
    desk.begins()
    desk.follows("窗口")
    desk.reads(code, "没有手机", "结果已经公布，孩子有学位")
    desk.looks_closely()
    desk.follows(code)
    desk.reads("有一个学位等待答复")
    desk.contacted("信件")
    desk.finds(code, "王**")
    desk.sees_the_document("居民身份证（户口簿上的身份证号）", document_end(town, guardian))
    desk.looks_closely()

    letter = desk.waits_for_a_letter("办理情况和回执（PDF）")
    assert code in letter and GARDEN in letter and "答复" in letter
    desk.notes_the_answer("确认入园")
    desk.reads("现在的答复： 已确认")
    assert offer_of(town, child).state == "confirmed"
    desk.looks_closely()

    assert "录取通知书" in desk.waits_for_a_letter("录取通知书（PDF）")
    assert GARDEN in desk.waits_for_a_letter("办理情况和回执（PDF）")
    desk.follows("窗口")
    expect(desk.page.get_by_text(code)).to_have_count(0)

    goes_on(
        site, town, dt.datetime(2026, 8, 20, 7, 40, tzinfo=town.now.tzinfo)
    )  # arrival begins at nine; the door is open
    clerk = enters(Clerk, town.clerk)
    clerk.page.goto("/staff/")
    clerk.lets_in(code)
    assert offer_of(town, child).state == "arrived"
    clerk.page.goto("/staff/roll?year=2026")
    clerk.looks()
    clerk.follows("小一班", exact=False)
    clerk.reads("李**")
    assert town.session.scalars(select(TextMessage)).all() == [], "nobody was promised a text message"


def test_a_grandmother_whom_a_helper_entered_answers_herself_in_large_letters(site, town, workers, enters, new_page):
    """With a telephone of her own: the helper enters by the code that she reads out; result, answer and arrival are hers."""
    yang = town.helper("小杨")
    town.session.commit()
    helper: Helper = enters(Helper, yang, phone=True)
    helper.begins_with_a_code(OTHER)
    helper.follows("继续：监护人")
    helper.says_who_the_grandmother_is("王秀英")
    helper.enters_the_grandchild("李安然")
    helper.tells_where_they_live()
    helper.presses("保存并继续")  # no ground
    helper.follows("继续：志愿")
    helper.adds_a_wish("锦官", GARDEN)
    code = helper.checks_and_hands_in()
    helper.presses("结束代办")
    town.session.expire_all()
    child = town.session.scalars(select(Application)).one()
    town.drawn(child)
    goes_on(site, town, town.now)

    grandmother = Parent(new_page(phone=True))
    grandmother.opens("/sign-in")
    grandmother.presses("关怀版", within=grandmother.page.get_by_role("banner"))
    expect(grandmother.page.locator("html")).to_have_class("large")
    grandmother.signs_in_by_phone(OTHER)
    grandmother.reads("李安然", code, "请在 6月9日 18:00 前答复")
    grandmother.follows("查看结果")
    grandmother.is_at(GARDEN)
    grandmother.looks_closely()
    grandmother.confirms()
    assert offer_of(town, child).state == "confirmed"
    letter, _links = grandmother.downloads_the_notice()
    assert "李安然" in letter

    goes_on(site, town, dt.datetime(2026, 8, 20, 10, tzinfo=town.now.tzinfo))
    clerk = enters(Clerk, town.clerk)
    clerk.page.goto("/staff/")
    clerk.lets_in(code)
    assert offer_of(town, child).state == "arrived"
    grandmother.page.goto("/parents")
    grandmother.looks()
    grandmother.reads("已报到")
    grandmother.follows("查看结果")
    grandmother.reads("已经报到，祝小朋友在园愉快。")
