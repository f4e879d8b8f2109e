"""The staff desk in a real browser: keyboard use, accessibility, layout at 390 px and 1280 px."""

import datetime as dt
import secrets

import pytest
from playwright.sync_api import expect

from enrollment.applications import register_answers
from enrollment.applications.register_answers import Answer
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.sign_in import WebSession
from enrollment.people import consents
from enrollment.season.facts import Fact
from portal.web.clock import real_now
from portal.web.sessions import digest_of
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def reviewed(site, now):
    """One application with a mismatch and one on which registers agree, on the evening when the review opens."""
    with site.session() as session:
        town = Town(session, now)
        town.here = town.kindergarten("锦官新城幼儿园", places=5)
        town.open_registration()
        for name, otherwise in (("李沐晨", {"street": "春熙路街道"}), ("王小雨", None)):
            family = town.family(name[0])
            town.consent(family, consents.REGISTER_CHECK)
            child = town.child(name, family=family, wishes=[town.here])
            answers = []
            for fact, value in claimed_facts(session, child.id).items():
                differs = fact == Fact.HOME_PLACE and otherwise
                said = ("differs", otherwise) if differs else ("matches", value)
                answers.append(Answer(child.id, fact.value, register_answers.REGISTER_OF[fact], *said))
            register_answers.note(session, answers, now=town.now)
        town.registration_is_over()
        town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
        town.official = town.area_official()
        session.commit()
        site.set_time(town.now)
        yield town


def let_in(site, page, actor) -> None:
    """Give this browser the session of a signed-in person."""
    key, moment = secrets.token_urlsafe(32), real_now()
    with site.session() as session, session.begin():
        session.add(
            WebSession(
                digest=digest_of(key),
                account_id=actor.account_id,
                data={"_user_id": str(actor.account_id), "_fresh": True},
                created_at=moment,
                seen_at=moment,
                expires_at=moment + dt.timedelta(hours=1),
            )
        )
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])


def test_a_clerk_reviews_with_the_keyboard(site, reviewed, new_page):
    page = new_page()
    let_in(site, page, reviewed.clerk)
    page.goto("/staff/queue")
    page.get_by_role("button", name="领取下一份").click()
    expect(page.locator("h1")).to_have_text("李沐晨")
    page.wait_for_load_state()  # the keys work once the script has run
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_have_attribute("open", "")
    page.locator("h1").click()
    page.keyboard.press("b")
    expect(page.locator("h1")).to_have_text("退回补充")
    page.go_back()
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("还有 1 项没有核实")
    page.get_by_label("按部门数据：春熙路街道").check()
    page.locator("h1").click()
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("王小雨")
    page.locator("#keys summary").click()
    page.get_by_label("使用快捷键").uncheck()
    page.locator("h1").click()
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("王小雨")
    page.get_by_role("button", name="核实通过").click()
    expect(page.get_by_text("现在没有待审核的申请了。")).to_be_visible()


def test_a_choice_shows_its_fields(site, reviewed, new_page):
    page = new_page()
    let_in(site, page, reviewed.clerk)
    page.goto("/staff/queue")
    page.get_by_role("button", name="领取下一份").click()
    against = page.get_by_role("group", name="居住地")
    expect(against.get_by_label("理由")).to_be_visible()
    against.get_by_label("按材料另行认定").check()
    expect(against.get_by_label("街道", exact=True)).to_be_visible()
    page.get_by_text("更改：出生日期").click()
    line = page.get_by_role("group", name="出生日期：核实结果")
    expect(line.get_by_label("不认定的理由")).to_be_hidden()
    line.get_by_label("不认定", exact=True).check()
    expect(line.get_by_label("不认定的理由")).to_be_visible()
    line.get_by_label("按材料另行认定").check()
    expect(line.get_by_label("不认定的理由")).to_be_hidden()


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en")])
def test_review_pages_are_accessible(site, reviewed, new_page, phone, language):
    page = new_page(phone=phone, language=language)
    let_in(site, page, reviewed.clerk)
    short = "en" if language == "en" else "zh"
    page.goto(f"/staff/queue?lang={short}")
    assert_axe_clean(page)
    page.locator("main form button").first.click()
    expect(page.locator("h1")).to_have_text("李沐晨")
    assert_axe_clean(page)
    application = page.url.split("?")[0]
    for path in (
        "/staff/",
        f"{application}/send-back",
        f"{application}/refuse",
        "/staff/refusals",
        "/staff/arrivals",
        "/staff/notice-board",
        "/verify",
        "/verify/CCCCDDDDFFFF",
    ):
        page.goto(path)
        assert_axe_clean(page)
    page = new_page(phone=phone, language=language)
    let_in(site, page, reviewed.official)
    for path in (f"/officials/review?lang={short}", f"/officials/review/{reviewed.here.id}", "/officials/refusals"):
        page.goto(path)
        assert_axe_clean(page)
