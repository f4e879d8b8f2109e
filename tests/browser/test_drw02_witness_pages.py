"""DRW02 in Chromium: the form of a draw, both officials, and two witnesses on their phones, in both languages."""

import datetime as dt

import pytest

from tests.browser.people.official import Official
from tests.browser.people.witness import Witness
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.town import Town


@pytest.fixture
def frozen(site, now):
    """A frozen list whose beacon became public a minute ago; keys of both officials."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("金苹果幼儿园", places=1)
        for name in ("安娜", "本本"):
            town.child(name, wishes=[garden])
        town.everyone_is_reviewed()
        town.freeze()
        keys = [signed_in_key(session, official.account_id) for official in town.city_pair()]
        room, moment = f"/officials/2026/rounds/{town.the_round.id}/draw", town.now + dt.timedelta(minutes=2)
    site.set_time(moment)
    return room, keys


@pytest.mark.long
def test_drw02_a_part_is_entered_by_two_witnesses_on_their_phones(site, new_page, frozen):
    room, keys = frozen
    first, second = (Official(new_page()) for _ in keys)
    for official, key in zip((first, second), keys, strict=True):
        official.page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    values = ("3 8 14 21 27 30 6", "3 8 14 21 27 30 7")
    for name, office, numbers in (("王公证", "公证员", values[0]), ("李家长", "家长代表", values[1])):
        witness = Witness(new_page(phone=True))
        first.page.goto(room)
        card = first.page.locator("section", has_text="双色球").filter(has=first.page.get_by_label("见证人姓名"))
        card.get_by_label("见证人姓名").fill(name)
        card.get_by_label(office, exact=True).check()
        first.presses("申请一次见证", within=card)
        link = first.page.locator(".code").inner_text()
        witness.scans(link)
        second.page.goto(room)
        second.looks_closely()
        second.presses("批准，看口令")
        witness.hears(second.page.locator(".big-number").inner_text())
        witness.looks_closely()
        fields = witness.page.locator(".numbers input").all()
        for field, number in zip(fields, numbers.split(), strict=True):
            field.fill(number)
        fields[0].fill("34")
        witness.presses("核对一遍")
        witness.reads("不在 1–33 之间")
        witness.page.locator(".numbers input").first.fill("3")
        witness.presses("核对一遍")
        witness.reads("3 8 14 21 27 30 + ")
        witness.presses("一个不差，录入")
        witness.reads("已经录入，谢谢您")
        witness.follows("看公开抽签")
    first.page.goto(room)
    first.looks_closely()
    first.reads("两人录入不同", "3 8 14 21 27 30 + 6", "3 8 14 21 27 30 + 7")
    first.page.goto(room.replace("/draw", "/draw-form"))
    first.looks_closely()
