"""A newcomer with only the phone, or with its keyboard alone: from the home page to the receipt in 30 taps, typing not counted, and in ten minutes."""

import pytest

from tests.browser.people.english_newcomer import EnglishNewcomer
from tests.browser.people.keyboard_newcomer import KeyboardNewcomer
from tests.browser.people.newcomer import Newcomer
from tests.browser.test_papers import photo
from tests.support.town import Town

MOST_TAPS, MOST_MINUTES = 30, 10
PAPERS = ("户口簿", "不动产权证书")


PEOPLE = {"zh": Newcomer, "en": EnglishNewcomer, "keyboard": KeyboardNewcomer}
"""Who walks: by taps in Chinese and in English, and by the keyboard alone; all of them at 390 px."""


ALL, NONE = "每个部门都同意", "都不同意，交材料"


@pytest.mark.parametrize(
    ("who", "registers"), [("zh", ALL), ("zh", NONE), ("en", ALL), ("en", NONE), ("keyboard", NONE)]
)
def test_a_newcomer_gets_a_child_from_home_to_receipt_in_thirty_taps(site, workers, now, new_page, who, registers):
    with site.session() as session, session.begin():
        town = Town(session, now)
        for name in ("锦官新城幼儿园", "小蜜蜂幼儿园", "金苹果幼儿园", "静安路幼儿园", "三圣乡幼儿园"):
            town.kindergarten(name, places=30)
        town.open_registration()
    parent = PEOPLE[who](new_page(phone=True))
    parent.begins("13900000001")
    parent.consents_and_says_who(registers)
    parent.enters_the_child("李安然")
    parent.tells_where_they_live()
    parent.presses("保存并继续")
    if registers == NONE:
        for paper in PAPERS:
            parent.uploads(paper, photo(paper))
        parent.follows("继续：志愿")
    parent.adds_the_nearest("锦官新城幼儿园", "小蜜蜂幼儿园")  # the next page, where no paper is missing
    parent.checks_and_hands_in()
    parent.reads("同意向哪些部门核对")
    print(f"\n{who}, {registers}\n{parent.told()}")
    assert parent.taps <= MOST_TAPS, parent.told()
    assert parent.minutes <= MOST_MINUTES, parent.told()
