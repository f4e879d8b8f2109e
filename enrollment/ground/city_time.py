"""Local time of the city.  Times are stored in UTC; days, deadlines and displayed times are those of Chengdu."""

import datetime as dt
from zoneinfo import ZoneInfo

CHENGDU = ZoneInfo("Asia/Shanghai")

NEXT_ROLL_FROM = (6, 1)
"""Month and day from which the roll of the next school year is open: promotions and arrivals come before September."""


def today(now: dt.datetime) -> dt.date:
    """The date in Chengdu."""
    return now.astimezone(CHENGDU).date()


def format_time(moment: dt.datetime) -> str:
    """A time in Chengdu as messages show it in every language: 2026-06-09 17:00."""
    return f"{moment.astimezone(CHENGDU):%Y-%m-%d %H:%M}"


def parse_time(text: str) -> dt.datetime:
    """The moment that a message names, as `format_time` or `isoformat` wrote it."""
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=CHENGDU)
