"""A newcomer with only the phone: from the home page to the receipt in 30 taps, typing not counted, and in ten minutes.

Who walks: in Chinese and in English, by the keyboard alone, with passports, with permits of Hong Kong, and without scripts; all of
them at 390 px.
"""

import pytest

from tests.browser.people.english_newcomer import EnglishNewcomer
from tests.browser.people.keyboard_newcomer import KeyboardNewcomer
from tests.browser.people.newcomer import Newcomer
from tests.browser.people.newcomer_without_scripts import NewcomerWithoutScripts
from tests.browser.people.newcomers_from_abroad import ForeignNewcomer, HongKongNewcomer
from tests.browser.test_papers import photo
from tests.support import chromium
from tests.support.town import Town

MOST_TAPS, MOST_MINUTES = 30, 10
PAPERS = ("户口簿", "不动产权证书")
PERMIT, RESIDENCE = "孩子的护照、通行证或居留证件", "居住证"

ALL, NONE = "每个部门都同意", "都不同意，交材料"


@pytest.fixture
def city(site, workers, now) -> None:
    with site.session() as session, session.begin():
        town = Town(session, now)
        for name in ("锦官新城幼儿园", "小蜜蜂幼儿园", "金苹果幼儿园", "静安路幼儿园", "三圣乡幼儿园"):
            town.kindergarten(name, places=30)
        town.open_registration()


def walks(parent: Newcomer, registers: str, papers: tuple[str, ...]) -> None:
    """From the home page to the receipt."""
    parent.begins("13900000001")
    parent.consents_and_says_who(registers)
    parent.enters_the_child("李安然")
    parent.tells_where_they_live()
    parent.presses("保存并继续")
    if papers:
        for paper in papers:
            parent.uploads(paper, photo(paper))
        parent.follows("继续：志愿")
    parent.adds_the_nearest("锦官新城幼儿园", "小蜜蜂幼儿园")  # the next page, where no paper is missing
    parent.checks_and_hands_in()
    parent.reads("同意向哪些部门核对")
    print(f"\n{type(parent).__name__}, {registers}\n{parent.told()}")


@pytest.mark.parametrize(
    ("who", "registers", "papers"),
    [
        (Newcomer, ALL, ()),
        (Newcomer, NONE, PAPERS),
        (EnglishNewcomer, ALL, ()),
        (EnglishNewcomer, NONE, PAPERS),
        (KeyboardNewcomer, NONE, PAPERS),
        (ForeignNewcomer, ALL, (PERMIT,)),
        (ForeignNewcomer, NONE, (PERMIT,)),  # the others can come after the receipt, until the deadline
        (HongKongNewcomer, ALL, (PERMIT,)),
        (HongKongNewcomer, NONE, (PERMIT, RESIDENCE)),
    ],
)
def test_a_newcomer_gets_a_child_from_home_to_receipt_in_thirty_taps(city, new_page, who, registers, papers):
    parent = who(new_page(phone=True))
    walks(parent, registers, papers)
    assert parent.taps <= MOST_TAPS, parent.told()
    assert parent.minutes <= MOST_MINUTES, parent.told()


def test_without_scripts_a_newcomer_comes_to_the_receipt_too(city, site, browser):
    context = browser.new_context(
        **chromium.PHONE, **chromium.LANGUAGE["zh-CN"], base_url=site.url, java_script_enabled=False
    )
    walks(NewcomerWithoutScripts(context.new_page()), NONE, PAPERS)
    context.close()
