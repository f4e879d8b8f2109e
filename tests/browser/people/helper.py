"""A community helper: enters an application for a guardian without a mobile phone, who signed a mandate on paper."""

import datetime as dt
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.people.parent import Parent
from tests.browser.people.person import code_of
from tests.support.town_families import id_number


class Helper(Parent):
    def begins_with_a_paper(self, guardian: str, signed_on: dt.date, paper: Path) -> None:
        self.page.goto("/helpers")
        self.looks()
        self.follows("为一个家庭代办")
        self.follows("用签名委托书")
        self.writes("委托书上的监护人姓名", guardian)
        self.writes("签名日期", signed_on.isoformat())
        self.ticks("监护人当面签名")
        self.chooses("签好的委托书：拍照或 PDF", paper)
        self.presses("保存委托书，开始代办")

    def begins_with_a_code(self, phone: str) -> None:
        """The guardian reads out the code that came to the telephone."""
        self.page.goto("/helpers/new")
        self.looks()
        self.writes("监护人的手机号", phone)
        self.ticks("监护人同意")
        self.presses("发送验证码")
        self.writes("监护人读给您的验证码", code_of(self.page, phone))
        self.presses("开始代办")

    def chooses(self, field: str, photo: Path) -> None:
        """Choose a photo; the script reduces its size first."""
        chosen = self.page.get_by_label(field)
        chosen.set_input_files(photo)
        self.page.locator("input[type=file][data-ready='1']").wait_for(state="attached")

    def uploads(self, document: str, photo: Path) -> None:
        """Upload by the form: a helper's machine keeps nothing of a family, so that no photo waits there."""
        paper = self.page.locator("section.card").filter(has=self.page.get_by_role("heading", name=document))
        field = paper.get_by_label(f"{document}：拍照或选择文件")
        field.set_input_files(photo)
        expect(field).to_have_attribute("data-ready", "1")
        self.presses("上传", within=paper)
        expect(paper.locator(".tile")).to_have_count(1)

    def says_who_the_grandmother_is(self, name: str) -> None:
        if (field := self.page.get_by_label("姓名", exact=False).first).input_value() == "":
            field.fill(name)
        self.page.get_by_label("证件号码", exact=False).fill(id_number(dt.date(1958, 10, 2), "f"))
        self.presses("保存并继续")

    def enters_the_grandchild(self, name: str) -> None:
        self.writes("孩子的姓名", name)
        self.ticks("祖父母、外祖父母")
        self.writes("孩子的证件号码", id_number(dt.date(2023, 3, 12), "f"))
        self.presses("保存并继续")

    def goes_on_with(self, guardian: str) -> None:
        self.page.goto("/helpers")
        self.looks()
        self.presses("继续代办", within=self.page.locator("section").filter(has_text=guardian))
