"""An official of the city: the draw from the frozen list to the second signature."""

from tests.browser.people.person import Person


class Official(Person):
    def comes_in(self, login: str, password: str) -> None:
        self.signs_in_at_the_desk(login, password)
        self.is_at("招生年度")

    def does_next(self, what: str) -> None:
        """The tasks on the home page."""
        self.follows("今天")
        self.follows(what, exact=False)

    def freezes(self) -> str:
        """The commitment that is published."""
        self.does_next("冻结")
        self.presses("冻结并公布存证")
        self.waits_for("名单已冻结，存证已公布。")
        return self.page.locator(".code").first.inner_text()

    def enters_the_seed(self, beacon: str, ceremony: str) -> None:
        self.does_next("录入")
        self.writes("公开随机数", beacon)
        self.writes("现场抽出的数字", ceremony)
        self.presses("录入，公布之前再读一遍")
        self.presses("核对无误，公布种子")
        self.waits_for("种子已公布")

    def starts_the_run(self) -> None:
        """Start the run and wait until the independent check has passed."""
        self.does_next("开始")
        self.presses("开始派位")
        self.page.get_by_role("heading", name="独立核验").wait_for(timeout=120_000)
        self.looks()

    def waits_for(self, text: str) -> None:
        """The page watches the worker by itself and shows what came of it; the first draw on a machine compiles."""
        self.page.get_by_text(text).first.wait_for(timeout=120_000)
        self.looks()

    def signs(self) -> None:
        self.presses("签署", exact=False)
