"""A community helper: enters an application for a guardian without a mobile phone, who signed a mandate on paper."""

import datetime as dt
from pathlib import Path

from tests.browser.people.parent import Parent
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

    def chooses(self, field: str, photo: Path) -> None:
        """Choose a photo; the script reduces its size first."""
        chosen = self.page.get_by_label(field)
        chosen.set_input_files(photo)
        self.page.locator("input[type=file][data-ready='1']").wait_for(state="attached")

    def says_who_the_grandmother_is(self, name: str) -> None:
        if (field := self.page.get_by_label("姓名", exact=False).first).input_value() == "":
            field.fill(name)
        self.page.get_by_label("证件号码", exact=False).fill(id_number(dt.date(1958, 10, 2), "f"))
        self.presses("保存并继续")

    def enters_the_grandchild(self, name: str) -> None:
        self.writes("孩子的姓名", name)
        self.picks("监护人是孩子的", "祖父母、外祖父母")
        self.writes("孩子的证件号码", id_number(dt.date(2023, 3, 12), "f"))
        self.presses("保存并继续")

    def goes_on_with(self, guardian: str) -> None:
        self.page.goto("/helpers")
        self.looks()
        self.presses("继续代办", within=self.page.locator("section").filter(has_text=guardian))
