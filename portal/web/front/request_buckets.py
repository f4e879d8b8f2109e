"""How often something may happen for each of many keys, such as requests of an address."""

import time
from collections.abc import Callable

MOST_KEYS = 20_000


class RequestBuckets:
    """A bucket for each key: `burst` requests, and `rate` more a second."""

    def __init__(
        self, rate: float, burst: float, moment: Callable[[], float] = time.monotonic, *, most: int = MOST_KEYS
    ):
        self.rate, self.burst, self.moment, self.most = rate, burst, moment, most
        self._left: dict[str, tuple[float, float]] = {}

    def takes(self, key: str) -> bool:
        """Count a request of this key; whether it has one left."""
        moment = self.moment()
        left, at = self._left.get(key, (self.burst, moment))
        left = min(self.burst, left + (moment - at) * self.rate)
        if key not in self._left and len(self._left) >= self.most:
            self._forget_the_quiet(moment)
        self._left[key] = (left - 1 if left >= 1 else left, moment)
        return left >= 1

    def _forget_the_quiet(self, moment: float) -> None:
        """Forget whose bucket is full again; all, where so many keys are busy at once that counting them is no help."""
        busy = {
            key: (left, at) for key, (left, at) in self._left.items() if left + (moment - at) * self.rate < self.burst
        }
        self._left = busy if len(busy) < self.most else {}
