"""A request that waits for a second person has an end: nobody agrees today to what was asked for in another month.

Whoever asked may have left, the reason may be gone, and an old request in a list is agreed to by mistake.
"""

import datetime as dt

from enrollment.ground.errors import Refused

OPEN_FOR = dt.timedelta(days=7)


def has_lapsed(asked_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether the request can no longer be agreed to."""
    return now >= asked_at + OPEN_FOR


def require_open(asked_at: dt.datetime, now: dt.datetime) -> None:
    """Refuses `request_lapsed`."""
    if has_lapsed(asked_at, now):
        raise Refused("request_lapsed")
