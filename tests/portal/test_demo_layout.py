"""The demo city's kindergartens and wishes, without a database: the same seed gives the same, and the hot ones are few."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from enrollment.places.areas import rows_of_file
from portal.demo import (
    geography,
    kindergartens,
    people,
    trial_draws,
)
from portal.demo import households as drawn
from portal.demo.demand import Demand
from portal.demo.identity_numbers import Numbers
from portal.demo.programmes import DemoProgramme


def layout_of(children: int, seed: int):
    """A city's kindergartens, and the random generator after them."""
    random = np.random.default_rng(seed)
    areas = [SimpleNamespace(**row) for row in rows_of_file()]
    return kindergartens.layout(random, areas, children), areas, random


def wishes_of(children: int, seed: int):
    """The offers of a city, and its families' homes and lists of wishes by area."""
    layout, areas, random = layout_of(children, seed)
    built = [each for each in layout if each.nature != "private" and each.admits]
    offers = [
        DemoProgramme(n, n, b.code, b.name, b.area, b.nature, b.point, b.places, b.fee, b.attached)
        for n, b in enumerate(built)
    ]
    demand = Demand(random, offers, {each.code: 12 for each in built})
    number_of = kindergartens.children_by_area(areas, children)
    homes = {area: geography.points_in(random, area, number) for area, number in number_of.items()}
    lists = {area: list(demand.wishes(area, points)) for area, points in homes.items()}
    trial_draws.settle(random, [each for of_area in lists.values() for each in of_area], offers)
    return layout, offers, homes, lists, random


def test_the_same_seed_gives_the_same_families():
    def families():
        layout, offers, homes, lists, random = wishes_of(600, 11)
        area = "510104"
        around, numbers = layout.neighbourhoods[area], Numbers()
        return list(
            drawn.draw(random, around, homes[area], lists[area], offers, numbers, {}, 19_000_000_000)
        )  # fmt: skip

    assert families() == families()
    assert sum(len(family.children) for family in families()) == round(600 * 90 / 2103)


def first_wishes_a_place(children: int, seed: int) -> dict[str, tuple[str, float]]:
    """By the name of the kindergarten: its nature, and how many first wishes come to each of its places."""
    _layout, offers, _homes, lists, _random = wishes_of(children, seed)
    everybody = [each for of_area in lists.values() for each in of_area]
    assert all(0 < len(set(each.chosen)) == len(each.chosen) <= 5 for each in everybody)
    firsts = Counter(each.chosen[0] for each in everybody)
    return {offer.name: (offer.nature, firsts[index] / offer.places) for index, offer in enumerate(offers)}


@pytest.mark.parametrize("children,seed", [(3000, 2026), (3000, 5), (9000, 2026)])
def test_hot_kindergartens_draw_two_to_six_first_wishes_a_place_and_at_most_twelve(children, seed):
    drawn_to = first_wishes_a_place(children, seed)
    public = np.array([ratio for nature, ratio in drawn_to.values() if nature == "public"])
    everywhere = np.array([ratio for _nature, ratio in drawn_to.values()])
    assert everywhere.max() <= 12
    assert 2 <= np.quantile(public, 0.9) <= 6, "the hot ones"
    assert public.max() >= 2 and np.median(public) < 2, "and not all are"
    assert np.quantile(everywhere, 0.25) < 0.8, "others have places left"
    for name in (people.HOME, people.ELSEWHERE):
        assert 0.5 <= drawn_to[name][1] <= 8, "the two of the sign-in page are wanted, and not by the whole city"
