"""A parent after the draw: what comes next, where a place is free, who answers, and what a tap on a date gives."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.people.person import Person


class WaitingParent(Person):
    def finds_its_application(self) -> None:
        """The link on the home page says what is open at the time."""
        self.opens("/")
        self.follows(re.compile("查看我的申请和结果|开始登记或继续填写"))

    def finds_the_result(self) -> None:
        self.finds_its_application()
        self.follows("查看结果")

    def card(self, heading: str) -> Locator:
        return self.page.locator("section.card").filter(has=self.page.get_by_role("heading", name=heading, exact=True))

    def reads_the_leaf(self, *texts: str) -> None:
        for text in texts:
            expect(self.page.locator(".leaf").first).to_contain_text(text)

    def vacancies(self) -> list[str]:
        return self.card("还有空位的，离您家近的在前").get_by_role("heading", level=3).all_inner_texts()

    def line(self) -> list[str]:
        """The blocks of the waiting line, one for each wish that the family waits for."""
        return self.card("原来的志愿：您家在排队").locator(".queue > li").all_inner_texts()

    def officer(self) -> str:
        return self.card("有事找这一位").inner_text()

    def adds_near_home(self, kindergarten: str) -> None:
        near = self.page.get_by_role("link", name=kindergarten, exact=True)
        self.presses(
            "加为第",
            exact=False,
            within=self.card("还有空位的，离您家近的在前").get_by_role("listitem").filter(has=near),
        )

    def calendar_file(self) -> str:
        """What the phone's calendar gets from the link."""
        link = self.page.get_by_role("link", name="加到手机日历").first
        answer = self.page.request.get(link.get_attribute("href"))
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        return answer.body().decode()

    def appeals(self, text: str) -> None:
        self.follows("我有不同意见，提出申诉")
        self.is_at("申诉")
        self.writes("请写清楚", text, exact=False)
        self.presses("提交申诉")

    def asks_for_another_kindergarten(self, text: str) -> None:
        self.follows("想换一所？申请转园")
        self.writes("请写清楚", text, exact=False)
        self.presses("提交转园申请")

    def answers(self, link: str, button: str) -> None:
        self.follows(link)
        self.presses(button)

    def prints(self, *texts: str) -> None:
        """Check that all of these stand on paper, also what the screen folds."""
        self.page.emulate_media(media="print")
        for text in texts:
            expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()
        self.page.emulate_media(media="screen")
