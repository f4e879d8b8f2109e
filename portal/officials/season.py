"""The season's calendar: create a year, show its steps and rounds, change dates."""

from collections.abc import Iterable

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.ground.accounts import Role
from enrollment.season import calendar, current_step, rounds
from enrollment.season.calendar import STEPS, CalendarConflicts
from enrollment.season.calendar_validation import Conflict
from portal.officials import pages
from portal.officials import suggested_dates as suggested
from portal.officials.forms import DateForm, SeasonForm
from portal.officials.scope import READERS
from portal.text.words import word
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


def conflict_words(conflict: Conflict) -> str:
    other = word("season_step", conflict.other) if conflict.other else ""
    return word(
        "calendar_conflict",
        conflict.code,
        step=word("season_step", conflict.step),
        other=other,
        number=conflict.number,
    )


@pages.get("/season")
@desk("officials", *READERS)
def season() -> ResponseReturnValue:
    found = calendar.current_season(db(), clock())
    return render_template(
        "officials/season.html",
        season=found,
        steps=current_step.steps(db(), found, now=clock()) if found else [],
        rounds=rounds.rounds_of_year(db(), found.year) if found else [],
        outside=rounds.rounds_outside_calendar(db(), found) if found else [],
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


@pages.get("/season/new")
@desk("officials", Role.CITY_OFFICIAL)
def new_season() -> ResponseReturnValue:
    year = suggested.next_year(calendar.current_season(db(), clock()), clock())
    return _new_season_page(SeasonForm(data=suggested.as_form(year)))


@pages.post("/season/new")
@desk("officials", Role.CITY_OFFICIAL)
def create_season() -> ResponseReturnValue:
    form = SeasonForm()
    conflicts: list = []
    if form.validate_on_submit():
        with refusals_in(form):
            try:
                made = calendar.open_season(
                    db(),
                    form.year.data,
                    form.spans(),
                    by=actor(),
                    now=clock(),
                    hotline=form.hotline.data or None,
                    simulated=services().config.demo,
                )
            except CalendarConflicts as refused:
                conflicts = refused.conflicts
                raise
            flash(_("%(year)s 招生年度已创建。接下来请准备各区的招生规则，并计划批次。", year=made.year))
            return redirect(url_for("officials.season"), 303)
    return _new_season_page(form, conflicts)


def _new_season_page(form: SeasonForm, conflicts: Iterable[Conflict] = ()) -> ResponseReturnValue:
    words = [conflict_words(conflict) for conflict in conflicts]
    return render_template("officials/season_new.html", form=form, conflicts=words, steps=STEPS)


def _date_or_404(year: int, step: str) -> calendar.SeasonDate:
    date = db().get(calendar.SeasonDate, (year, step))
    if date is None:
        abort(404)
    return date


@pages.get("/season/<int:year>/<step>")
@desk("officials", Role.CITY_OFFICIAL)
def season_date(year: int, step: str) -> ResponseReturnValue:
    date = _date_or_404(year, step)
    seen = f"{date.begins_at.isoformat()}|{date.ends_at.isoformat()}"
    return _date_page(date, DateForm(data={"begins_at": date.begins_at, "ends_at": date.ends_at, "seen": seen}))


@pages.post("/season/<int:year>/<step>")
@desk("officials", Role.CITY_OFFICIAL)
def move_season_date(year: int, step: str) -> ResponseReturnValue:
    date = _date_or_404(year, step)
    form = DateForm()
    conflicts: list = []
    if form.validate_on_submit():
        with refusals_in(form):
            try:
                calendar.move_date(
                    db(),
                    year,
                    step,
                    begins_at=form.begins_at.moment,
                    ends_at=form.ends_at.moment,
                    reason=form.reason.data or "",
                    was=form.was(),
                    by=actor(),
                    now=clock(),
                )
            except CalendarConflicts as refused:
                conflicts = refused.conflicts
                raise
            flash(_("日期已更改。有申请的家庭都会收到通知。"))
            return redirect(url_for("officials.season"), 303)
    return _date_page(date, form, conflicts)


def _date_page(date: calendar.SeasonDate, form: DateForm, conflicts: Iterable[Conflict] = ()) -> ResponseReturnValue:
    words = [conflict_words(conflict) for conflict in conflicts]
    return render_template("officials/season_date.html", date=date, form=form, conflicts=words)
