"""A whole season in Chromium: a family on a phone, a clerk, two officials, and only what the pages say."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from portal.demo.city_builder import CityBuilder
from portal.demo.people import HOME, PASSWORD
from tests.browser.people.clerk import Clerk
from tests.browser.people.official import Official
from tests.browser.people.parent import Parent
from tests.browser.people.visitor import Visitor
from tests.browser.people.witness import Witness


@pytest.fixture
def city(site, workers):
    CityBuilder(site.engine, 100, 4, lambda *_: None).build("registration")
    return site


@pytest.fixture
def photo(tmp_path):
    """A page of the hukou booklet as a phone takes it: 12 megapixels."""
    picture = tmp_path / "户口簿.jpg"
    noise = np.random.default_rng(1).integers(180, 255, (600, 450, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((3000, 4000)).save(picture, quality=90)
    return picture


AREA = "锦江区"
FIRST, SECOND, THIRD = HOME, "锦江区机关第一幼儿园", "小蜜蜂普惠幼儿园"


def after_intake(person) -> list[str]:
    """Both shares of the area after this year's intake, as the public page has them."""
    person.opens("/")
    person.follows("公办占比与普惠覆盖率", within=person.page.get_by_role("contentinfo"))
    row = person.page.get_by_role("row").filter(has=person.page.get_by_role("rowheader", name=AREA, exact=True))
    return row.get_by_role("cell").all_inner_texts()[-2:]


def applies(parent, photo) -> str:
    """From the home page to a changed receipt; the registration code."""
    parent.begins("13900000001")
    parent.consents_and_says_who()
    parent.enters_the_child("李安然")
    parent.tells_where_they_live()
    parent.claims_an_elder_sibling(FIRST)
    parent.uploads("户口簿", photo)
    parent.follows("继续：志愿")
    for words, kindergarten in (("锦官", FIRST), ("jgdy", SECOND), ("小蜜蜂", THIRD)):
        parent.adds_a_wish(words, kindergarten)
    parent.looks_closely()
    code = parent.checks_and_hands_in()
    parent.moves_down(SECOND)
    parent.reads_the_receipt(2)
    parent.reads(code, FIRST, THIRD, SECOND)
    return code


def is_reviewed(clerk, code) -> None:
    clerk.comes_in("clerk1", PASSWORD)
    clerk.takes(code, "李安然")
    clerk.looks_closely()
    clerk.finds_everything_as_claimed()
    clerk.reads(f"{code} 已核实通过。")
    clerk.sends_back("请补传，每一页都要拍清楚。")


def is_drawn(first, second, witnesses) -> str:
    """The commitment of the published draw."""
    first.comes_in("city1", PASSWORD)
    commitment = first.freezes()
    first.looks_closely()
    second.comes_in("city2", PASSWORD)
    for witness, name, office in zip(witnesses, ("王公证", "李家长"), ("公证员", "家长代表"), strict=True):
        witness.scans(first.requests_a_witness(name, office))
        witness.hears(second.approves_a_witness())
        witness.enters("3 1 6 2 5 4")
    first.sets_the_seed()
    first.starts_the_run()
    first.looks_closely()
    first.reads("独立核验", "第 1 志愿录取", "两个占比")
    first.signs()
    first.reads("还需要另一位工作人员")
    first.follows("今天")
    first.reads("办结争议、申诉和异议")
    expect(first.page.get_by_role("main")).not_to_contain_text("签署")
    second.does_next("签署")
    second.signs()
    second.reads_the_hour()
    return commitment


def waits(parent) -> None:
    """Two people have signed, and nobody sees the result before the announced hour."""
    parent.opens("/")
    parent.follows("查看我的申请和结果")
    parent.reads("6月5日")
    expect(parent.page.get_by_role("link", name="查看结果")).to_have_count(0)


def answers(parent, commitment) -> str:
    """Reads the result, checks the draw, confirms; the address on the notice."""
    parent.finds_the_result()
    parent.is_at(FIRST)
    reasons = parent.reasons()
    assert [each.split()[1] for each in reasons] == [FIRST, THIRD, SECOND]
    assert "录取" in reasons[0] and all("更靠前的志愿已经录取" in each for each in reasons[1:])
    parent.looks_closely()
    parent.checks_the_result(FIRST)
    parent.reads(commitment)
    parent.finds_the_result()
    parent.confirms()
    letter, links = parent.downloads_the_notice()
    assert "录取通知书" in letter and "李安然" in letter and FIRST in letter
    address = next(link for link in links if "/verify/" in link)
    assert address in letter
    return address


def is_announced(first, second, visitor) -> None:
    """The next year: nobody sees it until the second of two officials has signed its calendar."""
    first.prepares_the_next_year(2027)
    visitor.opens("/")
    expect(visitor.page.locator("body")).not_to_contain_text("2027")
    second.follows("今天")
    second.follows(re.compile("^2027"))
    second.follows("日程")
    second.announces_the_year()
    visitor.opens("/")
    visitor.reads("2027 年秋季入园")
    visitor.looks_closely()


@pytest.mark.slow
def test_a_season(city, new_page, photo):
    visitor, parent = Visitor(new_page()), Parent(new_page(phone=True))
    before = after_intake(visitor)
    code = applies(parent, photo)
    visitor.goes_on_to("资格审核")
    clerk = Clerk(new_page())
    is_reviewed(clerk, code)
    visitor.goes_on_to("公开抽签与派位")
    witnesses = Witness(new_page(phone=True)), Witness(new_page(phone=True))
    first, second = Official(new_page()), Official(new_page())
    commitment = is_drawn(first, second, witnesses)
    waits(parent)
    visitor.goes_on_to("查询结果")
    address = answers(parent, commitment)
    assert re.fullmatch(rf"{city.url}/verify/\w{{12}}", address)
    parent.scans(address)
    parent.reads("这份通知书有效", FIRST)
    visitor.goes_on_to("确认入园")
    visitor.goes_on_to("到园报到、体检")
    clerk.follows("今日工作")
    clerk.lets_in(code)
    parent.finds_the_result()
    parent.reads("已经报到")
    after = after_intake(visitor)
    visitor.looks_closely()
    assert after != before
    is_announced(first, second, visitor)
