"""The tour of the demo: each step has words, pictures and an address, and `docs/tour.md` is written from it."""

import pytest

from portal.demo import people, tour
from portal.text.words import table
from tests.browser.tour import DOCUMENT, PICTURES, document

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
