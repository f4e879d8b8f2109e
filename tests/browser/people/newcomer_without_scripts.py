"""A newcomer whose browser runs no script: every act is a button that is pressed, every photo a file that is uploaded."""

from pathlib import Path

from playwright.sync_api import FilePayload, expect

from tests.browser.people.newcomer import Newcomer
from tests.browser.people.parent import Parent
from tests.browser.people.person import SIDEWAYS, code_of


class NewcomerWithoutScripts(Newcomer):
    def looks(self) -> None:
        """axe is a script too; what it says of these pages, other people's walks have asked."""
        expect(self.page.locator("h1")).to_have_count(1)
        assert self.page.evaluate(SIDEWAYS) <= 0, self.page.url

    def gives_the_code(self, login: str) -> None:
        self.page.get_by_role("textbox").fill(code_of(self.page, login))
        expect(self.page.locator("[data-by-itself]")).to_be_hidden()
        self.presses("登录", within=self.page.get_by_role("main"))

    def lives_where_registered(self) -> None:
        Parent.lives_where_registered(self)

    def uploads(self, document: str, photo: Path | FilePayload) -> None:
        paper = self.page.locator("section.card").filter(has=self.page.get_by_role("heading", name=document))
        self.taps += 2
        paper.get_by_label(f"{document}：拍照或选择文件").set_input_files(photo)
        self.presses("上传", within=paper)
        expect(paper.locator(".tile:not(.shooting)")).to_have_count(1)
