"""Pages 10, 11, 14 and 17, and what leads to them, in the dark, at 200 % and on paper, in both languages."""

import pytest
from sqlalchemy import select

from enrollment.places.kindergartens import Kindergarten
from tests.browser.reads_as_well import dark_and_large, reads_as_well
from tests.browser.test_after_the_draw import Drawn, drawn

__all__ = ["drawn"]

BOTH = pytest.mark.parametrize("language", ["zh-CN", "en"])


@BOTH
def test_public_pages_read_as_well_in_the_dark_in_large_letters_and_on_paper(site, drawn: Drawn, new_page, language):
    with site.session() as session:
        one, two = session.scalars(select(Kindergarten.code).order_by(Kindergarten.sort_key).limit(2))
    page = new_page(phone=True, language=language)
    page.goto(f"/?lang={language[:2]}")
    dark_and_large(page)
    for path in (
        "/kindergartens?q=幼儿园", "/kindergartens?nature=private&area=510104", "/kindergartens?view=map",
        f"/kindergartens/compare?k={one}&k={two}", f"/kindergartens/{one}", "/vacancies", "/draws", "/check",
        "/announcements", "/offline", "/demo/tour",
    ):  # fmt: skip
        reads_as_well(page, path)


@BOTH
@pytest.mark.parametrize("who", ["waits", "placed"])
def test_results_read_as_well_in_the_dark_in_large_letters_and_on_paper(site, drawn: Drawn, new_page, language, who):
    page = new_page(phone=True, language=language)
    page.context.add_cookies([{"name": "session", "value": getattr(drawn, who), "url": site.url}])
    page.goto(f"/?lang={language[:2]}")
    dark_and_large(page)
    page.goto("/parents")
    result = page.locator("a[href^='/parents/applications/'][href$='/result']").first.get_attribute("href")
    application = result.removesuffix("/result")
    pages = ["result", "check-result", "findings", "corrections", "ask/appeal", "withdraw"]
    if who == "placed":
        pages += [f"result/{each}" for each in ("confirm", "wait", "decline")]
    for path in ("/parents", application, *(f"{application}/{each}" for each in pages)):
        reads_as_well(page, path)
