"""Formats of dates, numbers and percentages in both languages."""

import datetime as dt
import re
from contextlib import suppress
from typing import Any

from flask import Flask
from flask_babel import format_datetime

from enrollment.ground.city_time import CHENGDU
from enrollment.ground.errors import Refused
from enrollment.season.ages import born_between
from portal.text import plurals
from portal.text.words import language, table, word

ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _there(moment: dt.datetime | dt.date) -> dt.datetime | dt.date:
    return moment.astimezone(CHENGDU) if isinstance(moment, dt.datetime) else moment


def day(moment: dt.datetime | dt.date, year: bool = False, *, in_language: str | None = None) -> str:
    """`5月21日` or `21 May`; with `year` also the year."""
    here = _there(moment)
    if (in_language or language()) == "en":
        return f"{here.day} {here:%B %Y}" if year else f"{here.day} {here:%B}"
    return f"{here.year}年{here.month}月{here.day}日" if year else f"{here.month}月{here.day}日"


def moment(when: dt.datetime, year: bool = False, *, in_language: str | None = None) -> str:
    """`5月25日 17:00` or `25 May, 17:00`."""
    here, spoken = when.astimezone(CHENGDU), in_language or language()
    return f"{day(here, year, in_language=spoken)}{', ' if spoken == 'en' else ' '}{here:%H:%M}"


def leaf(when: dt.datetime) -> tuple[str, str, str]:
    """A moment as the leaf of a calendar: `6 月`, `12`, `星期五 9:00`, or `June`, `12`, `Friday 9:00`."""
    here = when.astimezone(CHENGDU)
    hour = f"{here.hour}:{here:%M}"
    if language() == "en":
        return f"{here:%B}", str(here.day), f"{here:%A} {hour}"
    return f"{here.month} 月", str(here.day), f"星期{'一二三四五六日'[here.weekday()]} {hour}"


def span(begins: dt.datetime, ends: dt.datetime) -> str:
    """`5月21–25日` or `21–25 May`; a step that ends at midnight ends on the day before."""
    first, last = begins.astimezone(CHENGDU).date(), (ends - dt.timedelta(seconds=1)).astimezone(CHENGDU).date()
    if last <= first:
        return day(first)
    if (first.year, first.month) != (last.year, last.month):
        return f"{day(first)}–{day(last)}"
    return f"{first.day}–{day(last)}" if language() == "en" else f"{first.month}月{first.day}–{last.day}日"


def short_span(begins: dt.datetime, ends: dt.datetime) -> str:
    """`5/21–25` or `21–25 May`, `8/28–9/10` or `28 Aug–10 Sep`: a span where there is little room, as in the line of the season."""
    first, last = begins.astimezone(CHENGDU).date(), (ends - dt.timedelta(seconds=1)).astimezone(CHENGDU).date()
    english = language() == "en"
    if last <= first:
        return f"{first.day} {first:%b}" if english else f"{first.month}/{first.day}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {first:%b}" if english else f"{first.month}/{first.day}–{last.day}"
    return (
        f"{first.day} {first:%b}–{last.day} {last:%b}"
        if english
        else f"{first.month}/{first.day}–{last.month}/{last.day}"
    )


def grouped(number: int | None) -> str:
    """`12 345`, with narrow no-break spaces between groups of digits."""
    return "—" if number is None else f"{number:,}".replace(",", "\u202f")


def signed(value: float, digits: int = 0) -> str:
    """`+1.2`, `−0.4` with a minus sign; what rounds to zero has no sign: `0.0`."""
    rounded = f"{abs(value):,.{digits}f}".replace(",", "\u202f")
    is_zero = not rounded.strip("0.")
    return rounded if is_zero else f"{'−' if value < 0 else '+'}{rounded}"


def file_size(size: int) -> str:
    """`85 MB`, in millions of bytes as phones count them; `3 KB` below one million."""
    return f"{max(1, round(size / 1e6))} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} KB"


def percent(part: int | None, whole: int, digits: int = 1) -> str:
    """`51.4%`, rounded half up in whole numbers; `—` where there is nothing to divide by, or the part is not told."""
    if not whole or part is None:
        return "—"
    scale = 10**digits
    scaled = (part * 100 * scale * 2 + whole) // (2 * whole)
    return f"{scaled // scale}.{scaled % scale:0{digits}d}%" if digits else f"{scaled}%"


def time_left(until: dt.datetime, now: dt.datetime) -> str:
    """`2 天 19 小时`, from two days down `47 小时`, at last `不到 1 小时`: never days or hours that are none."""
    hours = int(max(until - now, dt.timedelta()) / dt.timedelta(hours=1))
    if hours < 1:
        return word("time_left", "minutes")
    days, rest = divmod(hours, 24)
    if days < 2:
        return word("time_left", "hours", hours=hours)
    return word("time_left", "days_and_hours" if rest else "days", days=days, hours=rest)


def refusal(refused: Refused) -> str:
    """A refusal in words.  Dates, class levels and steps of the season in its details are put into words here, times by the words
    themselves.  A date may be text, as the row of a job keeps it."""
    details = {name: _dated(value) for name, value in refused.details.items()}
    if "level" in details:
        details["level"] = word("level", details["level"])
    if details.get("step") in table()["season_step"]:
        details["step"] = word("season_step", details["step"])
    return word("error", refused.code, **details)


def _dated(value: Any) -> Any:
    if type(value) is dt.date:
        return day(value, year=True)
    if isinstance(value, str) and ISO_DAY.fullmatch(value):
        with suppress(ValueError):  # a cell of a file, such as 2026-02-30, is told as it was typed
            return day(dt.date.fromisoformat(value), year=True)
    return value


def init(app: Flask) -> None:
    app.jinja_env.globals.update(
        day=day,
        moment=moment,
        leaf=leaf,
        span=span,
        short_span=short_span,
        refusal=refusal,
        grouped=grouped,
        signed=signed,
        file_size=file_size,
        percent=percent,
        time_left=time_left,
        born_between=born_between,
        format_datetime=format_datetime,
        after_number=plurals.after_number,
    )
