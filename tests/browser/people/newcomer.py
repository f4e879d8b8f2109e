"""A parent who has never seen the form: each tap, each typed character and each line that is read is counted.

The minutes are computed from the counts, so that they do not depend on the machine:

* reading: 330 characters a minute. Adults read Chinese aloud at 255 (Trauzettel-Klosinski and Dietz, 2012), and silent
  reading is 1.3 times as fast (Brysbaert, 2019). Every visible line above the control that is pressed is read, once: a line of an
  earlier page, or what one typed oneself, is recognised. A list of options is searched, not read.
* a tap: 1.5 s to point and to touch (the keystroke-level model: 1.1 s and 0.3 s); to decide is the reading before it.
* typing: a Chinese character a second, two digits or letters a second. Adults type 3 letters a second on phones (Palin et al., 2019).
* a photo: 10 s more, to lay the paper straight; a code by text message: 20 s until it is there.
"""

import os
import re
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.people.parent import Parent

LINES = os.environ.get("LINES_READ")
"""`LINES_READ=1` before the command of a test prints each line that is read."""

SECONDS_A_TAP, SECONDS_A_CHARACTER, SECONDS_A_DIGIT, SECONDS_A_PHOTO, SECONDS_FOR_A_CODE = 1.5, 1, 0.5, 10, 20
ABOVE = """(pressed) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), lines = new Map();
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const around = text.parentElement;
    if (!pressed.contains(text) && pressed.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING) break;
    if (!text.data.trim() || around.closest("option, datalist, script, style, noscript, .skip, .demo, [aria-hidden=true]")) continue;
    if (around.closest("details:not([open])") && !around.closest("summary")) continue;
    if (around.closest(".govuk-visually-hidden") || !around.checkVisibility()) continue;
    const block = around.closest("p, li, h1, h2, h3, dt, dd, label, legend, a, button, summary, div");
    lines.set(block, (lines.get(block) ?? "") + text.data.trim());
  }
  return [...lines.values()];
}"""


class Newcomer(Parent):
    UNIT, A_MINUTE = "characters", 330

    def __init__(self, page):
        super().__init__(page)
        self.read = self.typed = self.photos = 0
        self.typing = 0.0
        self.pages: list[tuple[str, int]] = []
        """Each page with the characters that were new on it."""
        self._known: set[str] = set()

    def comes_in(self) -> None:
        self.opens("/")

    def begins(self, phone: str) -> None:
        """As a visitor does: the page that the link leads to is the one where the number is typed."""
        self.comes_in()
        self.follows("开始登记或继续填写")
        self.writes("手机号", phone, exact=False)
        self.presses("获取验证码")
        self.typed, self.typing = self.typed + 6, self.typing + 6 * SECONDS_A_DIGIT
        self.gives_the_code(phone)
        self.is_at("个人信息同意书")

    def follows(self, link: str | re.Pattern, *, exact: bool = True, within: Locator | None = None) -> None:
        self.reads_down_to((within or self.page).get_by_role("link", name=self.named(link), exact=exact).first)
        super().follows(link, exact=exact, within=within)

    def presses(self, button: str, *, exact: bool = True, within: Locator | None = None, patience: int = 20) -> None:
        self.reads_down_to((within or self.page).get_by_role("button", name=self.said(button), exact=exact).first)
        super().presses(button, exact=exact, within=within, patience=patience)

    def reads_down_to(self, control: Locator) -> None:
        """Read what stands above the control."""
        lines = set(control.evaluate(ABOVE)) - self._known
        self._known |= lines
        new = sum(map(self.length, lines))
        if LINES:
            print(*sorted(lines, key=len), sep="\n")
        self.read += new
        self.pages.append((" ".join(self.page.locator("h1").inner_text().split()), new))

    @staticmethod
    def length(line: str) -> int:
        """How much there is to read, in the unit of `UNIT`."""
        return len("".join(line.split()))

    def lives_where_registered(self) -> None:
        """One touch, where a choice of the list takes two."""
        self.touches("和户籍一样：锦江区")
        expect(self.page.get_by_label(self.said("孩子现在住在"), exact=True)).to_have_value("510104")

    def looks_closely(self) -> None:
        """A newcomer reads in one language, on the phone."""

    def writes(self, label: str, text: str, *, exact: bool = True) -> None:
        self.typed += len(text)
        self.typing += sum(SECONDS_A_DIGIT if each.isascii() else SECONDS_A_CHARACTER for each in text)
        self._known.add(text)
        super().writes(label, text, exact=exact)

    def uploads(self, document: str, photo: Path | FilePayload) -> None:
        self.photos += 1
        super().uploads(document, photo)

    @property
    def minutes(self) -> float:
        return (
            self.read / self.A_MINUTE
            + (self.taps * SECONDS_A_TAP + self.typing + self.photos * SECONDS_A_PHOTO + SECONDS_FOR_A_CODE) / 60
        )

    def told(self) -> str:
        """The walk in lines: each page with what is new on it, and the sums."""
        pages = "\n".join(f"{new:6} {self.UNIT}  {heading}" for heading, new in self.pages)
        return (
            f"{pages}\n{self.taps} taps, {self.read} {self.UNIT} read, {self.typed} typed, {self.photos} photos: "
            f"{self.minutes:.1f} minutes"
        )
