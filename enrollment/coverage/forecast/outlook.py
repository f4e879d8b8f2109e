"""The shares of the next Septembers for the city and each area: the middle, intervals, and the chance to stay above target.

The figures are those of the method, or "same as now" where the method was no better in the past.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from allocation.coverage import Coverage, Share
from enrollment.coverage.forecast import backtest, intervals, method
from enrollment.coverage.forecast.accuracy import Accuracy, measured, size_of, skills
from enrollment.coverage.forecast.backtest import COVERED_SHARE, PUBLIC_SHARE, TOTAL, BackTest
from enrollment.coverage.forecast.method import LEADS, YEARS_NEEDED, Projection
from enrollment.coverage.forecast.past import Numbers, Past, read
from enrollment.coverage.indicator import Definition
from enrollment.coverage.shares import Shares
from enrollment.coverage.targets import Targets, YearTargets, targets_on

QUANTILES = (0.025, 0.1, 0.9, 0.975)
SEPTEMBER = 9


@dataclass(frozen=True)
class Band:
    """An interval of a figure: a share in per cent, or a number of children."""

    low95: float
    low: float
    high: float
    high95: float


@dataclass(frozen=True)
class ShareOutlook:
    """A share in one September: the middle in whole children, its interval, and the chance that the target is met.

    `chance` and `band` are None where too few years are on file, `chance` also without a target.  `naive` says that the
    figure is "same as now".
    """

    share: Share
    band: Band | None
    chance: float | None
    naive: bool


@dataclass(frozen=True)
class September:
    """The figures of an area or the city in September of `school_year`; `children_band` is of the number of children."""

    school_year: int
    coverage: Coverage
    children_band: Band | None
    public: ShareOutlook
    inclusive: ShareOutlook
    children_naive: bool


@dataclass(frozen=True)
class Outlook:
    """What is expected for each area by code, and for the city under the empty code, with what it rests on.

    `targets` are those of each September; a year without its own keeps those of the reference date.  `estates` says whether
    the new estates on file are counted; None without any on file.
    """

    past: Past
    test: BackTest | None
    accuracy: Accuracy | None
    septembers: dict[str, tuple[September, ...]]
    targets: tuple[YearTargets, ...]
    digest: str
    cautious: bool
    estates: "EstateTrial | None" = None

    @property
    def city(self) -> tuple[September, ...]:
        return self.septembers[""]


@dataclass(frozen=True)
class EstateTrial:
    """The mean error of cells in the past, in per cent over all leads, with the new estates and without; they are used where
    that is not worse."""

    used: bool
    with_them: float
    without: float


@dataclass(frozen=True)
class NoOutlook:
    """Why there is no forecast: a code, and how many years are on file."""

    reason: str
    years: int = 0


def can_forecast(definition: Definition) -> bool:
    """Whether past years are on file by this definition: nursery classes, founders and sites are not."""
    return not (definition.nursery or definition.education or definition.at_parent)


def outlook(session: Session, shares: Shares, *, cautious: bool = False) -> Outlook | NoOutlook:
    """The next Septembers, from the roll of these shares, births and past years.

    The reason is `definition`, `no_roll`, `history` or `births`.
    """
    base_year = shares.snapshot.school_year
    if not can_forecast(shares.definition):
        return NoOutlook("definition")
    if base_year is None:
        return NoOutlook("no_roll")
    areas = [line.code for line in shares.areas]
    past = read(session, shares.definition, areas, shares.snapshot.in_school_year, base_year)
    if past.years < YEARS_NEEDED:
        return NoOutlook("history", past.years)
    goals = tuple(_targets(session, shares, base_year + 1 + lead) for lead in range(LEADS))
    return of_past(past, goals, cautious=cautious) or NoOutlook("births", past.years)


def _targets(session: Session, shares: Shares, year: int) -> YearTargets:
    found = targets_on(session, max(shares.definition.on, dt.date(year, SEPTEMBER, 1)), year=year)
    return found if found.city or found.areas else shares.targets


def of_past(past: Past, goals: Sequence[YearTargets], *, cautious: bool = False) -> Outlook | None:
    """The outlook of a past; None where births of the next entrants are missing."""
    made = _of_digest(_Key(past, cautious))
    if made is None:
        return None
    septembers = {
        code: tuple(
            _with_targets(each, lead, code, made, goals[lead], place) for lead, each in enumerate(made.figures[place])
        )
        for place, code in enumerate((*past.areas, ""))
    }
    return Outlook(made.past, made.test, made.accuracy, septembers, tuple(goals), made.digest, cautious, made.estates)


@dataclass(frozen=True)
class _Figures:
    """A September before its targets."""

    year: int
    coverage: Coverage
    bands: tuple[Band | None, Band | None, Band | None]
    naive: tuple[bool, bool, bool]


@dataclass(frozen=True)
class _Made:
    """What does not depend on targets: figures by [area or the city last][lead], draws by [lead] of the two shares."""

    figures: tuple[tuple[_Figures, ...], ...]
    draws: tuple[Numbers, ...]
    test: BackTest | None
    accuracy: Accuracy | None
    digest: str
    past: Past
    estates: EstateTrial | None


class _Key:
    """A past as the key of the cache: equal where every number is."""

    def __init__(self, past: Past, cautious: bool):
        self.past, self.cautious = past, cautious
        numbers = (
            past.children.tobytes() + past.births.tobytes() + str((past.areas, past.first_year, past.vintage)).encode()
        )
        estates = b"" if past.estates is None else past.estates.tobytes()
        self.digest = hashlib.sha256(numbers + estates).hexdigest()

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Key) and (self.digest, self.cautious) == (other.digest, other.cautious)

    def __hash__(self) -> int:
        return hash((self.digest, self.cautious))


@lru_cache(maxsize=8)
def _of_digest(key: _Key) -> _Made | None:
    past, estates = _with_useful_estates(key.past)
    origin = past.years - 1
    made, naive = method.project(past, origin), method.same_as_now(past, origin)
    leads = _leads_with_births(made)
    if not leads:
        return None
    test = backtest.run(past)
    is_naive = np.zeros((len(past.areas) + 1, backtest.MEASURES), dtype=bool)
    is_naive[:-1] |= method.areas_without_births(past, origin)[:, None]
    accuracy = None
    if test is not None:
        is_naive |= skills(test) <= 0
        accuracy = measured(test, cautious=key.cautious)
        test = _where_naive(test, is_naive)
    figures, draws = [], []
    for lead in range(leads):
        chosen = _chosen(made, naive, lead, is_naive)
        drawn = _drawn(test, lead, chosen, key.cautious)
        figures.append(_figures(chosen, drawn, past.last_year + 1 + lead, is_naive))
        draws.append(drawn[..., PUBLIC_SHARE:])
    by_place = tuple(zip(*figures, strict=True))
    return _Made(by_place, tuple(draws), test, accuracy, key.digest, past, estates)


def _with_useful_estates(past: Past) -> tuple[Past, EstateTrial | None]:
    """The past with its new estates if the method was not worse with them in the years that are known, else without."""
    if past.estates is None:
        return past, None
    bare = replace(past, estates=None)
    both = [backtest.run(each) for each in (past, bare)]
    errors = [0.0 if test is None else size_of(test.cells) for test in both]
    trial = EstateTrial(errors[0] <= errors[1], *errors)
    return (past if trial.used else bare), trial


def _leads_with_births(made: Projection) -> int:
    """How many of the next years have births on file for every area that has children."""
    known = [not np.isnan(made.totals[:, lead]).all() for lead in range(LEADS)]
    return known.index(False) if False in known else LEADS


def _chosen(made: Projection, naive: Projection, lead: int, is_naive: NDArray[np.bool_]) -> Numbers:
    """The three figures by [area or the city last, measure]; the city's are those of its areas together."""
    both = [backtest.areas_of(one, lead) for one in (made, naive)]
    areas = np.where(is_naive[:-1], both[1], both[0])
    chosen: Numbers = np.concatenate([areas, _sum_of(areas)[None]])
    chosen[-1] = np.where(is_naive[-1], backtest.city_of(naive, lead), chosen[-1])
    return chosen


def _sum_of(areas: Numbers) -> Numbers:
    """The city's figures as the sum of its areas'."""
    total = np.nan_to_num(areas[:, TOTAL])
    parts = [np.nansum(np.nan_to_num(areas[:, measure]) * total) for measure in (PUBLIC_SHARE, COVERED_SHARE)]
    return backtest.measures(np.asarray(total.sum()), np.asarray(parts[0]), np.asarray(parts[1]))


def _where_naive(test: BackTest, is_naive: NDArray[np.bool_]) -> BackTest:
    """The errors of what is shown: those of "same as now" where that is shown."""
    areas = np.where(is_naive[:-1], test.naive_areas, test.areas)
    city = np.where(is_naive[-1], test.naive_city, test.city)
    return replace(test, areas=areas, city=city)


def _drawn(test: BackTest | None, lead: int, chosen: Numbers, cautious: bool) -> Numbers:
    """Joint draws by [draw, area or the city last, measure]; none without enough years."""
    if test is None:
        return np.empty((0, *chosen.shape))
    areas, city = intervals.simulate(test, lead, chosen[:-1], chosen[-1], cautious=cautious)
    drawn: Numbers = np.concatenate([areas, city[:, None]], axis=1)
    return drawn


def _figures(chosen: Numbers, drawn: Numbers, year: int, is_naive: NDArray[np.bool_]) -> list[_Figures]:
    found = []
    limits = np.quantile(drawn, QUANTILES, axis=0) if len(drawn) else None
    for place, (total, public, covered) in enumerate(chosen):
        everybody = 0 if np.isnan(total) else round(float(total))
        in_public = round(float(public) * everybody) if everybody else 0
        in_both = max(round(float(covered) * everybody), in_public) if everybody else 0
        coverage = Coverage(everybody, in_public, min(in_both, everybody) - in_public)
        bands = tuple(
            _band(limits, place, measure, 1 if measure == TOTAL else 100) if everybody else None
            for measure in (TOTAL, PUBLIC_SHARE, COVERED_SHARE)
        )
        naive = tuple(bool(each) for each in is_naive[place])
        found.append(_Figures(year, coverage, (bands[0], bands[1], bands[2]), (naive[0], naive[1], naive[2])))
    return found


def _band(limits: Numbers | None, place: int, measure: int, times: int) -> Band | None:
    if limits is None or np.isnan(limits[:, place, measure]).any():
        return None
    return Band(*(float(each) * times for each in limits[:, place, measure]))


def _with_targets(each: _Figures, lead: int, code: str, made: _Made, goals: YearTargets, place: int) -> September:
    targets: Targets = goals.of_area(code) if code else goals.city
    coverage = each.coverage.with_targets(targets.public, targets.inclusive)
    shares = (coverage.public_share, coverage.inclusive_coverage)
    outlooks = [
        ShareOutlook(
            share, each.bands[1 + index], _chance(made.draws[lead][:, place, index], share), each.naive[1 + index]
        )
        for index, share in enumerate(shares)
    ]
    return September(each.year, coverage, each.bands[0], outlooks[0], outlooks[1], each.naive[0])


def _chance(draws: Numbers, share: Share) -> float | None:
    """The part of the draws that meet the target."""
    if not len(draws) or share.target is None or not share.all or np.isnan(draws).any():
        return None
    return float(np.mean(draws * 10_000 >= share.target.hundredths))
