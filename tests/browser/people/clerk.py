"""A clerk of a kindergarten: reviews applications, and registers arrivals."""

from tests.browser.people.person import Person


class Clerk(Person):
    def comes_in(self, login: str, password: str) -> None:
        self.signs_in_at_the_desk(login, password)
        self.is_at("今日工作")

    def takes(self, registration_code: str, child: str) -> None:
        self.follows("资格审核")
        self.follows(registration_code)
        self.presses("领取这份申请")
        self.is_at(child)

    def finds_everything_as_claimed(self) -> None:
        """Verify each open fact as claimed."""
        for claimed in self.page.locator("tr.choose").get_by_role("radio", name="按申报核实").all():
            claimed.check()
        self.presses("核实通过", exact=False)

    def sends_back(self, item: str, note: str) -> str:
        """Ask the family of the application in hand for one named thing; the registration code."""
        self.follows("退回补充", exact=False)
        code = self.page.locator("main").inner_text().split("登记编号")[1].split()[0]
        self.ticks(item, exact=True)
        self.writes(f"要补充什么：{item}", note)
        self.presses("退回并通知家长")
        self.reads(f"{code} 已退回")
        return code

    def lets_in(self, registration_code: str) -> None:
        """On the first day: both papers are there, and the child goes into the roll."""
        self.follows("报到")
        row = self.page.get_by_role("row").filter(has_text=registration_code)
        row.get_by_label("体检表").check()
        row.get_by_label("接种证").check()
        self.presses("办理报到", exact=False, within=row)
        self.follows("已报到", exact=False)
        self.reads(registration_code)
