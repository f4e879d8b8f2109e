"""TRU05, R12: ten thousand random forgeries of the audit trail."""

import pytest

from tests.domain.ground import test_tru05_forgeries_of_the_trail as forgeries

forger = forgeries.forger


@pytest.mark.long
@pytest.mark.parametrize("part", range(1, 5))
def test_tru05_ten_thousand_forgeries_are_found(forger, part, capsys):
    """In four parts, so that two cores share them."""
    forger.random.seed(part)
    tried, found, inside = forgeries.forge_many(forger, 2_500)
    with capsys.disabled():
        print(f"\n{forgeries.report(tried, found, inside)}")
    assert found == tried
