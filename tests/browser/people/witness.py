"""A witness of the draw: no account, a phone of its own, a link from one official and a code from another."""

from tests.browser.people.person import Person


class Witness(Person):
    def scans(self, link: str) -> None:
        self.page.goto(link)
        self.looks()

    def hears(self, code: str) -> None:
        self.looks_closely()
        self.writes("口令", code)
        self.presses("打开")

    def enters(self, numbers: str) -> None:
        """Fill in a field for each number, read them back, enter them."""
        self.looks_closely()
        for field, number in zip(self.page.locator(".numbers input").all(), numbers.split(), strict=True):
            field.fill(number)
        self.presses("核对一遍")
        self.reads("请再读一遍", numbers)
        self.presses("一个不差，录入")
        self.reads("已经录入，谢谢您")
