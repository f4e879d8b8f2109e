"""The page of an application: its history, the coming steps of the calendar, and the returned items."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import receipts
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import AWAITING_DECISION, DEAD_STAGES, MOVES_MADE
from enrollment.applications.returned_items import RETURNED_ITEMS
from enrollment.draw.publication.hours import Announcement
from enrollment.eligibility import asked_papers, claims, households, required_documents
from enrollment.ground.accounts import Actor
from enrollment.offers import joint_decisions
from enrollment.offers.arrivals import days
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferMove, OfferState
from enrollment.people import guardians
from enrollment.season import current_step, seasons
from enrollment.season.calendar import Season, SeasonDate
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact
from portal.parents import application_status
from portal.parents.answer_summary import area_name
from portal.parents.application_status import ApplicationStatus
from portal.parents.form_pages import return_over, review_ends, wish_names
from portal.text.facts import asked_words
from portal.text.formats import day, moment, span
from portal.text.page_environment import address_of
from portal.text.words import word
from portal.web.unit_of_work import db

SHOWN_MOVES = (
    "submit",
    "wish_again",
    "withdraw",
    "apply_again",
    "send_back",
    "confirm",
    "refuse",
    "refuse_duplicate",
    "reinstate",
    "reinstate_draft",
    "reopen",
)
FUTURE_STEPS = ("review", "draw", "result", "confirmation", "arrival")
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


def page_values(session: Session, application: Application, *, now: dt.datetime) -> dict[str, Any]:
    """The template values of an application's page."""
    status = application_status.status_of(session, application, now=now)
    season = seasons.of_year(session, application.year)
    return {
        "status": status,
        "timeline": _history(session, application) + list(_steps(season, status, now)),
        "returned": _returned(session, application),
        "review_ends": review_ends(application),
        "return_over": return_over(application),
        "papers": required_documents.missing(session, application) if application.stage in AWAITING_DECISION else [],
        "addable": asked_papers.addable(session, application, now=now),
        "addable_until": asked_papers.review_goes_on_until(session, application, now=now),
        "receipts": receipts.all_of(session, application),
        "wished": wish_names(application),
        "result": address_of("parents.result_page", application_id=application.id),
    }


def hints(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> dict[str, str]:
    """A short summary of the answers of each form page."""
    guardian = guardians.guardian_of(session, by=by)
    household = households.household_of(session, application.id)
    claimed = claims.of(session, application.id)
    child = application.child
    found = {
        "guardian": guardian.name if guardian else "",
        "child": f"{child.name} · {day(child.born, year=True)} · {word('level', application.level)}",
        "grounds": " · ".join(word("ground", ground) for ground in claimed if ground in claims.ASKED),
        "wishes": " · ".join(wish_names(application)),
    }
    if household is not None:
        outside = word("answer_detail", "home_outside") if household.home_outside else ""
        where = [outside or area_name(session, household.home_area), household.home_street or ""]
        found["household"] = " ".join(part for part in where if part)
    return found


def _history(session: Session, application: Application) -> list[dict[str, Any]]:
    rows = sorted(MOVES_MADE.of(session, application.id), key=lambda row: row.number)
    return [
        {"what": word("move", row.move), "when": moment(row.at), "state": "done"}
        for row in rows
        if row.move in SHOWN_MOVES
    ]


def _steps(season: Season | None, status: ApplicationStatus, now: dt.datetime) -> Iterator[dict[str, Any]]:
    """The timeline after the family's moves: coming steps of the calendar, or the steps since the result."""
    if season is None or status.application.stage in DEAD_STAGES or status.missed:
        return
    dates = {date.step: date for date in season.dates}
    if status.result is None:
        yield from _steps_without_result(season, status, now)
        return
    yield _drawn(dates["draw"])
    yield _done("result", status.result.run.published_at) | {"more": status.place or _("还没有学位")}
    yield from _answer(status)
    if status.result.holds:
        if status.offer is not None and status.offer.state == OfferState.ARRIVED and status.offer.answered_at:
            yield {
                "what": word("offer_tag", OfferState.ARRIVED),
                "when": moment(status.offer.answered_at),
                "state": "done",
            }
        else:
            yield from _arrival(status, now)
    if status.next_round is not None:
        when = span(status.next_round.opens_at, status.next_round.closes_at)
        yield {
            "what": word("round_kind", status.next_round.kind),
            "when": when,
            "state": "now" if status.times.open else "todo",
        }


def _steps_without_result(season: Season, status: ApplicationStatus, now: dt.datetime) -> Iterator[dict[str, Any]]:
    """The steps of the calendar before the family has a result, as far as its own round has got."""
    round_ = status.times.current
    for step in current_step.steps_at_stages(season, [round_.stage] if round_ else [], now=now):
        if step.step not in FUTURE_STEPS or (step.state == "done" and step.step != "draw"):
            continue
        late = step.state == "late"
        when = _late_words(step.step) if late else span(step.begins_at, step.ends_at)
        if step.step == "result" and status.announced is not None:
            when = _announced_words(status.announced, when)
        yield {
            "what": word("season_step", step.step),
            "when": when,
            "state": "todo" if step.state in ("due", "late") else step.state,
        }


def _announced_words(announced: Announcement, when: str) -> str:
    """The hour of the result; `when` where there is none."""
    if announced.state == "coming" and announced.hour:
        return _("%(when)s，所有家庭同时", when=moment(announced.hour))
    return _("正在打开") if announced.state == "opening" else when


def _late_words(step: str) -> str:
    if step == "draw":
        return _("还没有进行，时间另行公布")
    return _("还没有公布，时间另行公布") if step == "result" else _("结果公布以后，时间另行公布")


def _answer(status: ApplicationStatus) -> Iterator[dict[str, Any]]:
    """The family's answer to its newest offer with its date, and how the offer ended."""
    offer = status.offer
    if offer is None:
        return
    if offer.state == OfferState.OFFERED:
        decision = joint_decisions.waiting_for(db(), status.application.id)
        if status.application.on_hold or (decision is not None and joint_decisions.is_paused(db(), decision.act_id)):
            until = _("暂停，争议办结后至少还有 24 小时")
        else:
            until = _("%(when)s 前", when=moment(decision.takes_effect_at if decision else offer.answer_by))
        yield {"what": word("season_step", "confirmation"), "when": until, "state": "now"}
        return
    if offer.answered_at is not None:
        waits = offer.state == OfferState.CONFIRMED_WAITING
        answer = OfferState.CONFIRMED_WAITING if waits else OfferState.CONFIRMED
        answered_at = _confirmed_at(offer) if offer.state == OfferState.ARRIVED else offer.answered_at
        if answered_at is not None and (offer.state != OfferState.DECLINED or answered_at != offer.ended_at):
            yield {"what": word("offer_state", answer), "when": moment(answered_at), "state": "done"}
    if offer.ended_at is not None:
        yield {"what": word("offer_tag", offer.state), "when": moment(offer.ended_at), "state": "done"}


def _arrival(status: ApplicationStatus, now: dt.datetime) -> Iterator[dict[str, Any]]:
    """When the child of the newest offer is expected."""
    arrival = days.arrival_of(db(), status.offer) if status.offer is not None else None
    if arrival is None:
        return
    due, begins = arrival.due_at, arrival.begins_at
    when = span(begins, due) if begins is not None else _("最晚 %(when)s", when=moment(due))
    state = "now" if begins is None or begins <= now else "todo"
    yield {"what": word("season_step", "arrival"), "when": when, "state": state}


def _drawn(date: SeasonDate) -> dict[str, Any]:
    return {"what": word("season_step", date.step), "when": span(date.begins_at, date.ends_at), "state": "done"}


def _done(step: str, at: dt.datetime | None) -> dict[str, Any]:
    return {"what": word("season_step", step), "when": moment(at) if at else "", "state": "done"}


def _returned(session: Session, application: Application) -> list[dict[str, Any]]:
    """Each returned item with the page where it is corrected."""
    items = [each for each in RETURNED_ITEMS.of(session, application.id) if each.answered_at is None]
    rows = sorted(items, key=lambda each: (each.asked_at, each.item))
    return [
        {"what": _name(row.item), "note": asked_words(row.phrase, row.note), "href": _answer_url(row.item, application)}
        for row in rows
    ]


def _name(item: str) -> str:
    if item in set(Document):
        return word("document", item)
    return word("fact", item) if item in set(Fact) else word("returned_item", "other")


def _answer_url(item: str, application: Application) -> str:
    page, anchor = "evidence", None
    if item in set(Document):
        anchor = f"paper-{item}"
    elif item == Fact.BORN:
        page = "child"
    elif item in HOUSEHOLD_FACTS:
        page = "household"
    elif item in set(Fact):
        page = "grounds"
    return address_of(f"parents.{page}_page", application_id=application.id, _anchor=anchor)


def _confirmed_at(offer: Offer) -> dt.datetime | None:
    """When the place of a child that has arrived was confirmed: the arrival is noted in `answered_at`."""
    confirmed = select(OfferMove.at).where(OfferMove.offer_id == offer.id, OfferMove.after.in_(EXPECTED))
    return db().scalar(confirmed.order_by(OfferMove.number.desc()).limit(1))
