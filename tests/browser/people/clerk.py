"""A clerk of a kindergarten: reviews applications, and registers arrivals."""

import re

from playwright.sync_api import expect

from tests.browser.people.person import Person

CODE = re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b")


class Clerk(Person):
    def comes_in(self, login: str, password: str) -> None:
        self.signs_in_at_the_desk(login, password)
        self.is_at("今日工作")

    def takes(self, registration_code: str, child: str) -> None:
        self.follows("资格审核")
        self.writes("按编号、姓名或拼音找", registration_code)
        self.presses("查找", exact=False)
        self.follows(registration_code)
        self.presses("领取这份申请", exact=False)
        self.is_at(child)

    def finds_everything_as_claimed(self) -> None:
        """Verify each open fact as claimed."""
        for claimed in self.page.locator(".fact[data-fact] input[value=claimed]").all():
            claimed.check(force=True)
        self.presses("核实通过，下一份", exact=False)

    def sends_back(self, note: str, *, item: str = "") -> str:
        """Ask the family of the application in hand for `item`, else for what heads the list; the registration code."""
        self.follows("退回补充", exact=False)
        code = CODE.search(self.page.locator("main").inner_text()).group()
        for folded in self.page.locator("details:has(.return-item) > summary").all():
            folded.click()
        item = item or self.page.locator(".return-item").first.get_attribute("data-item")
        self.ticks(item, exact=True)
        self.writes(f"用自己的话说：{item}", note)
        expect(self.page.locator("[data-preview]")).to_contain_text(f"{item}{note}")
        self.presses("退回 1 项，通知家长")
        self.reads(f"{code} 已退回")
        return code

    def lets_in(self, registration_code: str) -> None:
        """On the first day: both papers are there, and the child goes into the roll."""
        self.follows("报到")
        self.page.get_by_label("找孩子").fill(registration_code)
        child = self.page.locator(f'#door [data-code="{registration_code}"]')
        child.get_by_label("体检表").check()
        child.get_by_label("接种证").check()
        child.get_by_role("button", name="到了，进").click()
        expect(self.page.locator("#unsent")).to_be_hidden()
        self.page.get_by_role("link", name="已到").click()
        expect(child).to_be_visible()
        self.page.reload()
        self.page.get_by_role("link", name="已到").click()
        expect(child).to_be_visible()
