"""The chances 机会 of one family with its current wishes, estimated from the simulated draws of the round.

The chance of a wish is the share of draws in which a random ticket meets the cut-off (line) there.  It does not depend on
the rank of the wish.  A family gets the first wish whose line it meets, so the chance of a place is the chance to meet at
least one of the lines.
"""

import datetime as dt
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.simulation import Chance, SupposedWish
from enrollment.applications import wishes as stored_wishes
from enrollment.applications.applications import Application
from enrollment.chances.estimate_market import GROUNDS
from enrollment.chances.estimate_reader import SimulatedLines
from enrollment.chances.estimate_rows import ChanceEstimate
from enrollment.chances.estimates import STILL_CHANGING, next_at
from enrollment.eligibility.wish_candidates import Candidate, Finder
from enrollment.ground.reading.catalogue import Part
from enrollment.season.rounds import Round

FEWEST_FAMILIES = 200
"""With fewer families no chance is shown: each new family would change the chances more than the draw does."""

OTHERS = 6
"""Kindergartens that serve the home or lie in its area, the nearest first, that are tried as one wish more."""

MOST_MORE = 2
"""Of these at most so many are shown."""

WORTH_TELLING = 0.01
"""The least increase of the chance of a place for which one more wish is shown."""

SIZES = ((0.90, "very_likely"), (0.65, "likely"), (0.35, "even"), (0.10, "unlikely"), (0.0, "very_unlikely"))
"""The word for a chance, by the lowest share of draws for which it is used; the best first."""


@dataclass(frozen=True)
class Odds:
    """A chance as it is shown: from `low` to `high` percent, never 0 and never 100."""

    chance: Chance

    @property
    def low(self) -> int:
        return min(max(math.floor(self.chance.low * 100), 1), 99)

    @property
    def high(self) -> int:
        return min(max(math.ceil(self.chance.high * 100), 1), 99)

    @property
    def size(self) -> str:
        """The code of the word for it."""
        return next(code for share, code in SIZES if self.chance.value >= share)

    @property
    def form(self) -> str:
        """How it is written: `over` 99, `under` 1, or `between` two numbers."""
        if self.low == 99:
            return "over"
        return "under" if self.high == 1 else "between"


@dataclass(frozen=True)
class ExtraWish:
    """The effect of one more wish: the best of the kindergartens that are tried, and the chance of a place with it."""

    candidate: Candidate
    place: Odds


@dataclass(frozen=True)
class Split:
    """What became of the siblings in 100 draws: all at one kindergarten, all placed but apart, only some, none."""

    same: int
    apart: int
    some: int
    none: int


@dataclass(frozen=True)
class SiblingChances:
    """Chances of siblings with equal priorities and these wishes: all at one kindergarten when bound, the same when
    separate, and a place for at least one of them when separate."""

    bound: Odds
    separate: Odds
    separate_one: Odds
    separate_all: Chance

    @property
    def larger(self) -> str:
        """With which choice at least one child is placed more often: `bound`, `separate`, or `same` within the error."""
        difference = self.bound.chance.value - self.separate_one.chance.value
        if abs(difference) <= math.hypot(_error(self.bound.chance), _error(self.separate_one.chance)):
            return "same"
        return "bound" if difference > 0 else "separate"

    @property
    def difference(self) -> int:
        """By how many of 100 draws the two differ, at least 1."""
        return max(1, round(abs(self.bound.chance.value - self.separate_one.chance.value) * 100))

    @property
    def error(self) -> int:
        """The error of each number, in draws of 100, at least 1."""
        return max(1, round(max(_error(each.chance) for each in (self.bound, self.separate, self.separate_one)) * 100))

    @property
    def splits(self) -> tuple[Split, Split]:
        """Bound and separate, each adding up to 100."""
        together, same = _of_100_draws(self.bound.chance), _of_100_draws(self.separate.chance)
        placed, one = _of_100_draws(self.separate_all), _of_100_draws(self.separate_one.chance)
        return Split(together, 0, 0, 100 - together), Split(same, placed - same, one - placed, 100 - one)


class SiblingLists(StrEnum):
    """The siblings' own lists beside the list of the child: the numbers of `SiblingChances` suppose that all have this one.

    `SAME` also where a sibling has no list yet; `APART` where one has no kindergarten in common with the child, so that
    the numbers would say nothing about these children.
    """

    SAME = "same"
    DIFFER = "differ"
    APART = "apart"


def _error(chance: Chance) -> float:
    return (chance.high - chance.low) / 2


def _of_100_draws(chance: Chance) -> int:
    return round(chance.value * 100)


@dataclass(frozen=True)
class Chances:
    """`state` is `later` (no estimate yet, see `next_at`), `few` (too few families yet), or `told`.

    `wishes` are the chances in the order of the list, None for a programme outside the estimate.  `place` is the chance
    of any place; it is None if one of `wishes` is.  `more` are those that would add most to it as one more wish, the best
    first.  `together` is None where `sibling_lists` is `APART`.
    """

    state: str
    next_at: dt.datetime
    estimate: ChanceEstimate | None = None
    wishes: tuple[Odds | None, ...] = ()
    place: Odds | None = None
    more: tuple[ExtraWish, ...] = ()
    together: SiblingChances | None = None
    sibling_lists: SiblingLists = SiblingLists.SAME

    @property
    def long_shot_first(self) -> bool:
        """Whether the first wish alone would more likely fail than succeed, by far."""
        first = self.wishes[0] if self.wishes else None
        return first is not None and first.size in ("unlikely", "very_unlikely")


def newest_estimate(session: Session, round_id: uuid.UUID) -> ChanceEstimate | None:
    """The newest estimate of a round."""
    kept = ESTIMATES.of(session)
    return session.get(ChanceEstimate, round_id) if kept is None else kept.get(round_id)


def _estimates(session: Session) -> dict[uuid.UUID, ChanceEstimate]:
    return {each.round_id: each for each in session.scalars(select(ChanceEstimate))}


ESTIMATES = Part("estimates", ("chance_estimate",), _estimates)
"""The estimate of each round, without its lines, kept in the process."""


def of_family(
    session: Session,
    application: Application,
    round_: Round,
    finder: Finder,
    listed: Sequence[Candidate],
    siblings: Sequence[Application] = (),
    *,
    now: dt.datetime,
) -> Chances | None:
    """The chances of the wishes `listed`, from the round's newest estimate; None once the round is frozen.

    `finder` is that of the application.  `siblings` are the family's other children of the level, bound or not; they are
    supposed to have the same wishes, and `sibling_lists` says whether they do.
    """
    if round_.stage not in STILL_CHANGING:
        return None
    estimate = newest_estimate(session, round_.id)
    if estimate is None:
        return Chances("later", next_at(now))
    if estimate.families < FEWEST_FAMILIES:
        return Chances("few", next_at(now), estimate)
    family = _Children(session, application, round_, finder, siblings)
    lines = SimulatedLines(session, estimate, [each.programme.id for each in listed])
    wishes, alike = family.wishes_at(lines, listed)
    told = Chances("told", next_at(now), estimate, tuple(_place(lines, [wish]) if wish else None for wish in wishes))
    known = [wish for wish in wishes if wish is not None]
    if not known or len(known) < len(wishes):
        return told
    place = _place(lines, known)
    beside = _lists_beside(session, application, siblings, round_, listed)
    simulated = siblings and alike and beside != SiblingLists.APART
    return replace(
        told,
        sibling_lists=beside,
        place=place,
        more=_more(session, estimate, family, listed, place) if len(listed) < round_.max_wishes else (),
        together=_together(lines, known, 1 + len(siblings)) if simulated else None,
    )


def _lists_beside(
    session: Session,
    application: Application,
    siblings: Sequence[Application],
    round_: Round,
    listed: Sequence[Candidate],
) -> SiblingLists:
    """Bound children have one list, also while a page shows another order of it."""
    mine = [each.programme.id for each in listed]
    separate = [each for each in siblings if application.unit is None or each.unit != application.unit]
    stored = ([wish.programme_id for wish in stored_wishes.of(session, each.id, round_.id)] for each in separate)
    theirs = [each for each in stored if each]
    if any(set(mine).isdisjoint(each) for each in theirs):
        return SiblingLists.APART
    return SiblingLists.DIFFER if any(each != mine for each in theirs) else SiblingLists.SAME


class _Children:
    """The child and its siblings: their priorities at kindergartens."""

    def __init__(
        self, session: Session, application: Application, round_: Round, finder: Finder, siblings: Sequence[Application]
    ):
        self.finder, self._bound = finder, application.unit is not None
        self._theirs = [Finder(session, sibling, round_.id) for sibling in siblings]

    def wishes_at(self, lines: SimulatedLines, listed: Sequence[Candidate]) -> tuple[list[SupposedWish | None], bool]:
        """Each wish as the engine needs it, and whether all the children have equal priorities.

        Bound children have the worst priority among them, and only the pools that are for all of them.
        """
        programmes = [each.programme for each in listed]
        members = [_here(lines, listed), *(_here(lines, each.seen(programmes)) for each in self._theirs)]
        alike = all(one == members[0] for one in members)
        if not self._bound or alike:
            return members[0], alike
        return [_worst(at_one) for at_one in zip(*members, strict=True)], alike


def _here(lines: SimulatedLines, listed: Sequence[Candidate]) -> list[SupposedWish | None]:
    found: list[SupposedWish | None] = []
    for each in listed:
        number, groups = lines.number.get(each.programme.id), frozenset(GROUNDS[ground] for ground in each.grounds)
        found.append(None if number is None else SupposedWish(number, each.tiered.tier, groups))
    return found


def _worst(at_one: Sequence[SupposedWish | None]) -> SupposedWish | None:
    known = [wish for wish in at_one if wish is not None]
    if not known:
        return None
    groups = frozenset.intersection(*(wish.groups for wish in known))
    return SupposedWish(known[0].programme, max(wish.tier for wish in known), groups)


def _place(lines: SimulatedLines, wishes: Sequence[SupposedWish]) -> Odds:
    """The chance to meet at least one of the lines."""
    return Odds(lines.odds(wishes).together)


def _together(lines: SimulatedLines, wishes: Sequence[SupposedWish], children: int) -> SiblingChances:
    bound, separate = (lines.odds(wishes, children, bound=bound) for bound in (True, False))
    one = Chance(separate.none.draws - separate.none.hits, separate.none.draws)
    return SiblingChances(Odds(bound.together), Odds(separate.together), Odds(one), separate.all_placed)


def _more(
    session: Session, estimate: ChanceEstimate, family: _Children, listed: Sequence[Candidate], place: Odds
) -> tuple[ExtraWish, ...]:
    """The kindergartens of the own area that add most to the chance of a place, if they add at least `WORTH_TELLING`."""
    if place.chance.value + WORTH_TELLING > 1:
        return ()
    chosen = [each.programme.id for each in listed]
    others = family.finder.seen(family.finder.others(listed, OTHERS))
    lines = SimulatedLines(session, estimate, [*chosen, *(each.programme.id for each in others)])
    wishes, _ = family.wishes_at(lines, [*listed, *others])
    known = [wish for wish in wishes[: len(listed)] if wish is not None]
    tried = [
        ExtraWish(candidate, _place(lines, [*known, wish]))
        for candidate, wish in zip(others, wishes[len(listed) :], strict=True)
        if wish is not None
    ]
    worth = [each for each in tried if each.place.chance.value - place.chance.value >= WORTH_TELLING]
    return tuple(sorted(worth, key=lambda more: -more.place.chance.hits)[:MOST_MORE])


def is_told(session: Session, round_: Round) -> bool:
    """Whether families read chances of this round now: there is an estimate from enough families, and the list may change."""
    estimate = newest_estimate(session, round_.id) if round_.stage in STILL_CHANGING else None
    return estimate is not None and estimate.families >= FEWEST_FAMILIES


def of_candidates(
    session: Session,
    application: Application,
    round_: Round,
    finder: Finder,
    listed: Sequence[Candidate],
    siblings: Sequence[Application] = (),
) -> tuple[Odds | None, ...]:
    """The chance at each kindergarten of a list, wished for or not; None where there is no estimate."""
    estimate = newest_estimate(session, round_.id)
    if estimate is None or not listed or not is_told(session, round_):
        return (None,) * len(listed)
    lines = SimulatedLines(session, estimate, [each.programme.id for each in listed])
    wishes, _ = _Children(session, application, round_, finder, siblings).wishes_at(lines, listed)
    return tuple(_place(lines, [wish]) if wish else None for wish in wishes)
