"""The four published effects that a laboratory of admission rules must show, on invented families.

The signs come from the literature; the sizes only say that an effect is far beyond its error.
"""

import numpy as np
import pytest

from enrollment.laboratory import experiment
from enrollment.laboratory.metrics import Metric
from enrollment.laboratory.variants import Method, Numbers, Reserve, Variant
from enrollment.season.facts import Ground
from tests.support import laboratory_families

DRAWS = 30
EVERYTHING = 60


def drawn(families, variant):
    return experiment.run(families, variant, DRAWS, 1, lambda _done: None, workers=1)


def mean(families, variant, *metrics):
    figures = drawn(families, variant).figures
    return [figures[metric].mean for metric in metrics]


@pytest.fixture(scope="module")
def plain():
    return laboratory_families.families(1500, 30, longest=EVERYTHING)


@pytest.fixture(scope="module")
def zoned():
    return laboratory_families.families(1500, 30, zone=3, priority=True, longest=EVERYTHING)


def test_one_number_gives_more_first_wishes_than_many_and_short_lists_repair_it(plain):
    """Ashlagi, Nikzad & Romm 2019; Amsterdam 2015 and 2016."""
    gaps = []
    for wishes in (0, 12, 5):
        one = mean(plain, Variant("", wishes=wishes), Metric.TRUE_FIRST, Metric.OWN)
        many = mean(plain, Variant("", wishes=wishes, numbers=Numbers.EACH), Metric.TRUE_FIRST, Metric.OWN)
        gaps.append(one[0] - many[0])
        assert many[1] >= one[1] - 0.3  # many numbers leave no more without an own wish
    assert gaps == sorted(gaps, reverse=True) and gaps[-1] > 5
    alike = [mean(plain, Variant("", wishes=1, numbers=each), Metric.TRUE_FIRST)[0] for each in Numbers]
    assert alike[0] == alike[1]  # with one wish nothing can differ but the order of the same number of children


def test_a_reserve_tried_first_does_almost_nothing_where_the_group_comes_anyway():
    """Dur, Kominers, Pathak & Sönmez 2018 on Boston's walk zones."""
    families = laboratory_families.families(1500, 30, zone=6, longest=EVERYTHING)
    none, first, last, all_ = (
        mean(families, variant, Metric.SERVED)[0]
        for variant in (
            Variant("", wishes=0),
            Variant("", wishes=0, reserve=Reserve.FIRST),
            Variant("", wishes=0, reserve=Reserve.LAST),
            Variant("", wishes=0, tiers=(1,), ground=Ground.SERVICE_AREA),
        )
    )
    assert (first - none) / (all_ - none) <= 0.10
    assert (last - none) / (all_ - none) >= 0.40


def test_a_hard_reserve_leaves_places_empty_and_a_soft_one_none():
    families = laboratory_families.families(1500, 30, zone=1, longest=EVERYTHING)
    (soft,) = mean(families, Variant("", wishes=0, reserve=Reserve.FIRST), Metric.EMPTY)
    (hard,) = mean(families, Variant("", wishes=0, reserve=Reserve.ONLY), Metric.EMPTY)
    assert soft == 0
    assert hard > 3


def test_one_wish_against_ranked_wishes_gives_more_favourites_and_more_complaints(zoned):
    """He 2015 on Beijing; Abdulkadiroğlu, Che & Yasuda 2011: which is better depends on how families behave."""
    one = drawn(zoned, Variant("", Method.ONE_WISH, phases=2))
    ranked = drawn(zoned, Variant("", wishes=0))
    assert one.figures[Metric.TRUE_FIRST].mean > ranked.figures[Metric.TRUE_FIRST].mean + 5
    assert ranked.figures[Metric.COMPLAINT].mean == ranked.figures[Metric.MISSED].mean == 0
    assert min(one.band[Metric.COMPLAINT]) > 15
    plain, half, careful = one.band[Metric.OWN]
    assert plain < half < careful < ranked.figures[Metric.OWN].mean
    assert one.left_over < 0.05
    better, worse = (getattr(experiment.compare(zoned, one, ranked)[0][0], name) for name in ("better", "worse"))
    assert better > 100 and worse > 100  # never only the net


def test_the_error_of_a_figure_is_that_of_its_mean(plain):
    few = experiment.run(plain, Variant("", wishes=5), 20, 1, lambda _done: None, workers=1)
    many = experiment.run(plain, Variant("", wishes=5), 80, 2, lambda _done: None, workers=2)
    before, after = few.figures[Metric.OWN], many.figures[Metric.OWN]
    assert abs(before.mean - after.mean) < 2 * (before.error + after.error)
    assert after.error < before.error and after.error < 0.2
    assert np.array_equal(
        many.rank[:20],
        experiment.run(plain, Variant("", wishes=5), 20, 2, lambda _done: None, workers=1).rank,
    )  # the same on any number of cores
