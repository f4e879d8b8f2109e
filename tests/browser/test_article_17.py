"""A child with a disability (Preschool Education Law, Article 17): refused by nobody before the education authority has decided."""

import pytest
from playwright.sync_api import expect

from tests.browser.another_page import another_page
from tests.browser.people.person import Person
from tests.browser.test_review import let_in
from tests.support.town import Town


@pytest.fixture
def waiting(site, now):
    """A file that tells of a disability, on the evening when the review opens."""
    with site.session() as session:
        town = Town(session, now)
        town.here = town.kindergarten("锦官新城幼儿园", places=5)
        town.open_registration()
        town.child("萧言瑶", wishes=[town.here], grounds=["special_need"])
        town.registration_is_over()
        town.clerk, town.head, town.official = town.clerk_of(town.here), town.head_of(town.here), town.area_official()
        session.commit()
        site.set_time(town.now)
        yield town


def test_a_refusal_opens_a_case_and_a_decision_to_admit_gives_it_back(site, waiting, new_page):
    clerk, official, head = new_page(), new_page(), new_page()
    for page, actor in ((clerk, waiting.clerk), (official, waiting.official), (head, waiting.head)):
        let_in(site, page, actor)
    clerk.goto("/staff/queue")
    with another_page(clerk):
        clerk.keyboard.press("n")
    case = clerk.url
    clerk.keyboard.press("5")
    clerk.locator("[name='reason-special_need']").fill("没有医学诊断")
    with another_page(clerk):
        clerk.get_by_role("button", name="先保存").click()
    clerk.goto(f"{case.partition('?')[0]}/refuse")
    expect(clerk.locator("main")).to_contain_text("依照《学前教育法》第十七条")
    clerk.get_by_label("材料或陈述不实").check()
    clerk.get_by_label("公告或细则第几条").fill("第六条")
    clerk.get_by_label("哪一项不实").select_option(label="残疾儿童")
    clerk.get_by_label("具体理由（家长会看到）").fill("没有能证明残疾的材料")
    with another_page(clerk):
        clerk.get_by_role("button", name="提出，等第二人确认").click()
    expect(clerk.locator("main .says.warn").first).to_contain_text("在那以前不能不予通过")
    Person(clerk).looks_closely()  # in English, and on a phone
    head.goto("/staff/refusals")
    expect(head.get_by_role("button", name="同意不予通过")).to_have_count(0)
    official.goto("/officials/2026/cases")
    official.get_by_role("link", name="残疾儿童入园").click()
    official.get_by_role("link", name="评估、支持方案与决定").click()
    official.get_by_label("评估日期").fill(waiting.now.date().isoformat())
    official.get_by_label("评估：孩子需要什么").fill("听力支持")
    official.get_by_label("支持方案：人员、场地、安排").fill("资源教师每周两次")
    official.get_by_label("入园，按支持方案安排").check()
    official.get_by_label("给家庭的理由").fill("可以入园")
    with another_page(official):
        official.get_by_role("button", name="决定并通知家长").click()
    Person(official).looks_closely()
    head.reload()
    expect(head.locator("main")).to_contain_text("没有等待确认的申请")
    clerk.goto(case)
    expect(clerk.locator("main")).to_contain_text("区教育局已决定：入园，按支持方案安排")
    expect(clerk.locator("main")).not_to_contain_text("已提出不予通过")
    Person(clerk).looks_closely()
