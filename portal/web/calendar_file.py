"""A calendar file (RFC 5545) that phones open: one appointment with a reminder a day before."""

import datetime as dt
from dataclasses import dataclass

from flask import Response

LINE = 73
"""The octets of a line without its break and the space of a continuation; the standard allows 75."""


@dataclass(frozen=True)
class Appointment:
    """`uid` stays the same when the date moves, so that a phone replaces the old entry.  No text names the child."""

    uid: str
    begins: dt.datetime
    ends: dt.datetime
    title: str
    text: str
    url: str


def response(appointment: Appointment, *, name: str, now: dt.datetime) -> Response:
    """The file, shown by the phone's calendar instead of stored: `inline`."""
    headers = {"Content-Disposition": f'inline; filename="{name}.ics"', "Cache-Control": "no-store"}
    return Response(content(appointment, now=now), content_type="text/calendar; charset=utf-8", headers=headers)


def content(appointment: Appointment, *, now: dt.datetime) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Chengdu Kindergarten Admission//zh-CN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{appointment.uid}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(appointment.begins)}",
        f"DTEND:{_utc(appointment.ends)}",
        f"SUMMARY:{_escaped(appointment.title)}",
        f"DESCRIPTION:{_escaped(appointment.text)}",
        f"URL:{appointment.url}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escaped(appointment.title)}",
        "TRIGGER:-P1D",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 octets; a character is never cut."""
    parts, part, size = [], "", 0
    for sign in line:
        length = len(sign.encode())
        if size + length > LINE:
            parts.append(part)
            part, size = "", 0
        part, size = part + sign, size + length
    return "\r\n ".join([*parts, part])
