"""The movement of a waiting line: near what really happens, told with its date and its source, and never for nobody."""

import datetime as dt
from itertools import pairwise

import pytest
from sqlalchemy import select

from enrollment.chances import giving_up, movement, movement_market
from enrollment.chances.giving_up import Count, Phases
from enrollment.chances.movement_rows import MovementChance, MovementEstimate
from enrollment.ground.retention import Moment
from enrollment.maintenance import retention
from enrollment.offers import waitlist
from tests.support.crowd import crowd

YEARS = [Phases(2025, Count(20, 100), Count(8, 80)), Phases(2024, Count(24, 100), Count(4, 76))]
"""About a fifth gives up an offer, and about a tenth of the rest does not arrive."""


@pytest.fixture
def line(town, monkeypatch):
    """60 places for 120 families who want nothing else; `line` are those who wait, the first in line first."""
    monkeypatch.setattr(giving_up, "earlier_years", lambda session, year: YEARS)
    town.hot = town.kindergarten("锦官", places=60)
    town.open_registration()
    crowd(town, 120, town.hot, stage="confirmed")
    town.drawn()
    town.line = sorted(
        (each for each in town.everybody() if town.place_of(each) is None), key=lambda each: town.ticket_of(each)
    )
    return town


def estimate(town) -> int | None:
    made = movement_market.read(town.session, town.the_round.id, now=town.now)
    return None if made is None else movement.save(town.session, made, movement.replay(made))


def told(town, application):
    return movement.of_application(town.session, application.id, town.the_round)


def test_the_first_in_line_is_nearly_sure_and_the_last_has_next_to_no_chance(line):
    assert estimate(line) == 60
    first, last = told(line, line.line[0]), told(line, line.line[-1])
    assert [step for step, _ in first.dates] == ["confirmation", "arrival"]
    assert first.made_at == line.now and first.years == (2025, 2024) and not first.from_this_year
    assert {odds.size for odds in first.chances[1]} == {"very_likely"}
    assert {odds.size for odds in last.chances[1]} == {"very_unlikely"}


def test_the_chance_grows_with_the_date_and_falls_down_the_line(line):
    estimate(line)
    by_date = [[odds.chance.value for odds in told(line, each).chances[1]] for each in line.line]
    assert all(soon <= later for soon, later in by_date)
    at_end = [later for _soon, later in by_date]
    assert at_end[0] > at_end[15] > at_end[30]
    assert max(after - before for before, after in pairwise(at_end)) < 0.05  # of 400 replays
    middle = next(n for n, (soon, _later) in enumerate(by_date) if soon < 0.5)
    assert 10 <= middle <= 20  # a fifth of 60 places, and who waits declines as often


def test_a_second_run_says_the_same_and_an_older_one_replaces_nothing(line):
    made = movement_market.read(line.session, line.the_round.id, now=line.now)
    once, again = movement.replay(made), movement.replay(made)
    assert (once.placed == again.placed).all() and (once.took_part == again.took_part).all()
    line.at(line.now + dt.timedelta(hours=1))
    assert estimate(line) == 60
    assert movement.save(line.session, made, once) is None


def test_a_family_that_holds_a_place_and_waits_reads_its_better_wishes_alone(town, monkeypatch):
    monkeypatch.setattr(giving_up, "earlier_years", lambda session, year: YEARS)
    hot, quiet = town.kindergarten("锦官", places=1), town.kindergarten("青羊", places=1)
    ana, ben = town.child("安娜", wishes=[hot]), town.child("本本", wishes=[hot, quiet])
    town.drawn(ana, ben)
    town.confirm(ben, wait=True)
    assert estimate(town) == 1
    assert told(town, ana) is None
    assert set(told(town, ben).chances) == {1}


def test_without_an_earlier_year_the_answers_so_far_are_counted_and_too_few_say_nothing(line, monkeypatch):
    monkeypatch.setattr(giving_up, "earlier_years", lambda session, year: [])
    assert estimate(line) is None
    monkeypatch.setattr(giving_up, "so_far", lambda session, round_: Phases(2026, Count(10, 55), Count(0, 45)))
    assert estimate(line) == 60
    found = told(line, line.line[0])
    assert found.from_this_year and [step for step, _ in found.dates] == ["confirmation"]


def test_the_counts_of_a_year_are_read_from_its_offers(line):
    *kept, gone = [each for each in line.everybody() if line.place_of(each) == line.hot]
    assert giving_up.so_far(line.session, line.the_round) is None
    for offer in (line.offer_for(each) for each in kept[:3]):
        offer.state = "confirmed"
    offer = line.offer_for(gone)
    offer.state, offer.ended_at = "declined", line.now
    line.session.flush()
    found = giving_up.so_far(line.session, line.the_round)
    assert found == Phases(2026, Count(1, 4), Count(0, 3))


def test_nothing_is_told_after_the_arrival_days_and_the_estimate_goes(line):
    estimate(line)
    line.at(waitlist.ends_at(line.session, 2026) + dt.timedelta(hours=1))
    assert movement_market.due_rounds(line.session, now=line.now) == []
    retention.apply_all(line.session, Moment(line.now, line.now))
    assert line.session.scalars(select(MovementChance)).first() is None
    assert line.session.scalars(select(MovementEstimate)).first() is None
