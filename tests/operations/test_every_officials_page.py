"""Every page of the officials' desk opens in both languages with something on it, and the client that inspects pages finds no fault."""

import pytest
from bs4 import BeautifulSoup

from tests.support.officials_pages import BUILDERS
from tests.support.signing_in import sign_in

pytestmark = pytest.mark.long


@pytest.mark.parametrize("which", list(BUILDERS))
def test_pages_open_in_both_languages(client, town, frozen_clock, which):
    build, names = BUILDERS[which]
    addresses = build(town)
    assert addresses.keys() == names
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.city_pair()[0].account_id)
    for language in ("zh", "en"):
        for endpoint, address in addresses.items():
            sign = "&" if "?" in address else "?"
            answer = client.get(f"{address}{sign}lang={language}", follow_redirects=endpoint == "projector")
            assert answer.status_code == 200, (endpoint, answer.status_code)
            page = BeautifulSoup(answer.text, "lxml")
            assert page.h1 and page.h1.get_text(strip=True), endpoint
            assert "%(" not in page.get_text(), endpoint
