"""The step from one page to the next: what a test does next finds the new page, and its scripts listen."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Page, expect

PATIENCE = 30_000
"""Milliseconds for anything that a page, a worker or a server beside other tests has to do.  A fault costs them, a success nothing."""


@contextlib.contextmanager
def another_page(page: Page, heading: str | None = None) -> Iterator[None]:
    """What is done inside opens another page of this tab, with this heading.

    The words of a page stand there before its scripts run, and a form that was sent is answered only by the next page: a key, a
    click or an address at once after the act would meet the page before, or take the place of what it has sent.
    """
    with page.expect_navigation(timeout=PATIENCE):
        yield
    if heading is not None:
        expect(page.locator("h1")).to_have_text(heading)
