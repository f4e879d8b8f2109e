"""A whole season in Chromium: a family on a phone, a clerk, two officials, and only what the pages say."""

import re

import numpy as np
import pytest
from PIL import Image

from portal.demo.city_builder import CityBuilder
from portal.demo.people import HOME, PASSWORD
from tests.browser.people.clerk import Clerk
from tests.browser.people.official import Official
from tests.browser.people.parent import Parent
from tests.browser.people.visitor import Visitor


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
    parent.follows("继续")
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
    clerk.sends_back("户口簿", "孩子那一页看不清，请重拍。")


def is_drawn(first, second) -> str:
    """The commitment of the published draw."""
    first.comes_in("city1", PASSWORD)
    commitment = first.freezes()
    first.looks_closely()
    first.enters_the_seed("03 08 15 19 27 31 + 12", "3 1 6 2 5 4")
    first.starts_the_run()
    first.looks_closely()
    first.reads("独立核验", "第 1 志愿录取", "两个占比")
    first.signs()
    first.reads("还需要另一位工作人员")
    first.follows("今天")
    first.reads("现在没有等您处理的事项。")
    second.comes_in("city2", PASSWORD)
    second.does_next("签署")
    second.signs()
    second.waits_for("家庭会收到通知")
    return commitment


def answers(parent, commitment) -> str:
    """Reads the result, checks the draw, confirms; the address on the notice."""
    parent.finds_the_result()
    parent.is_at(FIRST)
    reasons = parent.reasons()
    assert [each.split()[1] for each in reasons] == [FIRST, THIRD, SECOND]
    assert "录取" in reasons[0] and all("更靠前的志愿已经录取" in each for each in reasons[1:])
    parent.looks_closely()
    parent.follows("在手机上自己核对整场抽签")
    parent.reads(commitment, f"录取到 {FIRST}")
    parent.finds_the_result()
    parent.confirms()
    letter, links = parent.downloads_the_notice()
    assert "录取通知书" in letter and "李安然" in letter and FIRST in letter
    address = next(link for link in links if "/verify/" in link)
    assert address in letter
    return address


@pytest.mark.slow
def test_a_season(city, new_page, photo):
    visitor, parent = Visitor(new_page()), Parent(new_page(phone=True))
    before = after_intake(visitor)
    code = applies(parent, photo)
    visitor.goes_on_to("资格审核")
    clerk = Clerk(new_page())
    is_reviewed(clerk, code)
    visitor.goes_on_to("公开抽签与派位")
    commitment = is_drawn(Official(new_page()), Official(new_page()))
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
