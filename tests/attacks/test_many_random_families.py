"""The play of random families through a season, in many more seasons than `make test` has time for.

`make explore` plays seasons that were never played before; `SEASONS` says how many.
"""

import os

import pytest

from tests.domain.families.test_families_through_a_season import play


@pytest.mark.long
def test_nothing_changes_in_many_seasons(engine, now):
    play(engine, now, examples=int(os.environ.get("SEASONS", "20")), steps=40)
