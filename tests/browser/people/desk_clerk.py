"""A clerk at the desk for families without a mobile phone: sees the document first, then acts for the guardian."""

import re

import pypdf
from playwright.sync_api import Download, expect

from tests.browser.people.person import Person, code_of


class DeskClerk(Person):
    def begins(self) -> None:
        """The session is there already; the first page of the desk's work."""
        self.page.goto("/staff/")
        self.looks()

    def finds(self, registration_code: str, guardian: str) -> None:
        """From the search to the guardian who stands at the desk, whose name is masked."""
        self.follows("窗口")
        self.writes("登记编号", registration_code)
        self.presses("查找")
        self.follows(guardian)

    def sees_the_document(self, kind: str, end: str) -> None:
        self.picks("出示的证件", kind)
        self.writes("证件号码最后 4 位", end)
        self.presses("核对")
        self.reads("末 4 位相符")

    def changes_the_phone(self, new_phone: str) -> None:
        """The guardian reads out the code of the new phone; the old one is lost."""
        self.writes("新的手机号", new_phone)
        self.presses("发验证码")
        self.writes("新手机号收到的验证码，由监护人读出", code_of(self.page, new_phone))
        self.presses("登记，等第二人确认")

    def confirms_the_change(self, registration_code: str) -> None:
        """As the second person."""
        self.follows("窗口")
        self.reads(registration_code)
        self.presses("我也看过证件，确认")

    def notes_the_answer(self, answer: str) -> None:
        self.ticks(answer)
        self.presses("记下答复")
        self.reads("答复已记下")

    def waits_for_a_letter(self, link: str) -> str:
        """The text of a letter that the worker draws: the page says that it is being prepared, or is ready by now, and gives it."""
        here = self.page.url
        with self.page.expect_download(
            timeout=180_000
        ) as coming:  # the page turns by itself, perhaps while it is looked at
            self.follows(link)
            expect(self.page.locator("h1")).to_have_text(re.compile("PDF (正在准备|做好了)"))
        words = _words_of(coming.value)
        self.page.goto(here)
        return words

    def contacted(self, way: str) -> None:
        self.ticks(way)
        self.presses("记下")


def _words_of(letter: Download) -> str:
    return "".join("".join(each.extract_text() for each in pypdf.PdfReader(letter.path()).pages).split())
