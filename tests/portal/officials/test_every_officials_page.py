"""No page of the officials' desk is left out of `tests/support/officials_pages.py`, whose pages are opened in both languages by
`tests/operations/test_every_officials_page.py` and by a browser with axe."""

import re

from tests.support.officials_pages import AFTER, BEFORE

FILE = re.compile(
    r"\.(csv|pdf|json|xlsx|css|svg)$|/file\.|files/|faults\.csv|figures\.csv|/pins$|/papers?/|/paper$|approval-papers"
)
"""What a rule ends with, or holds, that answers with a file, a picture or data."""


def test_every_page_of_the_desk_is_opened(app):
    rules = {
        rule.endpoint.removeprefix("officials.")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("officials.") and "GET" in rule.methods and not FILE.search(rule.rule)
    }
    told = BEFORE | AFTER
    assert (sorted(rules - told), sorted(told - rules)) == ([], [])
