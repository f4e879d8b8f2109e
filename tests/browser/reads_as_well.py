"""A page in the dark, in letters of twice the size, and on paper: nothing is cut off, hidden at the side or covered."""

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.axe import assert_axe_clean

CUT_OFF = """[...document.querySelectorAll("main *")].filter((each) => {
  const shown = getComputedStyle(each), box = each.getBoundingClientRect();
  if (each.closest("svg, .govuk-visually-hidden, [hidden], .leaflet-container") || !each.textContent.trim() || box.width < 2) return false;
  const closed = shown.overflowX !== "visible" && shown.overflowX !== "auto" && shown.overflowX !== "scroll";
  return (closed && each.scrollWidth > each.clientWidth + 1) || (closed && each.scrollHeight > each.clientHeight + 1);
}).map((each) => each.outerHTML.slice(0, 120))"""
SQUEEZED = """[...document.querySelectorAll("main p, main .grow, main h2, main h3")].filter((each) => {
  const box = each.getBoundingClientRect(), letter = parseFloat(getComputedStyle(each).fontSize);
  return box.width > 2 && !each.closest("td, th, svg, .govuk-visually-hidden") && box.width < 5 * letter && box.height > 5 * letter
    && each.textContent.trim().length > 12;
}).map((each) => each.outerHTML.slice(0, 120))"""
"""A text in a column of one word."""

STICKS = "Math.max(0, ...[...document.querySelectorAll('.sticky')].map((each) => each.getBoundingClientRect().height))"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MOST_COVERED = 0.4
"""Of the screen, by the bar at the thumb."""

PICTURES = os.environ.get("PICTURES")


def dark_and_large(page: Page) -> None:
    """From here on the pages of this browser are dark, in large text."""
    page.emulate_media(color_scheme="dark")
    page.goto("/text-size?size=large")


def reads_as_well(page: Page, path: str) -> None:
    """Open the page; check it by axe, at 200 % and on paper."""
    page.goto(path)
    assert_axe_clean(page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    if PICTURES:
        name = re.sub(r"[0-9a-f]{8}-[-0-9a-f]{27}|[^a-z]+", "-", path).strip("-") or "home"
        page.screenshot(path=Path(PICTURES) / f"{name[-40:]}-{page.viewport_size['width']}-200.png", full_page=True)
    assert page.evaluate(SIDEWAYS) <= 0, path
    assert page.evaluate(CUT_OFF) == [], path
    assert page.evaluate(SQUEEZED) == [], path
    assert page.evaluate(STICKS) <= page.viewport_size["height"] * MOST_COVERED, f"the bar leaves no room for {path}"
    page.emulate_media(media="print")
    printed = page.locator("main .sticky:visible, main .btn:not([href^='tel:']):visible, header nav:visible")
    assert printed.count() == 0, path  # the number of an officer is read on paper too
    expect(page.locator("h1:visible").first).to_be_visible()
    page.emulate_media(media="screen")
