"""Whoever turns the demo's clock: goes from stop to stop and waits until the simulated people are done."""

from playwright.sync_api import expect

from tests.browser.people.person import Person


class Visitor(Person):
    def goes_on_to(self, step: str) -> None:
        """Move the demo clock forward step by step until the city is at `step`."""
        self.opens("/demo/clock")
        stop = self.page.get_by_role("listitem").filter(has_text=step)
        for _ in range(9):
            if stop.get_by_text("已到").count():
                return
            self.waits_for_the_simulated_people()
            self.presses("走到这一天")
            self.waits_for_the_simulated_people()
        raise AssertionError(f"the clock has no way to {step}")

    def waits_for_the_simulated_people(self) -> None:
        """Four minutes and more: a letter or a batch before them may have the only worker, beside other tests.

        What is not on a page counts only when the page has come whole: half of it says nothing about simulated people either.
        """
        for _ in range(960):
            if not self.page.get_by_text("模拟的人正在办理").count():
                break
            self.page.wait_for_timeout(250)
            with self.page.expect_navigation(wait_until="load"):
                self.page.get_by_role("link", name="刷新").click()
        expect(self.page.get_by_text("模拟的人没有办完")).to_have_count(0)
        expect(self.page.get_by_text("模拟的人正在办理")).to_have_count(0)
