"""DRW01: in June, with the draw behind and offers to be answered, an official prepares the next year.

Nothing changes for anybody in 2026; when two people announce 2027, families see both.
"""

import datetime as dt

import pytest

from enrollment.draw.unserved import board
from enrollment.ground.errors import Refused
from enrollment.reports import worklist
from enrollment.season import current_step, openings, seasons
from tests.support.town_season import at


def what_everybody_sees(town) -> dict:
    """The answers of the pages of 2026, and of those without a year."""
    session, now, official = town.session, town.now, town.city_pair()[0]
    main = seasons.main_season(session, now)
    agenda = worklist.official_worklist(session, main, ["510104"], by=official, now=now)
    return {
        "years": [season.year for season in seasons.visible(session)],
        "year shown first": (main.year, seasons.officials_default(session, now).year),
        "year of a new family": openings.year_to_register(session, now=now).year,
        "steps": current_step.steps(session, main, now=now),
        "chance of a child without a place": openings.next_chance(session, 2026, "lower", now=now),
        "without a place": board.listing(session, 2026, by=official, area=None, page=1).total,
        "tasks": (agenda.to_open, agenda.to_close, agenda.to_freeze, agenda.in_draw, agenda.to_replay),
    }


def test_preparing_and_signing_2027_changes_nothing_until_the_second_person_announces_it(town):
    garden = town.kindergarten("金苹果", places=1)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本"))
    town.drawn(ana, ben)
    before = what_everybody_sees(town)
    assert before["without a place"] == 1

    town.prepared_season(2027)
    town.kindergarten("银杏", places=5, year=2027)
    town.round(name="2027 主批次")
    assert what_everybody_sees(town) == before
    with pytest.raises(Refused):
        town.open_registration()
    assert what_everybody_sees(town) == before

    town.announce(2027)
    after = what_everybody_sees(town)
    assert after == before | {"years": [2027, 2026], "year of a new family": 2027}
    assert openings.next_chance(town.session, 2027, "lower", now=town.now).begins_at == at(5, 21, year=2027)

    town.at(at(9, 1) + dt.timedelta(days=30))
    assert seasons.main_season(town.session, town.now).year == 2027
    assert seasons.of_year(town.session, 2026) in seasons.visible(town.session), "2026 stays readable"
