"""A person who follows links and buttons by their text; each opened page is checked for accessibility.

`PICTURES=folder` before the command of a test keeps a picture of each page, to be looked at.
"""

import itertools
import os
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.support.axe import axe_faults

DOORS = ("/", "/sign-in", "/demo/inbox", "/demo/clock")
"""The only addresses that anybody types."""

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDTHS = (390, 1280)
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
PICTURES = os.environ.get("PICTURES")
_numbers = itertools.count(1)


class Person:
    """`page` is this person's tab; `width` the pixels of the screen."""

    def __init__(self, page: Page):
        self.page = page
        self.width = page.viewport_size["width"]
        self.looked_at: list[str] = []
        self.taps = 0
        """How often the person touched the screen but for typing: a choice of a list takes two, a photo three."""

    def said(self, text: str) -> str:
        """What the pages call it that this person reads; whoever reads English overrides it."""
        return text

    def opens(self, door: str) -> None:
        """Open an address directly."""
        assert door in DOORS, f"nobody knows the address {door}"
        self.page.goto(door)
        self.looks()

    def named(self, link: str | re.Pattern) -> str | re.Pattern:
        return self.said(link) if isinstance(link, str) else link

    def follows(self, link: str | re.Pattern, *, exact: bool = True, within: Locator | None = None) -> None:
        place = within or self.page
        self.taps += 1
        with self.page.expect_navigation():
            place.get_by_role("link", name=self.named(link), exact=exact).first.click()
        self.looks()

    def presses(self, button: str, *, exact: bool = True, within: Locator | None = None, patience: int = 20) -> None:
        """`patience` in seconds, for an answer that is long in coming."""
        place = within or self.page
        self.taps += 1
        with self.page.expect_navigation(timeout=patience * 1000):
            place.get_by_role("button", name=self.said(button), exact=exact).first.click(timeout=patience * 1000)
        self.looks()

    def touches(self, button: str) -> None:
        """A button that changes this page and opens no other."""
        self.taps += 1
        self.page.get_by_role("button", name=self.said(button), exact=True).click()

    def writes(self, label: str, text: str, *, exact: bool = True) -> None:
        self.page.get_by_label(self.said(label), exact=exact).fill(text)

    def picks(self, label: str, option: str) -> None:
        self.taps += 2
        self.page.get_by_label(self.said(label), exact=True).select_option(label=self.said(option))

    def ticks(self, label: str, *, exact: bool = False) -> None:
        self.taps += 1
        self.page.get_by_label(self.said(label), exact=exact).check()

    def reads(self, *texts: str) -> None:
        """Check that all of these texts are on the page."""
        for text in texts:
            expect(self.page.locator("body")).to_contain_text(self.said(text))

    def is_at(self, heading: str) -> None:
        expect(self.page.locator("h1")).to_contain_text(self.said(heading))

    def looks(self) -> None:
        """Check that the page is accessible and does not scroll horizontally."""
        self.page.wait_for_load_state()
        expect(self.page.locator("h1")).to_have_count(1)
        # the sticky button covers the lower edge until the page is scrolled, so scroll to its final position first
        self.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        width = self.page.viewport_size["width"]
        faults = axe_faults(self.page)
        wide = self.page.evaluate(SIDEWAYS)
        if wide > 0:
            faults.append(f"the page is {wide} px wider than the screen")
        heading = self.page.locator("h1").inner_text()
        assert not faults, f"“{heading}” {self.page.url} at {width} px:\n  " + "\n  ".join(faults)
        self.looked_at.append(f"{width} {heading}")
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES) / f"{next(_numbers):03}-{width}.png", full_page=True)

    def looks_closely(self) -> None:
        """The same page at the other width, and in English at both."""
        other = {"width": sum(WIDTHS) - self.width, "height": 900}
        self._looks_at(other)
        self._reads_in(re.compile(r"^(English|EN)$"))
        self.looks()
        self._looks_at(other)
        self._reads_in("中文")

    def _looks_at(self, size: dict[str, int]) -> None:
        here = self.page.viewport_size
        self.page.set_viewport_size(size)
        self.looks()
        self.page.set_viewport_size(here)

    def _reads_in(self, language: str | re.Pattern) -> None:
        with self.page.expect_navigation():
            banner = self.page.get_by_role("banner")
            banner.get_by_role("link", name=language).or_(banner.get_by_role("button", name=language)).click()

    def signs_in_at_the_desk(self, login: str, password: str) -> None:
        """As the staff do: from the sign-in page to the password, and to the code of the demo's inbox."""
        self.opens("/sign-in")
        self.follows("工作人员登录")
        self.writes("账号", login)
        self.writes("密码", password)
        self.presses("下一步")
        self.gives_the_code(login)

    def signs_in_by_phone(self, phone: str) -> None:
        self.opens("/sign-in")
        self.writes("手机号", phone, exact=False)
        self.presses("获取验证码")
        self.gives_the_code(phone)

    def gives_the_code(self, login: str) -> None:
        """The page sends the code with its sixth digit."""
        code = code_of(self.page, login)
        with self.page.expect_navigation():
            self.page.get_by_role("textbox").fill(code)
        self.looks()


def code_of(page: Page, login: str) -> str:
    """The code that came to `login`, read in another tab, like the phone that lies beside the computer."""
    inbox = page.context.new_page()
    inbox.goto("/demo/inbox")
    for _ in range(240):
        for message in inbox.locator("main li").filter(has_text=login).all_inner_texts():
            if code := CODE.search(message):
                inbox.close()
                return code[0]
        inbox.wait_for_timeout(250)
        inbox.reload()
    raise AssertionError(f"no code for {login} came to /demo/inbox")
