"""A newcomer with only the phone: from the home page to the receipt in at most 30 taps, typing not counted."""

from tests.browser.people.parent import Parent
from tests.support.town import Town

MOST_TAPS = 30


def test_a_newcomer_gets_a_child_from_home_to_receipt_in_thirty_taps(site, workers, now, new_page):
    with site.session() as session, session.begin():
        town = Town(session, now)
        for name in ("锦官新城幼儿园", "小蜜蜂幼儿园"):
            town.kindergarten(name, places=30)
        town.open_registration()
    parent = Parent(new_page(phone=True))
    parent.begins("13900000001")
    parent.consents_and_says_who()
    parent.enters_the_child("李安然")
    parent.tells_where_they_live()
    parent.presses("保存并继续")
    parent.is_at("志愿顺序")  # every paper is asked for at a register
    parent.adds_the_nearest("锦官新城幼儿园", "小蜜蜂幼儿园")
    parent.checks_and_hands_in()
    parent.reads("同意向哪些部门核对")
    assert parent.taps <= MOST_TAPS, f"{parent.taps} taps"
