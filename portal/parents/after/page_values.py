"""What a family reads after the draw: the next dated act, free places near home, its waiting line, its officer, the way on."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from enrollment.applications import wishes
from enrollment.applications.applications import Application, Stage
from enrollment.chances import movement
from enrollment.chances.movement import Movement
from enrollment.draw.unserved import accepted_places, officers
from enrollment.draw.unserved.rows import UNSERVED, AcceptedPlaces, UnservedChild
from enrollment.draw.vacancies import near_home
from enrollment.draw.vacancies.near_home import NearVacancies
from enrollment.eligibility import households, return_times
from enrollment.offers.arrivals import days
from enrollment.offers.offer_rows import EXPECTED, OfferState
from enrollment.results.family_results import FamilyResult
from enrollment.results.prepared_results import FRESH
from enrollment.review.case_officers import Officer
from enrollment.season import seasons
from enrollment.season.openings import Opening
from enrollment.season.rounds import Round
from portal.parents.application_status import ApplicationStatus
from portal.parents.wishes import WishesForm
from portal.text.formats import span
from portal.text.words import word
from portal.web.shared_views.finder.question import kept_codes

STEPS = ("returned", "answer", "arrival", "supplementary")
"""The dates that a family can put into its calendar."""


@dataclass(frozen=True)
class Appointment:
    """A date for the family's calendar.  `uid` stays the same when the date moves, and no text names the child, because
    calendars are copied to clouds."""

    uid: str
    begins: dt.datetime
    ends: dt.datetime
    title: str
    text: str


@dataclass(frozen=True)
class NearForm:
    """Free places near home, what this browser keeps first; while a round is open each can be added to its wishes, of
    which `rank_of` are chosen.  Before that a family keeps what it wants to choose then (`kept`)."""

    found: NearVacancies
    round: Round | None
    rank_of: dict[Any, int]
    form: WishesForm | None
    kept: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        return self.round is not None and len(self.rank_of) >= self.round.max_wishes


@dataclass(frozen=True)
class AfterDraw:
    """`near` is None for a child that holds a place.  `said` is what the family would accept, `settled` what an officer noted."""

    near: NearForm | None
    movement: Movement | None
    officer: Officer | None
    path: tuple[dict[str, Any], ...] = ()
    said: AcceptedPlaces | None = None
    settled: UnservedChild | None = None


def after_draw(
    session: Session, result: FamilyResult, status: ApplicationStatus, *, now: dt.datetime
) -> AfterDraw | None:
    """None in the first hour of a result, when all families look at once: what is counted for one family comes then."""
    published = result.run.published_at
    if published is None or now < published + FRESH:
        return None
    application = result.application
    waits = any(wish.in_line for wish in result.wishes)
    moving = movement.of_application(session, application.id, result.round) if waits else None
    looks = status.looks_for_a_place
    officer = _officer(session, application, status) if looks or result.origin.central else None
    if not looks:
        return AfterDraw(None, moving, officer)
    said, settled = accepted_places.of(session, application.id), UNSERVED.one(session, application.id)
    path = tuple(_path(session, status, waits or result.waits_on))
    return AfterDraw(_near(session, application, status, now), moving, officer, path, said, settled)


def _officer(session: Session, application: Application, status: ApplicationStatus) -> Officer | None:
    household = households.household_of(session, application.id)
    area = household.home_area if household is not None else None
    if area is None and status.times.last is not None:
        listed = wishes.of(session, application.id, status.times.last.id)
        area = listed[0].programme.kindergarten.area_code if listed else None
    return officers.officer_of(session, application.id, area)


def _near(session: Session, application: Application, status: ApplicationStatus, now: dt.datetime) -> NearForm:
    round_ = status.times.open if status.may_wish else None
    found, kept = (
        near_home.near_home(session, application, round_id=round_.id if round_ else None, now=now),
        kept_codes(),
    )
    found = replace(found, items=tuple(sorted(found.items, key=lambda each: each.kindergarten.code not in kept)))
    if round_ is None:
        return NearForm(found, None, {}, None, kept)
    form = WishesForm(formdata=None)
    form.note_versions(application)
    chosen = wishes.of(session, application.id, round_.id)
    return NearForm(found, round_, {each.programme_id: each.rank for each in chosen}, form, kept)


def _path(session: Session, status: ApplicationStatus, waits: bool) -> Iterator[dict[str, Any]]:
    """How it goes on for a child without a place, to the first day; it ends with a place or with a person."""
    chance, application = status.chance, status.application
    if chance.opening in (Opening.OPEN, Opening.COMING, Opening.EXPECTED) and chance.begins_at and chance.ends_at:
        state = "now" if chance.opening == Opening.OPEN else "todo"
        yield {"what": word("round_kind", chance.kind), "when": span(chance.begins_at, chance.ends_at), "state": state}
    household = households.household_of(session, application.id)
    if household is not None and household.home_outside:
        yield {"what": _("区里联系您家"), "when": _("补录以后"), "state": "todo",
               "more": _("住在成都以外算不出距离，不参加统筹安排；孩子在第 1 志愿所在区的未录取名单上。")}  # fmt: skip
    elif application.agrees_to_central:
        yield {"what": _("区里替您家找空位"), "when": _("补录以后"), "state": "todo",
               "more": _("推荐离家最近的空余学位，写明步行多久。接不接受由您定。")}  # fmt: skip
    season = seasons.of_year(session, application.year)
    arrival = next((date for date in season.dates if date.step == "arrival"), None) if season else None
    if arrival is not None:
        yield {"what": word("season_step", "arrival"), "when": span(arrival.begins_at, arrival.ends_at), "state": "todo",
               "more": _("开学以后，候补也一直排到明年春天。每个孩子都有去处，或者有一位专人跟着办。") if waits
               else _("每个孩子都有去处，或者有一位专人跟着办。")}  # fmt: skip


def appointment(
    session: Session, application: Application, status: ApplicationStatus, step: str, *, now: dt.datetime
) -> Appointment | None:
    """One date of the family for its calendar; None where there is no such date now."""
    offer, page = status.offer, url_for("parents.result_page", application_id=application.id, _external=True)
    common: dict[str, Any] = {
        "uid": f"{step}-{application.id}@admission",
        "text": _("打开“我的申请”办理：%(url)s", url=page),
    }
    hour = dt.timedelta(hours=1)
    if step == "answer" and offer is not None and offer.state == OfferState.OFFERED and now < offer.answer_by:
        title = _("入园学位：最晚现在答复（%(name)s）", name=status.place or "")
        return Appointment(begins=offer.answer_by - hour, ends=offer.answer_by, title=title, **common)
    if step == "returned":
        if application.stage != Stage.RETURNED or application.returned_at is None:
            return None
        due = return_times.answer_until(session, application, returned_at=application.returned_at)
        if due <= now:
            return None
        here = url_for("parents.application_page", application_id=application.id, _external=True)
        common["text"] = _("打开“我的申请”办理：%(url)s", url=here)
        return Appointment(begins=due - hour, ends=due, title=_("入园申请：老师请补的内容最晚现在提交"), **common)
    if step == "arrival" and offer is not None and offer.state in EXPECTED:
        arrival = days.arrival_of(session, offer)
        if arrival is not None and now < arrival.due_at:
            title = _("到园报到、体检：%(name)s。带通知书和预防接种证", name=status.place or "")
            begins = arrival.begins_at or arrival.due_at - hour
            return Appointment(begins=begins, ends=arrival.due_at, title=title, **common)
    if step == "supplementary" and status.looks_for_a_place and status.chance.begins_at and status.chance.ends_at:
        name = word("round_kind", status.chance.kind)
        return Appointment(
            begins=status.chance.begins_at,
            ends=status.chance.ends_at,
            title=_("幼儿园%(round)s：填写志愿", round=name),
            **common,
        )
    return None
