"""The season's calendar: create a year, show its steps and rounds, change dates."""

import datetime as dt
from collections.abc import Callable, Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import Length

from enrollment.draw.publication import calendar_dates
from enrollment.ground.accounts import Role
from enrollment.season import (
    calendar,
    calendar_validation,
    current_step,
    holidays,
    policy_approval,
    rounds,
    season_lifecycle,
    seasons,
)
from enrollment.season.calendar import STEPS, CalendarConflicts, Season, SeasonStage, Span
from enrollment.season.calendar_validation import Conflict
from enrollment.season.rounds import Round
from portal.officials import pages
from portal.officials.forms import ChengduTime, OfficialForm, SeasonForm
from portal.officials.scope import READERS, area_names, my_areas
from portal.officials.season import calendar_drawing
from portal.officials.season import suggested_dates as suggested
from portal.officials.years import chosen_season, chosen_year
from portal.text.formats import day, moment
from portal.text.words import word
from portal.web.forms import page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


class DateForm(OfficialForm):
    """New dates of one step; `seen` holds the dates that the page showed."""

    seen = HiddenField()
    begins_at = ChengduTime(_l("开始"))
    ends_at = ChengduTime(_l("结束"))
    reason = StringField(_l("改动原因"), [Length(max=200)])
    accept_warnings = BooleanField(_l("我已看过上面的提醒，仍然这样安排"))

    def was(self) -> Span | None:
        try:
            begins_at, ends_at = map(dt.datetime.fromisoformat, (self.seen.data or "").split("|"))
        except ValueError:
            return None
        return begins_at, ends_at

    def take_newer(self) -> bool:
        date = _date_or_404((request.view_args or {})["step"])
        self.newer = [
            (str(field.label.text), moment(at))
            for field, at in ((self.begins_at, date.begins_at), (self.ends_at, date.ends_at))
        ]
        self.seen.data = _seen(date)
        return True


def _seen(date: calendar.SeasonDate) -> str:
    return f"{date.begins_at.isoformat()}|{date.ends_at.isoformat()}"


def conflict_words(conflict: Conflict) -> str:
    """A conflict or a warning in words, with the rule behind it."""
    day_off = ""
    if conflict.day is not None:
        day_off = f"{day(conflict.day)}（{conflict.holiday or format_date(conflict.day, 'EEEE')}）"
    return word(
        "calendar_conflict",
        conflict.code,
        step=word("season_step", conflict.step),
        other=word("season_step", conflict.other) if conflict.other else "",
        number=conflict.number,
        day=day_off,
        next_day=day(conflict.next_day) if conflict.next_day else "",
    )


def show_conflicts(form: OfficialForm, refused: CalendarConflicts, field_of: Callable[[Conflict], str]) -> None:
    """Each conflict beside the date to correct; one about a date that the form does not have stands on top."""
    for conflict in refused.conflicts:
        field = form._fields.get(field_of(conflict))
        if field is None:
            form.form_errors.append(conflict_words(conflict))
        else:
            field.errors = [*field.errors, conflict_words(conflict)]


@pages.get("/season")
@desk("officials", *READERS)
def season() -> ResponseReturnValue:
    found = chosen_season()
    listed = rounds.rounds_of_year(db(), found.year) if found else []
    return render_template(
        "officials/season.html",
        season=found,
        steps=current_step.steps(db(), found, now=clock()) if found else [],
        rounds=listed,
        **(_calendar_of(found, listed) if found else {"drawing": None}),
        outside=rounds.rounds_outside_calendar(db(), found) if found else [],
        provisional=found is not None and holidays.is_provisional(found.year),
        signed=len(season_lifecycle.signatures_of(db(), found)) if found else 0,
        over=found is not None and seasons.is_past(found, clock()),
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


def _calendar_of(season: Season, listed: Sequence[Round]) -> dict[str, object]:
    """The drawing of the year, the shortest spans, and the areas that this official sees."""
    days, dates = holidays.of_year(db(), season.year), calendar.spans(season)
    steps = [(word("season_step", step), dates[step]) for step in STEPS if step in dates]
    spans = [(each.name, (each.opens_at, each.closes_at)) for each in listed]
    return {
        "drawing": calendar_drawing.of_year(steps, spans, days, clock()),
        "minima": calendar_validation.minima_of(dates, days),
        "areas": my_areas(),
        "area_names": area_names(),
        "policies": policy_approval.policies_in_force(db(), season.year),
    }


@pages.get("/season/new")
@desk("officials", Role.CITY_OFFICIAL)
def new_season() -> ResponseReturnValue:
    year = suggested.next_year(next(iter(seasons.all_years(db())), None), clock())
    return _new_season_page(SeasonForm(data=suggested.as_form(year)))


@pages.post("/season/new")
@desk("officials", Role.CITY_OFFICIAL)
def create_season() -> ResponseReturnValue:
    form = SeasonForm()
    if form.validate_on_submit():
        with refusals_in(form):
            try:
                made = calendar.create_season(
                    db(),
                    form.year.data,
                    form.spans(),
                    by=actor(),
                    now=clock(),
                    hotline=form.hotline.data or None,
                    simulated=services().config.demo,
                    accept_warnings=bool(form.accept_warnings.data),
                )
            except CalendarConflicts as refused:
                show_conflicts(form, refused, lambda conflict: f"{conflict.step}_{conflict.end}")
                raise
            flash(
                _("%(year)s 招生年度已创建，现在只有教育局看得到。准备好以后，由两位市级工作人员公布。", year=made.year)
            )
            return redirect(url_for("officials.season", year=made.year), 303)
    return _new_season_page(form)


def _new_season_page(form: SeasonForm) -> ResponseReturnValue:
    return render_template("officials/season_new.html", form=form, steps=STEPS)


def _date_or_404(step: str) -> calendar.SeasonDate:
    date = db().get(calendar.SeasonDate, (chosen_year(), step))
    if date is None:
        abort(404)
    return date


@pages.get("/season/<step>")
@desk("officials", Role.CITY_OFFICIAL)
def season_date(step: str) -> ResponseReturnValue:
    date = _date_or_404(step)
    return _date_page(date, DateForm(data={"begins_at": date.begins_at, "ends_at": date.ends_at, "seen": _seen(date)}))


@pages.post("/season/<step>")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def move_season_date(step: str) -> ResponseReturnValue:
    date = _date_or_404(step)
    form = DateForm()
    if form.validate_on_submit():
        with refusals_in(form):
            try:
                calendar_dates.move_date(
                    db(),
                    date.year,
                    step,
                    begins_at=form.begins_at.moment,
                    ends_at=form.ends_at.moment,
                    reason=form.reason.data or "",
                    was=form.was(),
                    accept_warnings=bool(form.accept_warnings.data),
                    by=actor(),
                    now=clock(),
                )
            except CalendarConflicts as refused:
                show_conflicts(form, refused, lambda conflict: f"{conflict.end}_at" if conflict.step == step else "")
                raise
            announced = date.season.stage == SeasonStage.ANNOUNCED
            flash(_("日期已更改。有申请的家庭都会收到通知。") if announced else _("日期已更改。"))
            return redirect(url_for("officials.season"), 303)
    return _date_page(date, form)


def _date_page(date: calendar.SeasonDate, form: DateForm) -> ResponseReturnValue:
    return page_of(form, render_template("officials/season_date.html", date=date, form=form))
