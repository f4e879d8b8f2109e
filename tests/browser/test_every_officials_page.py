"""Every page of the officials' desk at 1280 px, in both languages, with axe (`tests/support/officials_pages.py`)."""

import os
from pathlib import Path

import pytest

from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import axe_faults
from tests.support.officials_pages import BUILDERS
from tests.support.town import Town


@pytest.fixture(params=list(BUILDERS))
def desk(request, site, now):
    """The key of a city official, and the addresses."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        build, names = BUILDERS[request.param]
        addresses = build(town)
        assert addresses.keys() == names
        key, moment = signed_in_key(session, town.city_pair()[0].account_id), town.now
    site.set_time(moment)
    return key, addresses


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_is_accessible_and_fits(desk, site, new_page, language):
    key, addresses = desk
    page = new_page(language=language)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    faults = []
    for endpoint, address in addresses.items():
        answer = page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}")
        assert answer.status == 200, endpoint
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults += [f"{endpoint}: {each}" for each in axe_faults(page)]
        faults += [f"{endpoint}: {wide} px too wide"] * (wide > 0)
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=str(Path(folder) / f"{endpoint}-{language[:2]}.png"), full_page=True)
    assert not faults, "\n".join(faults)
