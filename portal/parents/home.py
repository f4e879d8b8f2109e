"""The family's home page: its children with their form pages or the status of the application."""

import datetime as dt
import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.announcements import announcements
from enrollment.applications import applications, register_answers, registration
from enrollment.applications.applications import Application, Stage
from enrollment.applications.guardian_access import guardian_takeover, phone_change_course
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.corrections import request_list
from enrollment.offers import joint_decisions
from enrollment.offers.offer_rows import OfferState
from enrollment.people import children, guardians, invitations
from enrollment.people.person_rows import Child
from enrollment.places import finder
from enrollment.review import case_officers, case_withdrawals, guardian_requests, refusals
from enrollment.review.case_officers import Officer
from enrollment.review.case_rows import Case
from enrollment.season import calendar, current_step, openings, seasons
from portal.parents import application_status, pages, steps, timeline
from portal.parents.application_status import ApplicationStatus
from portal.parents.form_pages import application_of, season_year, steps_of, times_of, years_to_enter
from portal.parents.people import decisions
from portal.parents.people.unreachable import unreachable_number
from portal.text.area_names import area_names
from portal.text.office_names import office_name
from portal.web.admission_year import asked_year
from portal.web.guards import desk
from portal.web.page_data.family_pages import kept_for_family
from portal.web.shared_views.finder import question
from portal.web.unit_of_work import actor, clock, db

LINE = ("announcement", "registration", "review", "draw", "result", "arrival")
"""The steps of the season on the home page."""

NOT_FOR_NEWCOMERS = ("papers", "invited", "cases", "about_me", "phone_change")
"""What waits for an answer before anything else is entered."""

MOST_ANNOUNCEMENTS = 3
MOST_NAMED = 4
"""Of the kindergartens that a browser keeps, those that the home page names."""


@pages.get("")
@desk("parents", allows_helper=True)
@kept_for_family
def home() -> ResponseReturnValue:
    """Without a child the start page, with one child its page, with several the list."""
    season = openings.year_to_register(db(), now=clock())
    mine = applications.list_own(db(), by=actor())
    if not mine:
        return _start_page(season)
    if len(mine) == 1:
        return _application_page(mine[0], at_home=True)
    return render_template(
        "parents/children.html",
        children=[_summary(each) for each in mine],
        pending=_pending_items(),
        more=_more(),
    )


@pages.get("/begin")
@desk("parents")
def begin() -> ResponseReturnValue:
    """From the public first page: a newcomer goes on with the first page of the form, everybody else to the home page."""
    known = guardians.guardian_of(db(), by=actor()) is not None or applications.list_own(db(), by=actor())
    pending = _pending_items()
    if years_to_enter() and not known and not any(pending[each] for each in NOT_FOR_NEWCOMERS):
        first = steps.next_step(steps_of(None))
        if first is not None and first.href is not None:
            return redirect(first.href, 303)
    return redirect(url_for("parents.home"), 303)


def _pending_items() -> dict:
    season = openings.year_to_register(db(), now=clock())
    return {
        "season": season,
        "again": _returning(season) if season is not None and not actor().on_behalf else [],
        "papers": guardian_takeover.waiting_for_me(db(), by=actor()) if not actor().on_behalf else [],
        "invited": invitations.own_invitations(db(), by=actor(), now=clock()),
        "cases": _with_officers(
            [case for case in case_withdrawals.own_cases(db(), by=actor()) if case.settled_at is None]
        ),
        "about_me": _with_officers(guardian_requests.requests_about(db(), by=actor())),
        "unreachable": None if actor().on_behalf else unreachable_number(),
        "phone_change": None if actor().on_behalf else phone_change_course.open_change(db(), actor().account_id),
    }


def _more() -> dict:
    """The foot of the home page: the six steps of the season with their dates, what this browser keeps of the finder, and
    the newest announcements."""
    season = seasons.main_season(db(), clock())
    found = {each.step: each for each in current_step.steps(db(), season, now=clock())} if season else {}
    kept = question.kept_codes()
    return {
        "kept": [each for code in kept[:MOST_NAMED] if (each := finder.kindergarten_of_code(db(), code))],
        "kept_in_all": len(kept),
        "year": season.year if season else None,
        "line": [found[step] for step in LINE if step in found],
        "told": announcements.published(db(), now=clock())[:MOST_ANNOUNCEMENTS],
        "area_names": area_names(db()),
    }


def _returning(season: calendar.Season) -> list[tuple[int, list[Child]]]:
    """The children of earlier years who can be entered again, for each year in which they can: two may overlap."""
    years = sorted({season.year, *years_to_enter()})
    found = [(year, registration.returning_children(db(), year, by=actor(), now=clock())) for year in years]
    return [(year, returning) for year, returning in found if returning]


def _with_officers(found: list[Case]) -> list[tuple[Case, Officer | None]]:
    return [(case, case_officers.officer_of(db(), case)) for case in found]


def _start_page(season: calendar.Season | None) -> ResponseReturnValue:
    listed = steps_of(None)
    return render_template(
        "parents/start.html",
        offered=_offered(),
        listed=listed,
        bar=steps.progress_bar(listed),
        next_page=steps.next_step(listed),
        season=season,
        pending=_pending_items(),
        more=_more(),
    )


def _offered() -> list[list[openings.LevelOfYear]]:
    """The levels of every year in which a child can be entered; without one, those of the year that is shown first."""
    years = years_to_enter() or [season.year for season in [openings.year_to_register(db(), now=clock())] if season]
    found = [seasons.visible_of_year(db(), year) for year in years]
    return [openings.of_year(db(), season, now=clock()) for season in found if season is not None]


def _summary(application: Application) -> dict:
    status = application_status.status_of(db(), application, now=clock())
    listed = steps_of(application) if application.stage == Stage.DRAFT and not status.missed else []
    next_page, answer_by = steps.next_step(listed), _answer_by(application, status)
    return {"application": application, "next_page": next_page, "status": status, "answer_by": answer_by}


def _answer_by(application: Application, status: ApplicationStatus) -> dt.datetime | None:
    """Until when the family answers an offer; None if it need not, or if the banner of a waiting decision names the time."""
    offer = status.offer if status.settled and not application.on_hold else None
    if offer is None or offer.state != OfferState.OFFERED or offer.answer_by <= clock():
        return None
    return offer.answer_by if joint_decisions.waiting_for(db(), application.id) is None else None


def _application_page(application: Application, *, at_home: bool = False) -> ResponseReturnValue:
    if application.stage == Stage.DRAFT:
        return _task_list(application, at_home=at_home)
    return render_template(
        "parents/application.html",
        application=application,
        times=times_of(application),
        pending=_pending_items() if at_home else {},
        more=_more() if at_home else {},
        at_home=at_home,
        refusal=refusals.refusal_of(db(), application.id) if application.stage == Stage.REFUSED else None,
        waiting=None if actor().on_behalf else decisions.waiting_decision(application),
        correcting=[
            (each, office_name(db(), each.kindergarten_id, each.area_code))
            for each in request_list.undecided_of(db(), application, by=actor())
        ],
        **timeline.page_values(db(), application, now=clock()),
    )


def _task_list(application: Application, *, at_home: bool) -> ResponseReturnValue:
    listed = steps_of(application)
    return render_template(
        "parents/tasks.html",
        application=application,
        status=application_status.status_of(db(), application, now=clock()),
        times=times_of(application),
        listed=listed,
        bar=steps.progress_bar(listed),
        next_page=steps.next_step(listed),
        hints=timeline.hints(db(), application, by=actor(), now=clock()),
        registers=bool(register_answers.registers_asked(db(), application)),
        guardians=len(children.accounts_of(db(), application.child_id)),
        at_home=at_home,
        pending=_pending_items() if at_home else {},
        more=_more() if at_home else {},
    )


@pages.get("/applications/<uuid:application_id>")
@desk("parents", allows_helper=True)
@kept_for_family
def application_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _application_page(application_of(application_id))


@pages.get("/applications/<uuid:application_id>/tasks")
@desk("parents", allows_helper=True)
@kept_for_family
def tasks(application_id: uuid.UUID) -> ResponseReturnValue:
    """The list of form pages, also after submission, to change answers."""
    application = application_of(application_id)
    if application.stage in DEAD_STAGES:
        return _application_page(application)
    return _task_list(application, at_home=False)


@pages.post("/children/<uuid:child_id>/begin")
@desk("parents")
def begin_next_season(child_id: uuid.UUID) -> ResponseReturnValue:
    """A new season for a child of an earlier season: one button creates the draft, of the year that it names."""
    asked = asked_year()
    year = asked if asked in years_to_enter() else season_year()
    application = registration.begin_next_season(db(), child_id, year, by=actor(), now=clock())
    if application.created_at == clock():  # else it began before
        flash(_("孩子的信息已经带入，请填写今年的住址、依据和志愿。"))
    return redirect(url_for("parents.application_page", application_id=application.id), 303)
