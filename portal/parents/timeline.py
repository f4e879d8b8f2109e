"""How far an application is: its history with dates, what the calendar brings next, and what was sent back."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, receipts, wishes
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import IN_REVIEW, SUBMITTED, MoveMade
from enrollment.applications.returned_items import ReturnedItem
from enrollment.eligibility import claims, households, required_documents
from enrollment.ground.accounts import Actor
from enrollment.people import guardians
from enrollment.season.calendar import Season, SeasonDate
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact
from portal.parents import application_status
from portal.parents.answer_summary import area_name
from portal.parents.application_status import Standing
from portal.parents.form_pages import review_ends
from portal.text.formats import day, moment, span
from portal.text.words import word

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
    stands = application_status.of(session, application, now=now)
    season = session.get(Season, application.year)
    return {
        "stands": stands,
        "timeline": _history(session, application) + list(_steps(season, stands, now)),
        "returned": _returned(session, application),
        "review_ends": review_ends(application),
        "papers": required_documents.missing(session, application)
        if application.stage in (SUBMITTED, IN_REVIEW)
        else [],
        "receipts": receipts.all_of(session, application),
        "wished": _wished(session, application, now),
        "result": url_for("parents.result_page", application_id=application.id),
    }


def hints(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> dict[str, str]:
    """A line below each page's name: what was answered there."""
    guardian = guardians.guardian_of(session, by=by)
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
        outside = word("answer_detail", "home_outside") if household.home_outside else ""
        where = [outside or area_name(session, household.home_area), household.home_street or ""]
        found["household"] = " ".join(part for part in where if part)
    return found


def _history(session: Session, application: Application) -> list[dict[str, Any]]:
    rows = session.scalars(select(MoveMade).where(MoveMade.application_id == application.id).order_by(MoveMade.number))
    return [
        {"what": word("move", row.move), "when": moment(row.at), "state": "done"} for row in rows if row.move in TOLD
    ]


def _steps(season: Season | None, stands: Standing, now: dt.datetime) -> Iterator[dict[str, Any]]:
    """What follows the family's own moves: the calendar's steps to come, and once there is a result, what it led to."""
    if season is None or stands.application.stage in ("refused", "withdrawn") or stands.missed:
        return
    dates = {date.step: date for date in season.dates}
    if stands.result is None:
        for step in COMING:
            if step in dates and dates[step].ends_at > now:
                yield _dated(dates[step], now)
        return
    yield _dated(dates["draw"], now, done=True)
    yield _done("result", stands.result.run.published_at) | {"more": stands.place or _("还没有学位")}
    yield from _answer(stands)
    if stands.result.holds:
        arrived = stands.offer is not None and stands.offer.state == "arrived"
        yield _dated(dates["arrival"], now, done=arrived)
    if stands.further is not None:
        when = span(stands.further.opens_at, stands.further.closes_at)
        yield {
            "what": word("round_kind", stands.further.kind),
            "when": when,
            "state": "now" if stands.times.open else "todo",
        }


def _answer(stands: Standing) -> Iterator[dict[str, Any]]:
    """The family's answer to its newest offer, with its day; a place that ended says how."""
    offer = stands.offer
    if offer is None:
        return
    if offer.state == "offered":
        until = _("%(when)s 前", when=moment(offer.answer_by))
        yield {"what": word("season_step", "confirmation"), "when": until, "state": "now"}
        return
    if offer.answered_at is not None:
        answer = "confirmed_waiting" if offer.state == "confirmed_waiting" else "confirmed"
        if offer.state != "declined" or offer.answered_at != offer.ended_at:
            yield {"what": word("offer_state", answer), "when": moment(offer.answered_at), "state": "done"}
    if offer.ended_at is not None:
        yield {"what": word("offer_tag", offer.state), "when": moment(offer.ended_at), "state": "done"}


def _dated(date: SeasonDate, now: dt.datetime, *, done: bool = False) -> dict[str, Any]:
    state = "done" if done else "now" if date.begins_at <= now else "todo"
    return {"what": word("season_step", date.step), "when": span(date.begins_at, date.ends_at), "state": state}


def _done(step: str, at: dt.datetime | None) -> dict[str, Any]:
    return {"what": word("season_step", step), "when": moment(at) if at else "", "state": "done"}


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
