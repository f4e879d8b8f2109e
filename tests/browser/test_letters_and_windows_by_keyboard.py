"""Open days, messages, letters for many and the window for families without a phone, with a keyboard alone and in both languages."""

import datetime as dt

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.family_messages.rows import FamilyMessage
from enrollment.ground.outbox import TextMessage
from enrollment.open_days.rows import OpenDay
from enrollment.people.desk_rows import DeskContact
from enrollment.results.letter_batches import LetterBatch
from tests.browser.test_the_desk_by_keyboard import LANGUAGES, sits_down
from tests.support.town import Town
from tests.support.town_families import id_number

__all__ = ["sits_down"]
NUMBER = id_number(dt.date(1988, 3, 3))


@pytest.fixture
def garden(site, now):
    """A kindergarten after the results: two children have confirmed, and the guardian of a third one has no phone."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        town.garden = town.kindergarten("锦官驿幼儿园", places=5)
        town.open_registration()
        town.clerk, town.head = town.clerk_of(town.garden), town.head_of(town.garden)
        helper = town.helper()
        mandate = town.mandate_on_paper(helper, "")
        town.baby = town.helper_enters(town.acting(helper, mandate), wishes=[town.garden], guardians_number=NUMBER)
        others = [town.child(name, wishes=[town.garden]) for name in ("李沐晨", "王小雨")]
        town.drawn(*others, town.baby)
        for each in others:
            town.confirm(each)
        site.set_time(town.now)
        town.code = town.baby.registration_code
    return town


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_open_day_is_published(site, garden, sits_down, language):
    clerk = sits_down(garden.clerk, language, "/staff/families")
    clerk.enters("main a[href*='/staff/open-days/new']")
    clerk.writes_in("#on_day", f"{garden.now.date() + dt.timedelta(days=9):%Y-%m-%d}")
    clerk.writes_in("#meeting_point", "南门")
    clerk.writes_in("#places_0", "12")
    clerk.enters("main form[method=post] button")
    expect(clerk.page.locator("main")).to_contain_text("南门")
    with site.session() as session:
        assert session.scalars(select(OpenDay.meeting_point)).all() == ["南门"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_heads_own_words_reach_a_selection_after_a_preview(site, garden, sits_down, language):
    head = sits_down(garden.head, language, "/staff/message-templates")
    for field, text in (
        ("name", "家长会"),
        ("text_zh", "周五 16:00 家长会。"),
        ("text_en", "Meeting on Friday at 16:00."),
    ):
        head.writes_in(f"main form.card [name={field}]", text)
    head.enters("main form:has([name=text_zh]) button")
    head.goes_to("/staff/messages/new")
    head.chooses_at("[name=audience][value=place-expected]")
    head.chooses_at("[name=template] >> nth=-1")
    head.enters("main form[method=post] button")
    expect(head.page.locator("main")).to_contain_text("周五 16:00" if language == "zh" else "Meeting on Friday")
    head.enters("main form[method=post] button")
    with site.session() as session:
        assert len(session.scalars(select(FamilyMessage)).all()) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_for_all_who_come_are_drawn_into_one_file(site, garden, workers, sits_down, language):
    clerk = sits_down(garden.clerk, language, "/staff/families/print")
    clerk.chooses_at("[name=kind][value=notices]")
    clerk.chooses_at("[name=audience][value=place-expected]")
    clerk.enters("main form[method=post] button")
    link = clerk.page.locator("main a[href$='.pdf']").first
    expect(link).to_be_visible(timeout=180_000)
    clerk.looks()
    clerk.reaches(link)
    with clerk.page.expect_download() as coming:
        clerk.page.keyboard.press("Enter")
    assert coming.value.path().read_bytes().startswith(b"%PDF")
    with site.session() as session:
        assert len(session.scalars(select(LetterBatch)).one().applications) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_window_for_a_guardian_without_a_phone(site, garden, sits_down, language):
    """Who has to be called, the document that lies on the desk, the answer, and the call that is noted."""
    clerk = sits_down(garden.clerk, language, "/staff/desk")
    expect(clerk.page.locator("main table")).to_contain_text(garden.code)
    clerk.writes_in("#code", garden.code)
    clerk.turns("Enter")
    clerk.chooses_at("[name=way]")
    clerk.enters("main form[action$='/contact'] button")
    clerk.goes_to("/staff/desk")
    clerk.writes_in("#code", garden.code)
    clerk.turns("Enter")
    clerk.enters("main .list a")
    clerk.reaches("#document_kind")
    clerk.page.locator("#document_kind").select_option("resident")  # the arrows open a list of the operating system
    clerk.writes_in("#document_end", NUMBER[-4:])
    clerk.turns("Enter")
    clerk.chooses_at("[name=answer][value=confirm]")
    clerk.enters("main form[action$='/answer'] button")
    with site.session() as session:
        assert len(session.scalars(select(DeskContact)).all()) == 1
        assert session.scalars(select(TextMessage)).all() == [], "nobody was promised a text message"
    clerk.goes_to("/staff/desk")
    expect(clerk.page.locator("main")).not_to_contain_text(garden.code)
