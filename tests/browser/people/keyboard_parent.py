"""A parent who cannot see the screen: only keys are pressed, and only what a screen reader says of the focus is known.

At each stop of the focus the control has a role and a name, and no bar that sticks to the screen covers it.
"""

import re

from playwright.sync_api import FilePayload

from tests.browser.people.person import Person

MOST_STOPS = 150
COVERED = """(focused) => {
  const own = (found) => found && (found === focused || focused.contains(found) || found.contains(focused) || found.closest("label")?.control === focused);
  const box = focused.getBoundingClientRect(), at = [0.1, 0.5, 0.9];
  if (!box.width || !box.height) return false;
  return !at.some((x) => at.some((y) => own(document.elementFromPoint(box.left + box.width * x, box.top + box.height * y))));
}"""
STOP = re.compile(r"^- (?P<role>\w+)(?: \"(?P<name>.*?)\")?(?=[\s:]|$)")


class KeyboardParent(Person):
    def __init__(self, page):
        super().__init__(page)
        self.heard: list[str] = []
        """What was said of each stop of the focus."""
        self.stops = 0

    def hears(self) -> tuple[str, str]:
        """Role and name of what has the focus."""
        focused = self.page.locator(":focus")
        said = focused.aria_snapshot().splitlines()[0]
        stop = STOP.match(said)
        where = f"{self.page.url}: {focused.evaluate('each => each.outerHTML.slice(0, 160)')}"
        assert stop and (stop["name"] or stop["role"] == "main"), f"nothing is said of {where}"
        assert not focused.evaluate(COVERED), f"something covers “{said}” at {where}"
        self.heard.append(said)
        return stop["role"], stop["name"] or ""

    def goes_to(self, role: str, name: str | re.Pattern) -> None:
        """Press Tab until the focus is on this control."""
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            self.stops += 1
            if self.page.evaluate("document.activeElement === document.body"):
                continue  # the end of the page; the next stop is its beginning
            found, said = self.hears()
            if found == role and (name.search(said) if isinstance(name, re.Pattern) else said == name):
                return
        raise AssertionError(f"no {role} “{name}” on {self.page.url}; heard last: {self.heard[-20:]}")

    def skips_to_the_content(self) -> None:
        """The first stop of every page leads over its bar."""
        self.page.keyboard.press("Tab")
        assert self.hears()[0] == "link", self.heard[-1]
        self.page.keyboard.press("Enter")
        assert self.page.locator(":focus").evaluate("each => each.tagName") == "MAIN", self.page.url

    def chooses_with_enter(self, role: str, name: str | re.Pattern) -> None:
        self.goes_to(role, name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.looks()
        self.page.evaluate("scrollTo(0, 0)")

    def types(self, name: str | re.Pattern, text: str) -> None:
        self.goes_to("textbox", name)
        self.page.keyboard.type(text)

    def picks_from_the_list(self, name: str | re.Pattern, option: str) -> None:
        """In a list of choices the first letters choose."""
        self.goes_to("combobox", name)
        self.page.keyboard.type(option)
        chosen = self.page.locator(":focus").evaluate("each => each.selectedOptions[0].textContent.trim()")
        assert chosen.startswith(option), chosen

    def ticks_with_space(self, name: str | re.Pattern) -> None:
        self.goes_to("checkbox", name)
        self.page.keyboard.press("Space")

    def takes_the_answer(self, question: re.Pattern, answer: str) -> None:
        """Of a group of radio buttons Tab finds the first, and the arrows go on."""
        self.goes_to("radio", question)
        if self.heard[-1].startswith(f'- radio "{answer}"'):
            self.page.keyboard.press("Space")
            return
        for _ in range(12):
            self.page.keyboard.press("ArrowDown")
            if self.hears()[1] == answer:
                return
        raise AssertionError(f"no answer “{answer}”: {self.heard[-12:]}")

    def photographs(self, name: re.Pattern, photo: FilePayload) -> None:
        self.goes_to("button", name)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Enter")
        chooser.value.set_files(photo)

    def gives_the_code_by_keys(self, code: str, field: re.Pattern, button: str) -> None:
        if not self.page.evaluate("document.activeElement.matches('input[name=code]')"):
            self.goes_to("textbox", field)
        self.page.keyboard.type(code)
        self.chooses_with_enter("button", button)
