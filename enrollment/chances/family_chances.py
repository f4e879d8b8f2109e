"""The chances 机会 of one family, as its wishes stand: an honest estimate from the round's simulated draws.

The chance of a wish is how often the family's ticket would meet the line there, wherever the wish stands in the list:
so it does not move when wishes are put in another order, as the chance itself does not.  What a family gets is the
first wish whose line it meets; so the chance of a place is the chance that any of the lines is met.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from allocation.simulate import Chance, WishHere
from enrollment.applications.applications import Application
from enrollment.chances.estimate_market import GROUNDS
from enrollment.chances.estimate_reader import Lines
from enrollment.chances.estimate_rows import ChanceEstimate
from enrollment.chances.estimates import STILL_CHANGING, next_at
from enrollment.eligibility.wish_candidates import Candidate, Finder
from enrollment.season.rounds import Round

FEWEST_FAMILIES = 200
"""With fewer, who comes next changes the chances more than the draw does, and none is told."""

OTHERS = 6
"""Kindergartens that serve the home or lie in its area, the nearest first, that are tried as one wish more."""

WORTH_TELLING = 0.01
"""What one wish more must add to be told."""

SIZES = ((0.90, "very_likely"), (0.65, "likely"), (0.35, "even"), (0.10, "unlikely"), (0.0, "very_unlikely"))
"""From which share of draws on a chance is called what: the one table of it, the best first."""


@dataclass(frozen=True)
class Odds:
    """A chance as it is told: in hundredths, from `low` to `high`, and never none and never all."""

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
        """How its numbers are said: `over` 99, `under` 1, or `between` two."""
        if self.low == 99:
            return "over"
        return "under" if self.high == 1 else "between"


@dataclass(frozen=True)
class OneMore:
    """What one wish more would do: the best of the kindergartens in question, and the chance of a place with it."""

    candidate: Candidate
    place: Odds


@dataclass(frozen=True)
class Together:
    """Children who stand alike and hand in these wishes: all at one kindergarten when bound, the same when separate, and,
    when separate, a place for one of them at least."""

    bound: Odds
    separate: Odds
    separate_one: Odds


@dataclass(frozen=True)
class Chances:
    """`state` is `later` (none made yet: `next_at`), `few` (too few families yet), or `told`.

    `wishes` are the chances in the order of the list, None where the estimate does not know the programme; then `place`,
    the chance of any place, is None too.
    """

    state: str
    next_at: dt.datetime
    estimate: ChanceEstimate | None = None
    wishes: tuple[Odds | None, ...] = ()
    place: Odds | None = None
    one_more: OneMore | None = None
    together: Together | None = None


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

    `finder` is the application's own.  `siblings` are the family's other children of the level, bound to this one or
    not, who are taken to hand in the same wishes.
    """
    if round_.stage not in STILL_CHANGING:
        return None
    estimate = session.get(ChanceEstimate, round_.id)
    if estimate is None:
        return Chances("later", next_at(now))
    if estimate.families < FEWEST_FAMILIES:
        return Chances("few", next_at(now), estimate)
    family = _Family(session, application, round_, finder, siblings)
    lines = Lines(session, estimate, [each.programme.id for each in listed])
    wishes, alike = family.standing(lines, listed)
    told = Chances("told", next_at(now), estimate, tuple(_place(lines, [wish]) if wish else None for wish in wishes))
    known = [wish for wish in wishes if wish is not None]
    if not known or len(known) < len(wishes):
        return told
    place = _place(lines, known)
    return replace(
        told,
        place=place,
        one_more=_one_more(session, estimate, family, listed, place) if len(listed) < round_.max_wishes else None,
        together=_together(lines, known, 1 + len(siblings)) if siblings and alike else None,
    )


class _Family:
    """The child, and its siblings who go with it: how they stand at kindergartens."""

    def __init__(
        self, session: Session, application: Application, round_: Round, finder: Finder, siblings: Sequence[Application]
    ):
        self.finder, self._bound = finder, application.unit is not None
        self._theirs = [Finder(session, sibling, round_.id) for sibling in siblings]

    def standing(self, lines: Lines, listed: Sequence[Candidate]) -> tuple[list[WishHere | None], bool]:
        """Each wish as the engine's estimate knows it, and whether all the children stand alike.

        Bound children stand where the last of them stands, and only in pools that are for all of them.
        """
        programmes = [each.programme for each in listed]
        members = [_here(lines, listed), *(_here(lines, each.seen(programmes)) for each in self._theirs)]
        alike = all(one == members[0] for one in members)
        if not self._bound or alike:
            return members[0], alike
        return [_worst(at_one) for at_one in zip(*members, strict=True)], alike


def _here(lines: Lines, listed: Sequence[Candidate]) -> list[WishHere | None]:
    found: list[WishHere | None] = []
    for each in listed:
        number, groups = lines.number.get(each.programme.id), frozenset(GROUNDS[ground] for ground in each.grounds)
        found.append(None if number is None else WishHere(number, each.tiered.tier, groups))
    return found


def _worst(at_one: Sequence[WishHere | None]) -> WishHere | None:
    known = [wish for wish in at_one if wish is not None]
    if not known:
        return None
    groups = frozenset.intersection(*(wish.groups for wish in known))
    return WishHere(known[0].programme, max(wish.tier for wish in known), groups)


def _place(lines: Lines, wishes: Sequence[WishHere]) -> Odds:
    """That at least one of the lines is met."""
    return Odds(lines.odds(wishes).together)


def _together(lines: Lines, wishes: Sequence[WishHere], children: int) -> Together:
    bound, separate = (lines.odds(wishes, children, bound=bound) for bound in (True, False))
    one = Chance(separate.none.draws - separate.none.hits, separate.none.draws)
    return Together(Odds(bound.together), Odds(separate.together), Odds(one))


def _one_more(
    session: Session, estimate: ChanceEstimate, family: _Family, listed: Sequence[Candidate], place: Odds
) -> OneMore | None:
    """The kindergarten of the own area that would add most, if it adds a hundredth at least."""
    if place.chance.value + WORTH_TELLING > 1:
        return None
    chosen = [each.programme.id for each in listed]
    others = family.finder.seen(family.finder.others(listed, OTHERS))
    lines = Lines(session, estimate, [*chosen, *(each.programme.id for each in others)])
    wishes, _ = family.standing(lines, [*listed, *others])
    known = [wish for wish in wishes[: len(listed)] if wish is not None]
    tried = [
        OneMore(candidate, _place(lines, [*known, wish]))
        for candidate, wish in zip(others, wishes[len(listed) :], strict=True)
        if wish is not None
    ]
    best = max(tried, key=lambda more: more.place.chance.hits, default=None)
    return best if best is not None and best.place.chance.value - place.chance.value >= WORTH_TELLING else None
