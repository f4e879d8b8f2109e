"""A newcomer who has nothing but a keyboard: Tab and the arrows lead to each control, and what has the focus is in sight."""

import re
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.people.newcomer import Newcomer
from tests.browser.people.person import code_of

MOST_KEYS = 150
"""To one control: more, and nobody would get there."""

HERE = "each => each === document.activeElement"
OF_THE_GROUP = "each => each === document.activeElement || (each.name && each.name === document.activeElement.name)"
IN_SIGHT = """each => {
  const box = each.getClientRects()[0], shown = each.labels?.[0]?.getClientRects()[0];
  return [box, shown].some((place) => {
    const at = place && document.elementFromPoint(place.x + place.width / 2, place.y + place.height / 2);
    return at && (each.contains(at) || at.contains(each) || [...(each.labels ?? [])].some((label) => label.contains(at)));
  });
}"""
"""Whether nothing lies over the control: a bar that sticks to the edge covers what has the focus behind it."""


class KeyboardNewcomer(Newcomer):
    def __init__(self, page):
        super().__init__(page)
        self.keys = 0
        # whoever listens only from the key on may be late: then the browser has opened the chooser of the machine
        page.on("filechooser", lambda _chooser: None)

    def press(self, key: str) -> None:
        self.keys += 1
        self.page.keyboard.press(key)

    def reaches(self, control: Locator, where: str = HERE) -> None:
        """Tab until the control has the focus."""
        expect(control).to_be_attached()
        for _ in range(MOST_KEYS):
            self.press("Tab")
            if control.evaluate(where):
                assert self.page.evaluate(f"({IN_SIGHT})(document.activeElement)"), f"covered: {control}"
                return
        raise AssertionError(f"{MOST_KEYS} times Tab do not lead to {control} on {self.page.url}")

    def follows(self, link: str | re.Pattern, *, exact: bool = True, within: Locator | None = None) -> None:
        self.opens_by((within or self.page).get_by_role("link", name=self.named(link), exact=exact).first)

    def presses(self, button: str, *, exact: bool = True, within: Locator | None = None, patience: int = 20) -> None:
        self.opens_by((within or self.page).get_by_role("button", name=self.said(button), exact=exact).first)

    def opens_by(self, control: Locator) -> None:
        self.taps += 1
        self.reads_down_to(control)
        self.reaches(control)
        with self.page.expect_navigation(timeout=20_000):
            self.press("Enter")
        self.looks()

    def touches(self, button: str) -> None:
        self.taps += 1
        self.reaches(self.page.get_by_role("button", name=self.said(button), exact=True))
        self.press("Enter")

    def writes(self, label: str, text: str, *, exact: bool = True) -> None:
        self.reaches(self.page.get_by_label(self.said(label), exact=exact))
        self.types(text)

    def types(self, text: str) -> None:
        self.typed += len(text)
        self.page.keyboard.insert_text(text)

    def picks(self, label: str, option: str) -> None:
        """The arrows choose: Chromium takes the next option of a closed list with each."""
        self.taps += 2
        field = self.page.get_by_label(self.said(label), exact=True)
        self.reaches(field)
        for _ in range(MOST_KEYS):
            if field.evaluate("each => each.selectedOptions[0]?.label") == self.said(option):
                return
            self.press("ArrowDown")
        raise AssertionError(f"{option} is not in {label}")

    def ticks(self, label: str, *, exact: bool = False) -> None:
        """A box by the space bar; one of several by the arrows, of which Tab reaches only one."""
        self.taps += 1
        box = self.page.get_by_label(self.said(label), exact=exact)
        if box.evaluate("each => each.type") == "checkbox":
            self.reaches(box)
            self.press("Space")
        else:
            self.reaches(box, OF_THE_GROUP)
            self.press("Space")
            for _ in range(MOST_KEYS):
                if box.is_checked():
                    break
                self.press("ArrowDown")
        expect(box).to_be_checked()

    def uploads(self, document: str, photo: Path | FilePayload) -> None:
        self.taps, self.photos = self.taps + 3, self.photos + 1
        paper = self.page.locator("section.card").filter(has=self.page.get_by_role("heading", name=self.said(document)))
        self.reaches(paper.locator("[data-shoot][capture]"))
        with self.page.expect_file_chooser() as asked:
            self.press("Enter")
        asked.value.set_files(photo)
        expect(paper.locator(".tile:not(.kept-tile):not(.shooting)")).to_have_count(1)

    def gives_the_code(self, login: str) -> None:
        code = code_of(self.page, login)
        self.page.bring_to_front()
        self.reaches(self.page.get_by_role("textbox"))
        with self.page.expect_navigation():
            self.types(code)
        self.looks()

    def told(self) -> str:
        return f"{super().told()}\n{self.keys} keys"
