"""How far an application is: its history with dates, what the calendar brings next, and what was sent back."""

import datetime as dt
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.families import claims, deadlines, households, people, receipts, wishes
from enrollment.families.applications import Application
from enrollment.families.lifecycle import MoveMade
from enrollment.families.returns import ReturnedItem
from enrollment.ground.accounts import Actor
from enrollment.season.calendar import Season
from enrollment.season.documents import Document
from enrollment.season.facts import Fact
from portal.formats import day, moment, span
from portal.parents.said import area_name
from portal.words import word

TOLD = ("submit", "wish_again", "withdraw", "apply_again", "send_back", "confirm", "refuse", "reopen")
COMING = ("review", "draw", "result", "confirmation", "arrival")
HOUSEHOLD_FACTS = {
    Fact.HUKOU_AREA,
    Fact.HUKOU_KIND,
    Fact.HUKOU_STREET,
    Fact.HOME_AREA,
    Fact.HOME_PLACE,
    Fact.HOME_OWNED,
    Fact.WORK_AREA,
    Fact.RESIDENCE_PERMIT_AREA,
}


def of(session: Session, application: Application, *, now: dt.datetime) -> dict[str, Any]:
    """What the page of an application shows."""
    return {
        "timeline": _history(session, application) + _coming(session, application, now),
        "returned": _returned(session, application),
        "receipts": receipts.all_of(session, application),
        "wished": _wished(session, application, now),
        "result": url_for("parents.result_page", application_id=application.id),
    }


def hints(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> dict[str, str]:
    """A line below each page's name: what was answered there."""
    guardian = people.guardian_of(session, by=by)
    household = households.of(session, application.id)
    claimed = claims.of(session, application.id)
    child = application.child
    found = {
        "guardian": guardian.name if guardian else "",
        "child": f"{child.name} · {day(child.born, year=True)} · {word('level', application.level)}",
        "grounds": " · ".join(word("ground", ground) for ground in claimed if ground in claims.ASKED),
        "wishes": " · ".join(_wished(session, application, now)),
    }
    if household is not None:
        where = [area_name(session, household.home_area), household.home_street or ""]
        found["household"] = " ".join(part for part in where if part)
    return found


def _history(session: Session, application: Application) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(MoveMade).where(MoveMade.application_id == application.id).order_by(MoveMade.number)
    )
    return [
        {"what": word("move", row.move), "when": moment(row.at), "state": "done"} for row in rows if row.move in TOLD
    ]


def _coming(session: Session, application: Application, now: dt.datetime) -> list[dict[str, Any]]:
    """The steps of the calendar that are still to come, for an application that is alive."""
    season = session.get(Season, application.year)
    if season is None or application.stage in ("refused", "withdrawn"):
        return []
    dates = [date for date in season.dates if date.step in COMING and date.ends_at > now]
    return [
        {
            "what": word("season_step", date.step),
            "when": span(date.begins_at, date.ends_at),
            "state": "now" if date.begins_at <= now else "todo",
        }
        for date in dates
    ]


def _returned(session: Session, application: Application) -> list[dict[str, Any]]:
    """Each thing that was asked back, and the page where it is answered."""
    rows = session.scalars(
        select(ReturnedItem)
        .where(ReturnedItem.application_id == application.id, ReturnedItem.answered_at.is_(None))
        .order_by(ReturnedItem.asked_at, ReturnedItem.item)
    )
    return [{"what": _name(row.item), "note": row.note, "href": _answer_at(row.item, application)} for row in rows]


def _name(item: str) -> str:
    if item in set(Document):
        return word("document", item)
    return word("fact", item) if item in set(Fact) else word("returned_item", "other")


def _answer_at(item: str, application: Application) -> str:
    page, anchor = "evidence", None
    if item in set(Document):
        anchor = f"paper-{item}"
    elif item == Fact.BORN:
        page = "child"
    elif item in HOUSEHOLD_FACTS:
        page = "household"
    elif item in set(Fact):
        page = "grounds"
    return url_for(f"parents.{page}_page", application_id=application.id, _anchor=anchor)


def _wished(session: Session, application: Application, now: dt.datetime) -> list[str]:
    times = deadlines.of(session, application, now=now)
    round_ = times.open or times.last
    listed = wishes.of(session, application.id, round_.id) if round_ else []
    return [wish.programme.kindergarten.name for wish in listed]

