"""Signs in to the demo in a browser, with the code in the demo inbox."""

import re

from playwright.sync_api import Page, expect

PASSWORD = "chengdu-2026"
PHONE_NUMBER = re.compile(r"1\d{10}")
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


def sign_in(page: Page, login: str, path: str = "/") -> None:
    """Sign in with a phone number (families) or a login name (everybody else), then go to `path`."""
    family = bool(PHONE_NUMBER.fullmatch(login))
    page.goto("/sign-in" if family else "/sign-in/staff")
    if family:
        page.locator("input[name=phone]").fill(login)
    else:
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=password]").fill(PASSWORD)
    seen = newest(page)
    page.locator("main form button").first.click()
    field = page.locator("input[name=code]")
    expect(field).to_be_visible(timeout=20_000)
    field.fill(wait_for_code(page, seen))  # the sixth digit sends it
    expect(field).to_have_count(0, timeout=20_000)
    page.goto(path)


def newest(page: Page) -> list[str]:
    """The codes that the inbox shows now, the newest first."""
    with_inbox = page.context.new_page()
    with_inbox.goto("/demo/inbox")
    codes = CODE.findall(with_inbox.locator("main").inner_text())
    with_inbox.close()
    return codes


def wait_for_code(page: Page, seen: list[str]) -> str:
    """The code that came after `seen`; a worker delivers it within a moment."""
    for _ in range(60):
        codes = newest(page)
        if codes[:1] != seen[:1] or len(codes) > len(seen):
            return codes[0]
        page.wait_for_timeout(500)
    raise AssertionError("no new code came to /demo/inbox")
