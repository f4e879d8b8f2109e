"""How many requests of one address a page process takes: nginx counts them before it, Caddy cannot (`operations/proxy/front.py`).

Each process counts for itself and takes its part of those that share its socket (`PAGE_PROCESSES`), doubled because requests do not come
evenly: behind Caddy an address has at most twice the rate, and behind nginx nobody reaches it.  A refused request costs a fiftieth of a page: it is refused before its session is read.
"""

import ipaddress

from portal.web.front.request_buckets import RequestBuckets

RATE, BURST = 200, 2000
"""Requests of one address in a second, and at once.  Thousands of families of a carrier share an address, so the limits of
a phone and of a browser are the ones that are met first."""

LINE = 64
"""Bits of an IPv6 address that a carrier gives to one line; the subscriber chooses the rest, another one for each request."""

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


class AddressRate(RequestBuckets):
    """A bucket for each address, an IPv6 address for each line."""

    @classmethod
    def of_process(cls, processes: int) -> "AddressRate":
        """The part of one of so many processes, doubled because requests do not come evenly, and not more than the whole."""
        part = min(1.0, 2 / processes)
        return cls(RATE * part, BURST * part)

    def takes(self, address: str) -> bool:
        return super().takes(line_of(address))
