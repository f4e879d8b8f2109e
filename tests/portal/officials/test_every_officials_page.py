"""Every page of the officials' desk opens in both languages with something on it; none is forgotten here."""

import re

import pytest
from bs4 import BeautifulSoup

from tests.support.officials_pages import BUILDERS
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

FILE = re.compile(
    r"\.(csv|pdf|json|xlsx|css|svg)$|/file\.|files/|faults\.csv|figures\.csv|/pins$|/papers?/|/paper$|approval-papers"
)
"""What a rule ends with, or holds, that answers with a file, a picture or data."""

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@prepared
def before(client, town):
    return opened(client, town, "before")


@prepared
def after(client, town):
    return opened(client, town, "after")


def opened(client, town, which):
    addresses = BUILDERS[which](town)
    town.session.commit()
    return sign_in(client, town.city_pair()[0].account_id), addresses, town.now


def look(found, frozen_clock, language):
    client, addresses, now = found
    frozen_clock.set(now)
    for endpoint, address in addresses.items():
        sign = "&" if "?" in address else "?"
        answer = client.get(f"{address}{sign}lang={language}", follow_redirects=endpoint == "projector")
        assert answer.status_code == 200, (endpoint, answer.status_code)
        page = BeautifulSoup(answer.text, "lxml")
        assert page.h1 and page.h1.get_text(strip=True), endpoint
        assert "%(" not in page.get_text(), endpoint


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_before_the_draw(before, frozen_clock, language):
    look(before, frozen_clock, language)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_after_the_draw(after, frozen_clock, language):
    look(after, frozen_clock, language)


def test_every_page_of_the_desk_is_here(app, before):
    """A new page has to stand in `tests/support/officials_pages.py`; the browser opens each with axe in both languages."""
    rules = {
        rule.endpoint.removeprefix("officials.")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("officials.") and "GET" in rule.methods and not FILE.search(rule.rule)
    }
    told = set(before[1]) | AFTER
    assert rules - told == set()
    assert told - rules == set()


AFTER = frozenset(
    ("cases", "case", "phone_changes", "revocations", "revoke", "corrections", "correction", "new_correction", "draws", "run",
     "full_file", "draw_room", "hour_page", "projector", "projector_scene", "withdraw_daily_replays", "unplaced",
     "unserved_child", "central_proposals", "close_season")
)  # fmt: skip
"""The pages of the second town."""


def test_the_second_town_has_the_pages_that_are_told(after):
    assert set(after[1]) == AFTER
