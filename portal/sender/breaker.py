"""The circuit breaker of the gateway, shared by both lanes.  A pause for which the gateway asks is one lane's (`pace`).

After `FAILURES` attempts in a row that the gateway did not serve, it counts as down.  Then one message is tried from time
to time, each time another one, until the gateway answers; the others wait and use up no tries.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable

from enrollment.ground.outbox import DeliveryError
from portal.web.clock import real_now

FAILURES = 5
SHORTEST_PROBE, LONGEST_PROBE = 1.0, 10.0
"""Seconds between two probes: doubled with each, so that a gateway that starts again is not overrun."""


class Breaker:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic):
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._interval = SHORTEST_PROBE
        self._next_probe = 0.0
        self.down_since: dt.datetime | None = None
        self.error: DeliveryError | None = None

    @property
    def is_down(self) -> bool:
        return self.down_since is not None

    def served(self) -> None:
        """The gateway answered for a message, with yes or with no."""
        with self._lock:
            self._failures, self._interval = 0, SHORTEST_PROBE
            self.down_since = self.error = None

    def failed(self, error: DeliveryError | None) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES and self.down_since is None:
                self.down_since = real_now()
                self._next_probe = self._monotonic() + self._interval
            if self.is_down:
                self.error = error

    def allowance(self, wanted: int) -> int:
        """How many of the messages that a lane wants to claim it may claim now."""
        with self._lock:
            if self.is_down:
                return min(wanted, 1) if self._monotonic() >= self._next_probe else 0
            return wanted

    def probe_taken(self) -> None:
        """A lane has claimed the message of a probe."""
        with self._lock:
            self._interval = min(self._interval * 2, LONGEST_PROBE)
            self._next_probe = self._monotonic() + self._interval
