"""Somebody who looks for a kindergarten: searches, narrows the list, keeps, compares, and looks at the map."""

from playwright.sync_api import Page, expect

from tests.browser.people.person import Person


class Searcher(Person):
    def __init__(self, page: Page):
        super().__init__(page)
        self.found = page.locator(".finds h2 a")

    def opens_the_finder(self, question: str = "") -> None:
        self.page.goto(f"/kindergartens{question}")
        self.looks()

    def sees(self, *names: str) -> None:
        expect(self.found).to_have_text(list(names))

    def narrows(self, choice: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(".chip, .filters a").filter(has_text=choice).first.click()
        self.looks()

    def keeps(self, code: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f"#k-{code} .heart").click()

    def compares(self, code: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(f"#k-{code} .tick").click()

    def opens_the_map(self) -> None:
        with self.page.expect_navigation():
            self.page.locator(".seg a").nth(1).click()
        expect(self.page.locator("#map[data-drawn]")).to_be_visible()
        self.looks()

    def taps_the_pin(self, number: int) -> None:
        self.page.locator(".leaflet-marker-icon").filter(has_text=str(number)).first.click()
