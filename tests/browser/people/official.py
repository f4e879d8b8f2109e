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

    def declares_the_form(self) -> None:
        """Six digits that are drawn in the room, and no public value, so that nobody has to wait for one."""
        self.does_next("冻结")
        self.follows("公布抽签的形式")
        self.looks_closely()
        self.page.get_by_role("group", name="用什么样的公开随机数").get_by_label("不用公开随机数").check()
        self.presses("公布抽签的形式")
        self.reads("抽签的形式已公布。", "6 个 0–9 的数、可以重复、按抽出的顺序")

    def freezes(self) -> str:
        """The commitment that is published."""
        self.declares_the_form()
        self.presses("冻结并公布存证")
        self.waits_for("名单已冻结，存证已公布。")
        return self.page.locator(".code").first.inner_text()

    def requests_a_witness(self, name: str, office: str) -> str:
        """The link that the witness scans from the screen."""
        self.does_next("见证人")
        self.writes("见证人姓名", name)
        self.page.get_by_label(office, exact=True).check()
        self.presses("申请一次见证")
        return self.page.locator(".code").inner_text()

    def approves_a_witness(self) -> str:
        """The code that is read out."""
        self.does_next("见证人")
        self.presses("批准，看口令")
        return self.page.locator(".big-number").inner_text()

    def sets_the_seed(self) -> None:
        self.does_next("见证人")
        self.looks_closely()
        self.presses("公布种子，发派位号")
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

    def reads_the_hour(self) -> None:
        """After the second signature everything is prepared and sealed; the result opens by itself at the announced hour."""
        self.waits_for("录取、通知书编号和消息都已准备好")
        self.looks_closely()

    def prepares_the_next_year(self, year: int) -> None:
        """The calendar of the next year, which only officials see, and the first signature under it."""
        self.follows("今天")
        self.follows("日程")
        self.follows("创建下一个招生年度")
        self.writes("年份", str(year), exact=False)
        self.presses("创建招生年度")
        if (warned := self.page.get_by_label("我已看过上面的提醒", exact=False)).count():
            warned.check()
            self.presses("创建招生年度")
        self.reads("还没有公布")
        self.announces_the_year()

    def announces_the_year(self) -> None:
        """Read the calendar and sign it; the second signature announces the year."""
        self.follows("核对并签署")
        self.looks_closely()
        warnings = self.page.get_by_role("checkbox")
        if warnings.count():
            warnings.check()
        self.presses("签署", exact=False)

    def signs(self) -> None:
        """After the second signature the page watches the preparation and loads itself again: look at it when that is done."""
        why = self.page.get_by_label("为什么不同", exact=False)
        if why.count() and not self.page.locator("blockquote.note").count():
            why.fill("学位和报名的孩子都变了")
        for each in self.page.locator('input[name="read"]').all():  # what differs, and the digest
            each.check()
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="签署").first.click()
