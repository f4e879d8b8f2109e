"""The city's own time.  Moments are kept in UTC; a day, a deadline at 17:00 and what people read are Chengdu's."""

import datetime as dt
from zoneinfo import ZoneInfo

CHENGDU = ZoneInfo("Asia/Shanghai")


def today(now: dt.datetime) -> dt.date:
    """The date in Chengdu."""
    return now.astimezone(CHENGDU).date()


def written(moment: dt.datetime) -> str:
    """A time among the parameters of a message, in Chengdu: 2026-06-09 17:00.  Its words say it as people do."""
    return f"{moment.astimezone(CHENGDU):%Y-%m-%d %H:%M}"
