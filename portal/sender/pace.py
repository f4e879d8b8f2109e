"""The pace of one lane at a gateway that says `429 Too Many Requests`: a pause, then a slow start.

Each lane has its own.  The gateway refuses notices by the ten thousand and says nothing of the few codes beside them, for which
people wait: codes are tried again soon, however long the pause is.
"""

import threading
import time
from collections.abc import Callable

from enrollment.delivery.lanes import Lane

LONGEST = {Lane.CODES: 2.0, Lane.NOTICES: 60.0, Lane.WECHAT: 60.0}
"""Seconds that a lane pauses at most, whatever the gateway asks for."""

LATER, MOST_LATER = 0.25, 1.0
"""The part of a pause that notices wait longer than the gateway asks, at most so many seconds: codes are first when it takes
messages again."""

FIRST = 2
"""Messages that a sender has in hand after a pause; each that is served makes room for one more."""

NO_LIMIT = 1000
"""Messages in hand from which the slow start is over: more than a sender ever has."""


class Pace:
    """Of the senders of one lane together.  `slows` is a lane of less urgent messages for the same gateway."""

    def __init__(self, lane: Lane, slows: "Pace | None" = None, monotonic: Callable[[], float] = time.monotonic):
        self._longest, self._later = LONGEST[lane], LATER if lane == Lane.NOTICES else 0.0
        self._slows, self._monotonic = slows, monotonic
        self._lock = threading.Lock()
        self._paused_until = 0.0
        self._most = NO_LIMIT

    @property
    def is_paused(self) -> bool:
        return self._monotonic() < self._paused_until

    def pause(self, seconds: float) -> float:
        """The gateway wants no message for so long; returns for how long this lane sends none."""
        seconds = min(seconds, self._longest)
        seconds += min(seconds * self._later, MOST_LATER)
        with self._lock:
            self._paused_until = max(self._paused_until, self._monotonic() + seconds)
        self.slow_down()
        if self._slows is not None:
            self._slows.slow_down()
        return seconds

    def slow_down(self) -> None:
        """Begin with few messages again, without a pause."""
        with self._lock:
            self._most = FIRST

    def served(self) -> None:
        """The gateway took a message of this lane, or refused it for its own reason.  One that was on its way when the pause began
        makes no room."""
        if self._most < NO_LIMIT and not self.is_paused:
            with self._lock:
                self._most += 1

    def allowance(self, wanted: int, *, in_hand: int) -> int:
        """How many of the messages that a sender wants to claim it may claim now, beside those in hand."""
        if self.is_paused:
            return 0
        return wanted if self._most >= NO_LIMIT else max(min(wanted, self._most - in_hand), 0)


def paces_of_texts() -> dict[Lane, Pace]:
    """Of codes and notices, which share a gateway: where it refuses a code, notices leave it more room."""
    notices = Pace(Lane.NOTICES)
    return {Lane.CODES: Pace(Lane.CODES, notices), Lane.NOTICES: notices}
