"""Rounds: plan, show what prevents opening, open, extend, close."""

import uuid
from collections import Counter

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from enrollment.draw import round_opening
from enrollment.ground.accounts import Role
from enrollment.ground.classifications import Level, Nature
from enrollment.season import calendar, deadline_extensions, rounds
from enrollment.season.round_rows import RoundKind, RoundStage
from enrollment.season.rounds import STAGES, Round
from portal.officials import pages
from portal.officials.forms import ActForm, ChengduTime, OfficialForm, RoundForm
from portal.officials.navigation import link_to
from portal.officials.scope import READERS, area_names
from portal.officials.season.calendar import conflict_words
from portal.officials.years import chosen_season
from portal.text.formats import moment
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class ExtendForm(OfficialForm):
    """A later deadline; `version` is the round's version on the page."""

    version = HiddenField()
    closes_at = ChengduTime(_l("新的截止时间"))
    reason = StringField(_l("延长原因"), [Length(max=200)])

    def take_newer(self) -> bool:
        found = rounds.get_round(db(), (request.view_args or {})["round_id"])
        self.newer = [(_("登记截止"), moment(found.closes_at)), (_("状态"), word("round_stage", found.stage))]
        self.version.data = str(found.version)
        return True


class SignExtensionForm(OfficialForm):
    """The second signature; `proposal` is the digest of what the page showed."""

    proposal = HiddenField()


WHERE_TO_MEND = {
    "season_not_announced": "officials.announcement",
    "places_not_approved": "officials.places",
    "policy_not_signed": "officials.policy_list",
    "pair_rule_differs": "officials.policy_list",
    "another_round_open": "officials.round_list",
    "no_programmes": "officials.imports",
}
"""The page on which each hindrance to opening is resolved."""


@pages.get("/rounds")
@desk("officials", *READERS)
def round_list() -> ResponseReturnValue:
    season = chosen_season()
    return render_template(
        "officials/rounds.html",
        season=season,
        rounds=rounds.rounds_of_year(db(), season.year) if season else [],
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


@pages.get("/rounds/new")
@desk("officials", Role.CITY_OFFICIAL)
def new_round() -> ResponseReturnValue:
    season = chosen_season()
    if season is None:
        flash(_("请先创建招生年度。"), "warn")
        return redirect(url_for("officials.season"), 303)
    return _new_round_page(RoundForm(data=_suggested(season)))


def _suggested(season: calendar.Season) -> dict:
    """Suggested values: the first round at the registration dates, the next at those of the supplementary round."""
    dates, planned = calendar.spans(season), rounds.rounds_of_year(db(), season.year)
    step, until = ("supplementary", "arrival") if planned else ("registration", "confirmation")
    confirm_by = dates[until][0] if planned else dates[until][1]
    kind = RoundKind.SUPPLEMENTARY if planned else RoundKind.MAIN
    return {
        "name": word("round_kind", kind, in_language="zh"),  # names are Chinese in whatever language the official reads
        "kind": kind,
        "levels": [Level.LOWER],
        "natures": [Nature.PUBLIC, Nature.INCLUSIVE],
        "opens_at": dates[step][0],
        "closes_at": dates[step][1],
        "confirm_by": max(confirm_by, dates[step][1]),
    }


@pages.post("/rounds/new")
@desk("officials", Role.CITY_OFFICIAL)
def plan_round() -> ResponseReturnValue:
    season = chosen_season()
    form = RoundForm()
    form.areas.choices = list(area_names().items())
    if season is not None and form.validate_on_submit():
        with refusals_in(form):
            planned = rounds.plan(db(), season.year, by=actor(), now=clock(), **form.plan())
            flash(_("批次已计划。开放登记前，请看下面还缺什么。"))
            return redirect(url_for("officials.round_page", round_id=planned.id), 303)
    return _new_round_page(form)


def _new_round_page(form: RoundForm) -> ResponseReturnValue:
    form.areas.choices = list(area_names().items())
    return render_template("officials/round_new.html", form=form)


@pages.get("/rounds/<uuid:round_id>")
@desk("officials", *READERS)
def round_page(round_id: uuid.UUID) -> ResponseReturnValue:
    return _round_page(rounds.get_round(db(), round_id), ActForm())


def _round_page(found: Round, form: OfficialForm) -> ResponseReturnValue:
    offered = [row for row in round_opening.offered(db(), found.year) if rounds.matches_filter(found, row)]
    missing = rounds.opening_faults(db(), found, offered) if found.stage == RoundStage.PLANNED else []
    return render_template(
        "officials/round.html",
        round=found,
        form=form,
        stages=STAGES,
        missing=[(form.words_of(refused), link_to(WHERE_TO_MEND.get(refused.code, ""))) for refused in missing],
        frozen=len(rounds.programmes_of(db(), found.id)),
        offered=Counter(row.approved for row in offered),
        by_area=sorted(Counter(row.area for row in offered).items()),
        area_names=area_names(),
        warnings=[conflict_words(warning) for warning in rounds.warnings_of(db(), found)],
        open_now=rounds.open_for_registration(found, clock()),
        overdue=found.stage == RoundStage.OPEN and clock() >= found.closes_at,
        may_change=actor().is_any(Role.CITY_OFFICIAL),
        proposed=deadline_extensions.proposal_of(db(), found),
    )


@pages.post("/rounds/<uuid:round_id>/open")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def open_round(round_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            round_opening.open_round(db(), round_id, by=actor(), now=clock())
            flash(_("批次已开放，招生计划和各区规则已冻结。"))
            return redirect(url_for("officials.round_page", round_id=round_id), 303)
    return _round_page(rounds.get_round(db(), round_id), form)


@pages.post("/rounds/<uuid:round_id>/close")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def close_round(round_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            rounds.close(db(), round_id, by=actor(), now=clock())
            flash(_("登记已截止。没有提交的草稿不参加本批次。"))
            return redirect(url_for("officials.round_page", round_id=round_id), 303)
    return _round_page(rounds.get_round(db(), round_id), form)


@pages.get("/rounds/<uuid:round_id>/extend")
@desk("officials", Role.CITY_OFFICIAL)
def extension(round_id: uuid.UUID) -> ResponseReturnValue:
    found = rounds.get_round(db(), round_id)
    form = ExtendForm(data={"closes_at": found.closes_at, "version": found.version})
    return _extension_page(found, form, SignExtensionForm(formdata=None))


@pages.post("/rounds/<uuid:round_id>/extend")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def propose_extension(round_id: uuid.UUID) -> ResponseReturnValue:
    found = rounds.get_round(db(), round_id)
    form = ExtendForm()
    if form.validate_on_submit():
        with refusals_in(form):
            extended = deadline_extensions.sign(
                db(),
                round_id,
                closes_at=form.closes_at.moment,
                reason=form.reason.data or "",
                version=number_or(form.version.data, None),
                by=actor(),
                now=clock(),
            )
            return _after_signature(round_id, extended=extended)
    return _extension_page(found, form, SignExtensionForm(formdata=None))


@pages.post("/rounds/<uuid:round_id>/extend/sign")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def sign_extension(round_id: uuid.UUID) -> ResponseReturnValue:
    found = rounds.get_round(db(), round_id)
    form = SignExtensionForm()
    if form.validate_on_submit():
        with refusals_in(form):
            shown = form.proposal.data or ""
            extended = deadline_extensions.approve(db(), round_id, digest=shown, by=actor(), now=clock())
            return _after_signature(round_id, extended=extended)
    return _extension_page(
        found, ExtendForm(formdata=None, data={"closes_at": found.closes_at, "version": found.version}), form
    )


def _after_signature(round_id: uuid.UUID, *, extended: bool) -> ResponseReturnValue:
    if extended:
        flash(_("登记时间已延长。有申请的家庭都会收到通知。"))
    else:
        flash(_("已签署。另一位市级工作人员签署后，登记时间才延长。"))
    return redirect(url_for("officials.round_page", round_id=round_id), 303)


def _extension_page(found: Round, form: ExtendForm, sign_form: SignExtensionForm) -> ResponseReturnValue:
    proposed = deadline_extensions.proposal_of(db(), found)
    if proposed is not None:
        sign_form.proposal.data = proposed.digest
    faulty = sign_form if sign_form.errors else form
    page = render_template(
        "officials/round_extend.html",
        round=found,
        form=form,
        sign_form=sign_form,
        faulty=faulty,
        proposed=proposed,
        mine=proposed is not None and proposed.by == actor().account_id,
    )
    return page_of(faulty, page)
