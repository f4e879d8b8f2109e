"""The line itself: numbers, who is let in, how long the others wait.  It knows neither the web nor the clock.

Families are let in at the rate at which those inside make the page processes `TARGET` busy: requests a second that can be
served, divided by the requests of a visit, both as measured.  While the processes have time to spare, more are let in; the longer
visitors wait there, the fewer.  As long as nobody waits and there is room, whoever comes is let in at once.
"""

import itertools
from dataclasses import dataclass, field

from portal.line.load import Load

TARGET = 0.95
"""Share of the time in which the page processes shall work."""

REQUESTS_OF_A_VISIT = 12.0
"""A guess, until it is measured: those of a family that signs in, saves a page and submits."""

MEASURED_FOR, MEASURED_VISITS = 30.0, 100
"""Seconds and visits over which the requests of a visit are measured.  Those who have just come in have most of theirs before them, so
that a shorter time shows too few in a rush, and too many after it."""

ENTRANCE_SHARES = ((0.0, 1.0), (0.3, 0.5), (0.6, 0.3), (1.0, 0.05))
"""Seconds that a visitor waits before a page process looks at it, and the share of the rate that is let in then; between these by the
straight line.  A visit lasts longer than the delay takes to show it: were almost nobody let in while visitors wait for half a second,
all who came in together would leave together, and the processes would have little to do until the next ones are in."""

SPARE = 4.0
"""How many times as fast families are let in when the page processes have nothing to do."""

BURST = 1.0
"""Seconds whose entrances may be used at once, after a time in which fewer families came."""

LEAST_RATE = 1.0
"""Families a second that are let in whatever happens: the line never stands still, and where few come and the machine is slow
for another reason, there is no line."""

LEAST_BURST = 20.0
"""Families that may come in at once after a quiet time, however slow the machine is."""

LONGEST_REFRESH, SHORTEST_REFRESH = 60, 2
"""Seconds between two looks of a waiting page.  Seven looks cost as much as a page, so those of a long line must not be many."""

MOST_ENTRANCES = 3
"""How often one number lets somebody in.  An answer may be lost on the way, so once is too few; a number that is handed around
lets no crowd pass the line."""

MOST_REMEMBERED = 200_000
"""Numbers whose entrances are counted: those of two hours of a full city, after which a number is not kept any more."""

GRACE = 4.0
"""Seconds that a look may be late.  Nobody waits for a page that has not looked again; its number stays good, and whoever
comes back with it after its turn comes in at once."""


@dataclass(frozen=True)
class Place:
    """A place in the line: its number, how many stand before it, the seconds until its turn, and those until it at the earliest."""

    number: int
    ahead: int
    wait: float
    soonest: float

    @property
    def refresh(self) -> int:
        """Seconds until the next look: half of those until the earliest turn, spread by the number, so that not all look at once."""
        spread = 0.85 + 0.3 * (self.number % 16) / 16
        return round(max(SHORTEST_REFRESH, min(LONGEST_REFRESH, self.soonest / 2 * spread)))


@dataclass
class Line:
    """`last` is the newest number that was given, `turn` the highest one that may come in."""

    load: Load
    last: int = 0
    turn: int = 0
    tokens: float = LEAST_BURST
    rate: float = 20.0
    requests_of_a_visit: float = REQUESTS_OF_A_VISIT
    pace: float = 0.0
    """Numbers a second by which `turn` has moved lately."""
    expected: dict[int, float] = field(default_factory=dict)
    """When the page of a number that waits here looks again at the latest."""
    entrances: dict[int, int] = field(default_factory=dict)
    _let_in: int = 0
    _counted: tuple[int, int] = (0, 0)
    _measured_for: float = 0.0

    def may_enter(self, number: int | None) -> bool:
        """Whether somebody with this number, or without one, comes in now."""
        if number is not None and number <= self.turn and not self.is_used_up(number):
            self.entrances[number] = self.entrances.get(number, 0) + 1
            if len(self.entrances) > MOST_REMEMBERED:
                del self.entrances[next(iter(self.entrances))]
            return True
        if number is None and self.turn >= self.last and self.tokens >= 1:
            self._take(1)
            return True
        return False

    def _take(self, number: int) -> None:
        self.tokens -= number
        self._let_in += number

    def place(self, number: int, now: float) -> Place:
        """The place of somebody who looks now."""
        ahead = max(0, number - self.turn - 1)
        wait, soonest = ((ahead + 1) / max(rate, LEAST_RATE) for rate in (self.pace, max(self.pace, self.sustained)))
        place = Place(number, ahead, wait, soonest)
        self.expected[number] = now + 1.3 * place.refresh + GRACE
        return place

    def knows(self, number: int) -> bool:
        """Whether this number was given by this line, and has not let in as many as one number may."""
        return 0 < number <= self.last and not self.is_used_up(number)

    def is_used_up(self, number: int) -> bool:
        return self.entrances.get(number, 0) >= MOST_ENTRANCES

    def advance(self, seconds: float, now: float) -> tuple[int, int]:
        """`seconds` have passed: by how many numbers the turn may move, and how many of them are still expected.

        Numbers of other hosts count as expected.  The caller moves the turn, here or for all hosts.
        """
        self._measure_visits(seconds)
        self.rate = self._rate(self.load.delay_at(now))
        most = max(LEAST_BURST, self.rate * BURST)
        self.tokens = min(most, max(self.tokens, -most) + self.rate * seconds)
        steps = present = 0
        while self.turn + steps < self.last:
            here = self.expected.get(self.turn + steps + 1, now) >= now
            if here and present + 1 > self.tokens:
                break
            present += here
            steps += 1
        return steps, present

    def moved(self, last: int, turn: int, present: int, seconds: float) -> None:
        """The numbers are now these; `present` of them come in here.  `pace` follows within about ten seconds."""
        step = max(0, turn - self.turn)
        for number in range(self.turn + 1, self.turn + step + 1):
            self.expected.pop(number, None)
        self.last, self.turn = max(self.last, last), self.turn + step
        self._take(present)
        if self.turn < self.last or step:
            self.pace = self.pace or self.rate
            self.pace += min(1.0, seconds / 10) * (step / seconds - self.pace)
        else:
            self.pace = 0.0

    @property
    def sustained(self) -> float:
        """Families a second that keep the page processes `TARGET` busy."""
        return TARGET * self.load.capacity / self.requests_of_a_visit

    def _rate(self, delay: float) -> float:
        spare = max(0.0, TARGET - self.load.busy) / TARGET
        return max(LEAST_RATE, self.sustained * entrance_share(delay) * (1 + (SPARE - 1) * spare))

    def _measure_visits(self, seconds: float) -> None:
        requests, visits = self.load.requests - self._counted[0], self._let_in - self._counted[1]
        self._measured_for = self._measured_for + seconds if visits else 0.0
        if visits >= MEASURED_VISITS and self._measured_for >= MEASURED_FOR:
            self.requests_of_a_visit += 0.5 * (min(40.0, max(2.0, requests / visits)) - self.requests_of_a_visit)
            self._counted, self._measured_for = (self.load.requests, self._let_in), 0.0


def entrance_share(delay: float) -> float:
    """The share of the rate that is let in at this delay."""
    for (shorter, more), (longer, fewer) in itertools.pairwise(ENTRANCE_SHARES):
        if delay < longer:
            return more - (more - fewer) * max(0.0, delay - shorter) / (longer - shorter)
    return ENTRANCE_SHARES[-1][1]
