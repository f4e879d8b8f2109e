"""DRW05: no PDF tells a result before the hour."""

import pytest

from tests.portal.parents import test_drw05_before_the_hour as before_the_hour

drawn = before_the_hour.drawn


@pytest.mark.long
def test_drw05_one_second_before_the_hour_no_paper_says_who_got_which_place(
    drawn, app, client, another_client, frozen_clock
):
    before_the_hour.nobody_reads_a_result(drawn, app, client, another_client, frozen_clock, papers=True)
