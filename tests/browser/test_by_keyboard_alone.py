"""A parent who cannot see the screen, in English: from the home page to the receipt with keys alone."""

import datetime as dt
import re

from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.ground.outbox import TextMessage
from tests.browser.people.keyboard_parent import KeyboardParent
from tests.browser.people.person import CODE
from tests.browser.test_papers import photo
from tests.support.town import Town
from tests.support.town_families import id_number

PHONE, SAVE = "13900000001", "Save and continue"
NO_REGISTER = "I agree to none and bring papers"


def test_a_parent_who_cannot_see_hands_in_with_keys_alone(site, now, new_page):
    with site.session() as session, session.begin():
        town = Town(session, now)
        for name in ("锦官新城幼儿园", "小蜜蜂幼儿园"):
            town.kindergarten(name, places=30)
        town.open_registration()
    parent = KeyboardParent(new_page(phone=True, language="en"))
    page = parent.page
    page.context.add_cookies([{"name": "lang", "value": "en", "url": site.url}])
    parent.opens("/")
    parent.skips_to_the_content()
    parent.chooses_with_enter("link", "Start or continue")
    parent.types(re.compile("Phone number"), PHONE)
    parent.chooses_with_enter("button", "Send me a code")
    with site.session() as session:
        body = session.scalars(select(TextMessage.body)).one()
    parent.gives_the_code_by_keys(CODE.search(body)[0], re.compile("code", re.IGNORECASE), "Sign in")
    parent.ticks_with_space(re.compile("I have read this and agree"))
    parent.takes_the_answer(re.compile("register|papers"), NO_REGISTER)
    parent.chooses_with_enter("button", "Agree and continue")
    parent.types(re.compile("^Your name"), "李建国")
    parent.types(re.compile("^Document number"), id_number(dt.date(1988, 3, 4), "m"))
    parent.chooses_with_enter("button", SAVE)
    parent.types(re.compile("^The child's name"), "李安然")
    parent.takes_the_answer(re.compile("Mother|Father"), "Father")
    parent.types(re.compile("^The child's document number"), id_number(dt.date(2023, 3, 12), "f"))
    parent.chooses_with_enter("button", SAVE)
    parent.takes_the_answer(re.compile("household"), "Chengdu, family household")
    parent.picks_from_the_list("Area of the hukou", "Jinjiang")
    parent.picks_from_the_list("Where the child lives", "Jinjiang")
    parent.types(re.compile("^Address"), "静安路 8 号（模拟数据）")
    parent.takes_the_answer(re.compile("Yes, our own"), "Yes, our own")
    parent.chooses_with_enter("button", SAVE)
    parent.chooses_with_enter("button", SAVE)
    parent.photographs(re.compile("Hukou booklet: take a photo"), photo("booklet"))
    expect(page.locator("#papers-say")).to_have_text("Delivered: Hukou booklet")
    parent.chooses_with_enter("link", re.compile("^Continue"))
    parent.chooses_with_enter("button", re.compile("^Add as wish 1"))
    parent.chooses_with_enter("link", "See the order")
    parent.chooses_with_enter("button", "Save and check")
    parent.ticks_with_space(re.compile("^All of this is true"))
    parent.chooses_with_enter("button", "Hand in")
    expect(page.locator("h1")).to_have_text("Receipt")
    print(f"{parent.stops} stops of the focus")
