"""One application that waits at a kindergarten: a register contradicts its home, the others agree."""

import io

from bs4 import BeautifulSoup
from PIL import Image

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Application
from enrollment.applications.register_answers import Answer
from enrollment.eligibility import evidence
from enrollment.eligibility.tiers import claimed_facts
from enrollment.season.facts import Fact
from tests.support.signing_in import sign_in

LANGUAGES = ["zh", "en"]


def open_season(town):
    """Two kindergartens, `town.here` and `town.there`, in the weeks of registration; the first of them."""
    town.here = town.kindergarten("锦官新城幼儿园", places=10)
    town.there = town.kindergarten("小蜜蜂幼儿园", places=10)
    town.open_registration()
    return town.here


def hand_in(town) -> Application:
    """Ana's application, with a photo of the booklet and the answers of the registers; `town.here` reviews it."""
    family = town.family("李")
    town.agree_to_registers(family)
    ana = town.child("李沐晨", family=family, wishes=[town.there, town.here], grounds={"elder_sibling": town.there})
    ana.review_kindergarten_id = town.here.id
    photo = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(photo, "PNG")
    evidence.add_pages(town.session, ana.id, "hukou_booklet", [photo.getvalue()], by=town.parent_of(ana), now=town.now)
    ana.review_kindergarten_id = town.here.id
    answers = [
        Answer(ana.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
        for fact, value in claimed_facts(town.session, ana.id).items()
        if fact != Fact.HOME_PLACE
    ]
    answers += [Answer(ana.id, "home_place", "property", "differs", {"street": "春熙路街道"})]
    answers += [Answer(ana.id, "vaccination", "vaccination", "matches")]
    register_answers.note(town.session, answers, now=town.now)
    return ana


def sit_down(town, client, clerk, frozen_clock):
    """The clerk's browser, on the evening when registration has closed."""
    town.registration_is_over()
    frozen_clock.set(town.now)
    town.session.commit()
    return sign_in(client, clerk.account_id)


def text_of(response) -> str:
    return " ".join(BeautifulSoup(response.text, "lxml").find("main").get_text(" ").split())
