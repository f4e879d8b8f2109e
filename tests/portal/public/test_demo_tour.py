"""The tour of the demo: each step has words, pictures and an address, and `docs/tour.md` is written from it."""

import pytest
from sqlalchemy import func, select

from enrollment.ground.jobs import Job
from portal.demo import people, season, time_travel, tour
from portal.text.words import table
from tests.browser.tour import DOCUMENT, PICTURES, document
from tests.support.signing_in import hidden_fields

STEPS = [step for story in tour.STORIES for step in story.steps]


def test_every_step_has_words_and_pictures():
    words, codes = table(), {step.code for step in STEPS}
    assert codes == words["tour_step"].keys() == words["tour_step_text"].keys() and len(codes) == len(STEPS)
    assert {story.code for story in tour.STORIES} == words["tour_story"].keys() == words["tour_story_lead"].keys()
    pictures = {f"{step.code}-{language}.webp" for step in STEPS for language in tour.PICTURE_LANGUAGE}
    assert {file.name for file in PICTURES.glob("*.webp")} == pictures
    assert max(file.stat().st_size for file in PICTURES.glob("*.webp")) < 120_000


def test_the_document_is_written_from_the_stories():
    assert DOCUMENT.read_text("utf-8") == document(), "run `make tour`"


def test_every_address_of_the_tour_is_a_page(whole_app):
    known = {"kindergarten": "510104-1", "application": str(ID), "round": str(ID), "year": "2026"}
    routes = whole_app.url_map.bind("localhost")
    for step in STEPS:
        path = tour.path_of(step, known)
        assert path and routes.match(path, method="GET"), step


ID = "00000000-0000-4000-8000-000000000001"


def test_the_page_links_what_the_demo_has_and_says_what_comes_later(client, town, session):
    town.kindergarten(people.HOME)
    town.season()
    page = client.get("/demo/tour").get_data(as_text=True)
    for story in tour.STORIES:
        assert f'id="{story.code}"' in page
    linked = {step.code for step in STEPS if f'id="step-{step.code}"' in page}
    assert linked == {step.code for step in STEPS}
    assert 'class="open" href="/check"' in page and "/demo/clock" in page
    english = client.get("/demo/tour?lang=en", follow_redirects=True).get_data(as_text=True)
    assert "A mother and her phone" in english and "family_home-en.webp" in english


@pytest.mark.parametrize("missing", ["application", "round"])
def test_what_the_demo_does_not_have_yet_is_not_linked(missing):
    known = {"kindergarten": "1", "application": ID, "round": ID, "year": "2026"}
    del known[missing]
    without = [step for step in STEPS if f"{{{missing}}}" in step.path]
    assert without and all(tour.path_of(step, known) is None for step in without)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", ("模拟的抽签没有进行", "还有 1 份申请没有审完", "由模拟的老师审")),
        (
            "en",
            ("the simulated draw has not happened", "still under review", "for the simulated clerks"),
        ),
    ],
)
def test_the_clock_says_what_keeps_the_draw_from_happening_and_does_not_pass_it(
    client, town, frozen_clock, language, told
):
    """The refusal of the freeze in its own words, what helps, and the place where it is done."""
    town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    town.close_registration()
    town.session.commit()
    frozen_clock.set(season.DATES["result"][0] + time_travel.HOUR)
    page = client.get(f"/demo/clock?lang={language}", follow_redirects=True).get_data(as_text=True)
    assert all(text in page for text in told) and 'href="/staff/queue"' in page
    assert "/demo/clock/supplementary" not in page and "/demo/clock/confirmation" not in page
    answer = client.post("/demo/clock/confirmation", data=hidden_fields(client.get("/sign-in").text))
    assert (
        answer.status_code == 200 and town.session.scalar(select(func.count()).where(Job.kind == time_travel.KIND)) == 0
    )
