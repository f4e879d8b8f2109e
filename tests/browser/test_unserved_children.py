"""Children without a place, in a browser: the board and the desk of cases on a wide screen, the family on a phone."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from enrollment.offers import family_requests
from tests.browser.another_page import another_page
from tests.browser.test_cases_and_revocations import look
from tests.browser.test_review import let_in
from tests.domain.draw.test_unserved_children import HOME, sends
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

NEAR, FAR = "九眼桥童乐幼儿园", "望江竹里幼儿园"


@pytest.fixture
def left(site, now):
    """陈一禾 and 林小满 have no place, and 林小满's family has appealed; two kindergartens near them have places left."""
    with site.session() as session:
        town = Town(session, now)
        popular = town.kindergarten("锦江区机关第一幼儿园", places=1, longitude=104.10, latitude=30.60)
        town.near = town.kindergarten(NEAR, places=1, nature="inclusive", fee=980, longitude=104.11, latitude=30.60)
        town.far = town.kindergarten(FAR, places=2, longitude=104.13, latitude=30.61)
        officer = town.account_of_staff("jinjiang", "何老师", "area_official", area_code="510104")
        officer.desk_phone = "028-0000 0126"
        town.official = town.area_official()
        town.first = town.child("周星遥", wishes=[popular], **HOME)
        town.ben = town.child("陈一禾", wishes=[popular], **HOME)
        town.cui = town.child("林小满", wishes=[popular], home_longitude=104.12, home_latitude=30.606)
        town.drawn(town.first, town.ben, town.cui)
        town.ben.agrees_to_central = False
        town.at(town.now + dt.timedelta(hours=2))
        by = town.parent_of(town.cui)
        family_requests.ask(session, town.cui.id, "appeal", text="第 2 优先级没有算上，请核实。", by=by, now=town.now)
        session.commit()
        site.set_time(town.now)
        yield town


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_desks_are_accessible_and_the_homes_are_on_a_map(site, left, new_page, language):
    page, board = new_page(language=language), "/officials/2026/unplaced"
    let_in(site, page, left.official)
    for name, path in {
        "board": f"{board}?lang={language[:2]}",
        "board-map": f"{board}?view=map",
        "child": f"{board}/children/{left.ben.id}",
        "desk": "/officials/2026/cases",
        "end": "/officials/2026/season/close",
    }.items():
        page.goto(path)
        if name in ("board-map", "child"):
            page.wait_for_function("() => document.getElementById('map').dataset.drawn === '2'")
        look(page, f"{name}-{language[:2]}-1280")
        assert_axe_clean(page)


def test_an_official_chooses_a_place_and_explains_another(site, left, new_page):
    page = new_page()
    let_in(site, page, left.official)
    page.goto("/officials/2026/unplaced")
    expect(page.get_by_role("heading", level=1)).to_have_text("还有 2 个孩子没有学位，也没有说法")
    with another_page(page):
        page.get_by_role("link", name=left.ben.registration_code, exact=True).click()
    page.get_by_label(NEAR).check()
    with another_page(page):
        page.get_by_role("button", name="选这个学位").click()
    expect(page.get_by_role("alert").filter(has_text="家庭还没有说愿意收到推荐")).to_be_visible()
    page.get_by_label("愿意", exact=True).check()
    with another_page(page):
        page.get_by_role("button", name="记下", exact=True).click()
    expect(page.get_by_text("家庭的意见已记下。")).to_be_visible()
    page.get_by_label(NEAR).check()
    with another_page(page):
        page.get_by_role("button", name="选这个学位").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已选好，等签署")
    page.goto("/officials/2026/unplaced?state=todo")
    page.get_by_label(f"选中 {left.cui.registration_code}").check()
    page.get_by_label("写明为什么没有学位").check()
    page.get_by_label("原因", exact=True).select_option("waits")
    page.get_by_role("button", name="一起办").click()
    expect(page.get_by_text("1 个孩子已写明原因。")).to_be_visible()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_family_says_what_it_accepts_and_answers_the_proposal(site, left, new_page, language):
    page, short, mine = new_page(phone=True, language=language), language[:2], f"/parents/applications/{left.ben.id}"
    let_in(site, page, left.parent_of(left.ben))
    page.goto(f"{mine}/nearby-places?lang={short}")
    look(page, f"accepted-{short}-390")
    assert_axe_clean(page)
    page.locator("[name=agrees][value=yes]").check()
    page.locator("[name=minutes][value='20']").check()
    page.locator("main form button[type=submit]").last.click()
    expect(page).to_have_url(f"{site.url}{mine}/result")
    look(page, f"waits-{short}-390")
    assert_axe_clean(page)
    left.session.expire_all()
    sends(left)
    left.session.commit()
    site.set_time(left.now + dt.timedelta(minutes=1))
    page.goto(f"{mine}/result")
    page.wait_for_function("() => document.getElementById('map').dataset.drawn === '1'")
    expect(page.locator("main")).to_contain_text(NEAR)
    expect(page.locator(".officer")).to_be_visible()
    look(page, f"proposal-{short}-390")
    assert_axe_clean(page)
    page.goto(f"{mine}/result/decline")
    look(page, f"decline-{short}-390")
    assert_axe_clean(page)
    page.locator("[name=reason][value=too_far]").check()
    page.locator("main form button[type=submit]").last.click()
    expect(page).to_have_url(f"{site.url}{mine}/result")
