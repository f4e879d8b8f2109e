"""A plan played through by the engine: new places are named by a stated rule, cohorts carry the change over three years."""

import dataclasses

import numpy as np
import pytest

from allocation.market import Market
from allocation.planning import simulation, town_market
from allocation.planning.town_market import Change, Project, Town

PUBLIC, INCLUSIVE, OTHER = range(3)
YEARS = 4
EVERYBODY = np.ones((YEARS, 1))


def town(children: int = 30, private: int = 20) -> Town:
    """A public kindergarten with 10 places that everybody names first, and a private one with 20; one area."""
    market = Market.from_arrays(
        np.arange(0, 2 * children + 1, 2), [0, 1] * children, [0, 1] * children, None, [10, private],
        family=np.arange(children) // 2, unit=[child // 2 if child < 6 else -1 for child in range(children)],
        level=[1, 1], kindergarten=[0, 1],
    )  # fmt: skip
    return Town(market, np.zeros(2, int), np.array([PUBLIC, OTHER]), np.array([3, 3]), 1)


def project(change: Change, kind: int, places: int, *, at: int = -1, was: int = OTHER, since: int = 1) -> Project:
    return Project(f"{change} {kind}", change, 0, at, was, kind, places, since)


def play(*projects: Project, factors=EVERYBODY, of: Town | None = None) -> simulation.Played:
    return simulation.play(of or town(), projects, factors, draws=3, seed=1)


def roll(played: simulation.Played) -> list[list[int]]:
    """The roll of the area by year, where 30 public and 60 other children are expected."""
    expected = np.tile(np.array([30.0, 0.0, 60.0]), (YEARS, 1, 1))
    return played.roll(expected)[:, 0, 0].round().astype(int).tolist()


def test_without_measures_in_force_nothing_changes():
    played = play(project(Change.ADD, PUBLIC, 30, since=9))
    assert (played.plan == played.before).all() and (played.unplaced == 0).all()
    assert roll(played) == [[30, 0, 60]] * YEARS


@pytest.mark.parametrize("at", [-1, 0])
def test_new_public_places_fill_cohort_by_cohort(at):
    """Beside the public kindergarten, or in it: its families take them, and the private one loses a third each year."""
    build = project(Change.ADD, PUBLIC, 30, at=at)
    played = play(build)
    assert [played.entering(year)[0].tolist() for year in range(2)] == [[10, 0, 20], [20, 0, 10]]
    assert roll(played) == [[30, 0, 60], [40, 0, 50], [50, 0, 40], [60, 0, 30]]
    places, taken = played.filled(build, 1)
    assert places == 10 and taken.tolist() == [10, 10, 10]


@pytest.mark.parametrize(
    ("ramp", "public"),
    [((20, 40, 60, 80, 100), [30, 36, 42, 48]), ((67, 100), [30, 50, 60, 60]), ((100,), [30, 60, 60, 60])],
)
def test_places_open_more_slowly_or_for_older_children_too(ramp, public):
    """Thirty places beside a public kindergarten; what opens beyond one class level is taken by older children."""
    build = dataclasses.replace(project(Change.ADD, PUBLIC, 30), ramp=ramp)
    assert [line[0] for line in roll(play(build))] == public
    assert [build.entering_in(year) + build.older_in(year) for year in (1, 2)] != [0, 0]


def test_children_without_a_place_in_the_round_are_on_the_roll_elsewhere():
    played = play(project(Change.ADD, PUBLIC, 30), of=town(private=0))
    assert played.unplaced[0].tolist() == [20] * 3 and played.unplaced[1].tolist() == [10] * 3
    assert roll(played) == [[30, 0, 60], [40, 0, 50], [50, 0, 40], [60, 0, 30]]


def test_places_that_nobody_would_name_stay_empty():
    build = project(Change.ADD, INCLUSIVE, 30)
    places, taken = play(build).filled(build, 1)
    assert places == 10 and not taken.any()


def test_a_kindergarten_that_turns_takes_its_children_with_it():
    played = play(project(Change.TURN, PUBLIC, 60, at=1))
    assert roll(played) == [[30, 0, 60], [90, 0, 0], [90, 0, 0], [90, 0, 0]]
    outside = play(project(Change.TURN, PUBLIC, 20))
    assert roll(outside)[1:] == [[50, 0, 40]] * 3


def test_a_kindergarten_that_ends_leaves_children_without_a_place():
    played = play(project(Change.END, OTHER, 30, at=1))
    assert played.unplaced[0].tolist() == [0, 0, 0] and played.unplaced[1].tolist() == [10, 10, 10]
    assert played.entering(1)[0].tolist() == [10, 0, 10]
    assert roll(played)[1] == [30 + 10, 0, 60 - 10]  # half of two cohorts divides like those who enter


@pytest.mark.parametrize(("factor", "least", "most"), [(0.5, 8, 22), (1.5, 38, 52), (2.0, 60, 60)])
def test_more_or_fewer_families_come_whole(factor, least, most):
    market = town_market.with_families(town(), np.array([factor]), seed=3).market
    assert least <= market.children <= most
    _, sizes = np.unique(market.family, return_counts=True)
    assert (sizes == 2).all()
    _, bound = np.unique(market.unit[market.unit >= 0], return_counts=True)
    assert (bound == 2).all() and market.programme.tolist() == [0, 1] * market.children
