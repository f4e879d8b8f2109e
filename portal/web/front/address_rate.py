"""How many requests of one address a page process takes: nginx counts them before it, Caddy cannot (`operations/proxy/front.py`).

Each process counts for itself and takes its part, doubled because requests do not come evenly: behind Caddy an address has at most twice the
rate, and behind nginx nobody reaches it.  A refused request costs a fiftieth of a page: it is refused before its session is read.
"""

import ipaddress
import os
import time
from collections.abc import Callable

RATE, BURST = 200, 2000
"""Requests of one address in a second, and at once.  Thousands of families of a carrier share an address, so the limits of
a phone and of a browser are the ones that are met first."""

LINE = 64
"""Bits of an IPv6 address that a carrier gives to one line; the subscriber chooses the rest, another one for each request."""

PART = 2 / (2 * (os.cpu_count() or 1))
"""The part of a process, of twice as many as there are cores (`operations/page_processes.py`), doubled."""

MOST_ADDRESSES = 20_000
HEADER = "X-Too-Often"
"""Tells the proxy to show its own page."""


def line_of(address: str) -> str:
    """The address that is counted: with IPv6 that of the line.  Text that is no address counts as it is."""
    if ":" not in address:
        return address
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, LINE), strict=False).network_address)


class AddressRate:
    """A bucket for each address: `burst` requests, and `rate` more a second."""

    def __init__(
        self, rate: float = RATE * PART, burst: float = BURST * PART, moment: Callable[[], float] = time.monotonic
    ):
        self.rate, self.burst, self.moment = rate, burst, moment
        self._left: dict[str, tuple[float, float]] = {}

    def takes(self, address: str) -> bool:
        moment, line = self.moment(), line_of(address)
        left, at = self._left.get(line, (self.burst, moment))
        left = min(self.burst, left + (moment - at) * self.rate)
        if line not in self._left and len(self._left) >= MOST_ADDRESSES:
            self._forget_the_quiet(moment)
        self._left[line] = (left - 1 if left >= 1 else left, moment)
        return left >= 1

    def _forget_the_quiet(self, moment: float) -> None:
        """Forget whose bucket is full again; all, where so many addresses are busy at once that counting them is no help."""
        busy = {
            line: (left, at) for line, (left, at) in self._left.items() if left + (moment - at) * self.rate < self.burst
        }
        self._left = busy if len(busy) < MOST_ADDRESSES else {}
