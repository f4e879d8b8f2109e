"""One area: its two shares, what it answers to an alarm, its kindergartens, and the file of them."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from enrollment.coverage import alarm_answers, alarm_readings, alarms, roll_confirmations, shares
from enrollment.coverage.alarm_answers import LONGEST_MEASURE, LONGEST_OWNER, ShareKind
from enrollment.coverage.forecast.outlook import Outlook
from enrollment.coverage.indicator import Definition
from enrollment.ground.accounts import Role
from enrollment.results import letters
from enrollment.results.letters import Subject
from portal.letters.coverage_area import coverage_page
from portal.letters.preparing import pdf_file, waiting_page
from portal.officials import pages
from portal.officials.coverage import headlines
from portal.officials.forms import NEEDED, OfficialForm
from portal.officials.scope import DECIDERS, READERS, my_areas
from portal.officials.years import chosen_year
from portal.text.numbers import number_or
from portal.web.forms import CivilDate, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import coverage_files, coverage_views
from portal.web.unit_of_work import actor, city_day, clock, db, services


class AnswerForm(OfficialForm):
    """What is done about a share below its target: who, what, until when."""

    share = RadioField(_l("哪一项"), choices=coded_choices("share_kind", ShareKind), default=ShareKind.PUBLIC)
    owner = StringField(_l("谁负责"), [InputRequired(NEEDED), Length(max=LONGEST_OWNER)])
    measure = TextAreaField(_l("采取什么措施"), [InputRequired(NEEDED), Length(max=LONGEST_MEASURE)])
    due_on = CivilDate(_l("什么时候以前"), [InputRequired(NEEDED)])


class RollForm(OfficialForm):
    """The word that the roll of the area is complete, with the number of children that the page showed."""

    seen = HiddenField(filters=[lambda text: number_or(str(text), None)])


@pages.get("/coverage/<area>")
@desk("officials")
def coverage_of_an_area(area: str) -> ResponseReturnValue:
    return _area_page(area, coverage_views.definition_form(), AnswerForm())


@pages.post("/coverage/<area>/roll")
@desk("officials", Role.AREA_OFFICIAL)
def confirm_roll_of_an_area(area: str) -> ResponseReturnValue:
    """An official of the area confirms that its roll is complete."""
    form = RollForm()
    if form.validate_on_submit():
        with refusals_in(form):
            roll_confirmations.confirm(db(), area, seen=form.seen.data or 0, by=actor(), now=clock())
            flash(_("已确认，全市页面上能看到。"))
            return redirect(url_for("officials.coverage_of_an_area", area=area), 303)
    return _area_page(area, coverage_views.definition_form(), AnswerForm(formdata=None), form)


@pages.post("/coverage/<area>/answers")
@desk("officials", *DECIDERS)
def answer_coverage_alarm(area: str) -> ResponseReturnValue:
    form = AnswerForm()
    if form.validate_on_submit():
        with refusals_in(form):
            share = ShareKind(form.share.data)
            alarm_answers.answer(
                db(),
                area,
                share,
                _year_of_alarm(area, share),
                owner=form.owner.data or "",
                measure=form.measure.data or "",
                due_on=form.due_on.data,
                by=actor(),
                now=clock(),
            )
            flash(_("措施已填报，全市页面上能看到。"))
            return redirect(url_for("officials.coverage_of_an_area", area=area), 303)
    return _area_page(area, coverage_views.definition_form(), form)


def _year_of_alarm(area: str, share: ShareKind) -> int:
    """The year whose target is missed by this share, today or next September; without an alarm this year."""
    figures, _line = _asked_area(area, coverage_views.definition_form())
    found = alarms.alarms(db(), figures, coverage_views.outlook_of(figures), {area})
    return next((each.year for each in found if each.kind == share), coverage_views.target_year())


def _area_page(area: str, form: coverage_views.DefinitionForm, answer: AnswerForm, roll: RollForm | None = None) -> str:
    figures, line = _asked_area(area, form)
    outlook = coverage_views.outlook_of(figures)
    by = actor()
    confirmed = roll_confirmations.newest(db(), clock()).get(area)
    found = alarms.alarms(db(), figures, outlook, {area})
    alarm_readings.note(db(), found, coverage_views.target_year(), by=by, now=clock())
    return render_template(
        "officials/coverage_area.html",
        form=form,
        answer=answer,
        roll=roll or RollForm(formdata=None),
        dates=figures.snapshot.dates.get(area),
        confirmed=confirmed,
        is_confirmed=confirmed is not None and confirmed.holds(line.now.all, city_day()),
        may_confirm=roll_confirmations.may_confirm(area, by) and figures.definition == Definition(city_day()),
        line=line,
        lines=coverage_views.area_shares(area, figures),
        year=chosen_year(),
        pages=coverage_views,
        alarms=found,
        readings=alarm_readings.first_readings(db(), found, coverage_views.target_year()),
        september=headlines.september_of(line, outlook),
        has_forecast=isinstance(outlook, Outlook),
        finding=headlines.headline(line, outlook),
        chance_text=headlines.chance_text,
        may_import=by.is_any(*DECIDERS),
        may_open=by.is_any(*READERS) and area in {each.code for each in my_areas()},
        may_answer=by.is_any(Role.CITY_OFFICIAL) or area in by.areas,
    )


@pages.get("/coverage/<area>.csv")
@desk("officials")
def coverage_of_an_area_csv(area: str) -> ResponseReturnValue:
    """The file; for a definition that cannot be, the page with the reason."""
    form = coverage_views.definition_form()
    if form.errors:
        return _area_page(area, form, AnswerForm()), 400
    figures, _line = _asked_area(area, form)
    return coverage_files.area_csv(coverage_views.area_shares(area, figures), form.definition(), area)


@pages.get("/coverage/<area>.pdf")
@desk("officials")
def coverage_of_an_area_pdf(area: str) -> ResponseReturnValue:
    """One page for an area; for a definition that cannot be, the page with the reason."""
    form = coverage_views.definition_form()
    if form.errors:
        return _area_page(area, form, AnswerForm()), 400
    figures, line = _asked_area(area, form)
    outlook = coverage_views.outlook_of(figures)
    name, dates = coverage_views.line_name(line), figures.snapshot.dates.get(area)
    page = coverage_page(
        line,
        outlook.septembers[area] if isinstance(outlook, Outlook) else (),
        alarms.alarms(db(), figures, outlook, {area}),
        form.definition(),
        name=name,
        roll_of=dates.newest if dates else None,
        on=clock(),
        demo=services().config.demo,
    )
    letter = letters.ask(db(), Subject(account_id=actor().account_id), page, now=clock())
    back = url_for("officials.coverage_of_an_area", area=area, **form.args())
    waiting = waiting_page(letter, frame="layout.html", back=back, back_text=name)
    return waiting if waiting is not None else pdf_file(letter, f"coverage-{area}-{form.definition().on}")


def _asked_area(area: str, form: coverage_views.DefinitionForm) -> tuple[shares.Shares, shares.AreaLine]:
    figures = coverage_views.city_shares(form.definition(), year=chosen_year())
    line = next((line for line in figures.areas if line.code == area), None)
    if line is None:
        abort(404)
    return figures, line
