"""The targets of the two shares and of high-quality kindergartens: those of a year, every decision about them, and a new one for a second person to sign."""

import re
import unicodedata
import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from allocation.coverage import Percent
from enrollment.coverage import target_decisions
from enrollment.coverage.target_decisions import FIRST_YEAR, LAST_YEAR, Source
from enrollment.coverage.targets import TargetDecision, Targets, TargetScope, targets_on
from enrollment.ground.accounts import Account, Role
from portal.officials import pages
from portal.officials.forms import NEEDED, ActForm, OfficialForm
from portal.officials.scope import READERS, area_names
from portal.text.words import word
from portal.web.forms import CivilDate, WholeField, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%?")


class PercentField(StringField):
    """A percentage with at most two decimals; `data` is a Percent, or None where nothing was typed."""

    data: Percent | None

    def _value(self) -> str:
        return self.raw_data[0] if self.raw_data else self.data.short if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        typed = unicodedata.normalize("NFKC", valuelist[0] if valuelist else "").replace(" ", "")
        self.data = None
        if not typed:
            return
        found = _PERCENT.fullmatch(typed)
        hundredths = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
        if not 0 <= hundredths <= 10_000:
            raise ValueError(word("error", "target_percent"))
        self.data = Percent(hundredths)


class TargetForm(OfficialForm):
    scope = RadioField(_l("谁的目标"), choices=coded_choices("target_scope", TargetScope), default=TargetScope.CITY)
    area = SelectField(_l("区域（只在选“一个区域”时）"), validate_choice=False)
    public = PercentField(_l("公办占比的目标（%）"))
    inclusive = PercentField(_l("普惠覆盖率的目标（%）"))
    high_quality = WholeField(_l("优质园要有几所"), [Optional()])
    in_force_from = CivilDate(_l("从哪一天起"), [InputRequired(NEEDED)])
    source_name = StringField(_l("依据的文件"), [InputRequired(NEEDED), Length(max=200)])
    source_number = StringField(_l("文号"), [Length(max=60)])
    source_date = CivilDate(_l("文件日期"), [InputRequired(NEEDED)])

    def set_choices(self) -> None:
        self.area.choices = [("", _("请选择")), *area_names().items()]

    def source(self) -> Source:
        return Source(self.source_name.data or "", self.source_number.data or "", self.source_date.data)


@pages.get("/coverage/targets/<int:target_year>", endpoint="targets")
@desk("officials", *READERS)
def targets_page(target_year: int) -> ResponseReturnValue:
    _require_known(target_year)
    return _page(target_year, TargetForm(data={"in_force_from": city_day().replace(year=target_year, month=1, day=1)}))


@pages.post("/coverage/targets/<int:target_year>")
@desk("officials", Role.CITY_OFFICIAL)
def propose_targets(target_year: int) -> ResponseReturnValue:
    _require_known(target_year)
    form = TargetForm()
    if form.validate_on_submit():
        with refusals_in(form):
            target_decisions.propose(
                db(),
                target_year,
                TargetScope(form.scope.data),
                Targets(form.public.data, form.inclusive.data, form.high_quality.data),
                form.source(),
                in_force_from=form.in_force_from.data,
                area=form.area.data or None,
                by=actor(),
                now=clock(),
            )
            flash(_("目标已提出。另一位市级管理员签署后生效。"))
            return redirect(url_for("officials.targets", target_year=target_year), 303)
    return _page(target_year, form)


@pages.post("/coverage/targets/decisions/<uuid:decision_id>/sign")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def sign_targets(decision_id: uuid.UUID) -> ResponseReturnValue:
    year = _year_of(decision_id)
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            target_decisions.sign(db(), decision_id, by=actor(), now=clock())
            flash(_("目标已由两人签署，两个占比的页面从现在起按它比较。"))
            return redirect(url_for("officials.targets", target_year=year), 303)
    return _page(year, _empty_form(form))


@pages.post("/coverage/targets/decisions/<uuid:decision_id>/withdraw")
@desk("officials", Role.CITY_OFFICIAL)
def withdraw_targets(decision_id: uuid.UUID) -> ResponseReturnValue:
    year = _year_of(decision_id)
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            target_decisions.withdraw(db(), decision_id, by=actor(), now=clock())
            flash(_("目标已撤回，记录会保留。"))
            return redirect(url_for("officials.targets", target_year=year), 303)
    return _page(year, _empty_form(form))


def _require_known(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        abort(404)


def _year_of(decision_id: uuid.UUID) -> int:
    year = db().scalar(select(TargetDecision.year).where(TargetDecision.id == decision_id))
    if year is None:
        abort(404)
    return year


def _empty_form(refused: ActForm) -> TargetForm:
    """The form for a new proposal, with the errors of an act on another one."""
    form = TargetForm(formdata=None)
    form.form_errors.extend(refused.form_errors)
    return form


def _page(year: int, form: TargetForm) -> ResponseReturnValue:
    form.set_choices()
    made = target_decisions.history(db(), year)
    this_year = city_day().year
    on = city_day() if year == this_year else city_day().replace(year=year, month=12, day=31)
    people = {each for one in made for each in (one.proposed_by, one.signed_by, one.withdrawn_by) if each}
    return render_template(
        "officials/targets.html",
        year=year,
        target_years=sorted({*target_decisions.years(db()), this_year, this_year + 1, year}, reverse=True),
        holding=targets_on(db(), on, year=year),
        on=on,
        decisions=made,
        people={each.id: each.name for each in db().scalars(select(Account).where(Account.id.in_(people)))},
        area_names=area_names(),
        form=form,
        me=actor().account_id,
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )
