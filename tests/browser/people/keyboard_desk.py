"""Staff at a desk with a keyboard alone, in either language: what is pressed is named by its place on the page, not by its words."""

from playwright.sync_api import Locator, expect

from tests.browser.people.keyboard_newcomer import HERE, IN_SIGHT, OF_THE_GROUP
from tests.browser.people.person import Person

MOST_KEYS = 220
"""A long form of a desk: more, and nobody would get there."""


class KeyboardDesk(Person):
    """`page` belongs to somebody who has signed in."""

    def goes_to(self, address: str) -> None:
        self.page.goto(address)
        self.looks()

    def reaches(self, what: str | Locator, where: str = HERE) -> Locator:
        """Tab until the control has the focus, and see that nothing lies over it."""
        control = self.page.locator(what).first if isinstance(what, str) else what
        expect(control).to_be_attached()
        for _ in range(MOST_KEYS):
            self.page.keyboard.press("Tab")
            if control.evaluate(where):
                assert self.page.evaluate(f"({IN_SIGHT})(document.activeElement)"), f"covered: {control}"
                return control
        raise AssertionError(f"{MOST_KEYS} times Tab do not lead to {control} on {self.page.url}")

    def enters(self, what: str | Locator) -> None:
        """A link or a button that opens another page."""
        self.reaches(what)
        self.turns("Enter")

    def turns(self, key: str) -> None:
        """A key that opens another page."""
        with self.page.expect_navigation(timeout=20_000):
            self.page.keyboard.press(key)
        self.looks()

    def writes_in(self, field: str, text: str) -> None:
        control = self.reaches(field)
        if control.evaluate("each => each.type") == "date":
            control.fill(text)  # its parts stand in the order of the browser's language
        else:
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.insert_text(text)

    def ticks_at(self, box: str | Locator) -> None:
        self.reaches(box)
        self.page.keyboard.press("Space")

    def chooses_at(self, radio: str) -> None:
        """One of several: Tab reaches the group, the arrows the one."""
        control = self.page.locator(radio).first
        self.reaches(control, OF_THE_GROUP)
        self.page.keyboard.press("Space")
        for _ in range(MOST_KEYS):
            if control.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows do not lead to {radio}")
