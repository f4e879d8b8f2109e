"""Accessibility checks of a page with axe-core: contrast, names, order, targets."""

from pathlib import Path
from weakref import WeakSet

from playwright.sync_api import BrowserContext, Page

SOURCE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})
    .then(found => found.violations)"""

_with_axe: WeakSet[BrowserContext] = WeakSet()
"""Browsers that load axe into each page: it has half a megabyte, too much to send for each check."""


def bring_axe(page: Page) -> None:
    # not add_script_tag: the content policy of our pages blocks a script without a file
    if page.context not in _with_axe:
        page.context.add_init_script(path=SOURCE)
        _with_axe.add(page.context)
    if not page.evaluate("'axe' in window"):
        page.evaluate(SOURCE.read_text("utf-8"))


def axe_faults(page: Page) -> list[str]:
    # a page that is still coming has not all of its styles and its scripts' marks
    page.wait_for_load_state()
    # scroll to the end: elsewhere the bar at the bottom of the screen covers fields
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    bring_axe(page)
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['target']} {node['html'][:160]}"
        for violation in page.evaluate(LOOK, RULES)
        for node in violation["nodes"]
    ]


def assert_axe_clean(page: Page) -> None:
    """Assert that axe finds nothing and that the page does not scroll sideways."""
    faults = axe_faults(page)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        faults.append(f"the page is {wide} px wider than the screen")
    assert not faults, f"{page.url} at {page.viewport_size['width']} px:\n  " + "\n  ".join(faults)
