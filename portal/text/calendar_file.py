"""A calendar file (RFC 5545) with one event."""

import datetime as dt

LONGEST_LINE = 75
"""In bytes, without the end of the line."""


def calendar_file(
    uid: str, *, summary: str, location: str, description: str, begins: dt.datetime, ends: dt.datetime,
    written: dt.datetime, cancelled: bool = False, reminds: bool = False,
) -> str:  # fmt: skip
    """The file's text.  The same `uid` written later replaces the event in a calendar that took an earlier file.

    `reminds` lets the phone ring a day before.
    """
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_escaped(summary)}", "TRIGGER:-P1D", "END:VALARM"]
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Chengdu Kindergarten Admission//EN", "METHOD:PUBLISH", "BEGIN:VEVENT",
        f"UID:{uid}", f"DTSTAMP:{_utc(written)}", f"DTSTART:{_utc(begins)}", f"DTEND:{_utc(ends)}",
        f"SUMMARY:{_escaped(summary)}", f"LOCATION:{_escaped(location)}", f"DESCRIPTION:{_escaped(description)}",
        f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}", *(alarm if reminds else []), "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return "\\n".join(text.splitlines())


def _folded(line: str) -> str:
    """A line in parts of at most 75 bytes; no character is cut."""
    parts, part = [], ""
    for character in line:
        if len((part + character).encode()) > LONGEST_LINE:
            parts.append(part)
            part = " "
        part += character
    return "\r\n".join([*parts, part])
