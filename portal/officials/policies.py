"""Policies of an area: upload or edit, show in words, dry run on families, two signatures."""

from collections.abc import Sequence

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.chances import policy_trial
from enrollment.ground.accounts import Account
from enrollment.ground.errors import NotFound
from enrollment.laboratory import policy_outcomes
from enrollment.places.areas import Area
from enrollment.season import calendar, policy_approval, policy_file
from enrollment.season.policy_faults import PolicyFault
from enrollment.season.policy_file import PolicyFaults
from enrollment.season.policy_rows import Policy
from enrollment.season.rules import Rules
from portal.officials import pages, policy_trials
from portal.officials.forms import ActForm, PolicyForm
from portal.officials.policy_source import source_lines
from portal.officials.scope import DECIDERS, READERS, my_area_or_404, my_areas
from portal.officials.years import chosen_season
from portal.text.numbers import whole_number
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


def season_or_404() -> calendar.Season:
    found = chosen_season()
    if found is None:
        abort(404)
    return found


def state_of(made: Policy, newest: int, signatures: int) -> str:
    """The code of a version's state in the word group `policy_state`."""
    if made.withdrawn_at:
        return "withdrawn"
    if made.signed_at:
        return "in_force"
    if made.version < newest:
        return "passed_over"
    if signatures:
        return "signed_once"
    return "tried" if made.dry_run_at else "draft"


def states(made: list[Policy]) -> dict:
    """The state of each version; `made` is sorted with the newest version first."""
    newest = made[0].version if made else 0
    return {each.version: state_of(each, newest, len(policy_approval.signers(db(), each))) for each in made}


@pages.get("/policies")
@desk("officials", *READERS)
def policy_list() -> ResponseReturnValue:
    season = chosen_season()
    lines = []
    for area, year in [(area, season.year) for area in my_areas()] if season else []:
        made = policy_approval.versions(db(), year, area.code)
        in_force = next((each for each in made if each.signed_at and not each.withdrawn_at), None)
        lines.append((area, in_force, made[0] if made else None, states(made)))
    return render_template("officials/policies.html", season=season, lines=lines, rules_of=policy_approval.rules_of)


@pages.get("/policies/<area>")
@desk("officials", *READERS)
def policy_versions(area: str) -> ResponseReturnValue:
    found, season = my_area_or_404(area), season_or_404()
    made = policy_approval.versions(db(), season.year, area)
    return render_template(
        "officials/policy_versions.html",
        area=found,
        season=season,
        versions=made,
        states=states(made),
        families=policy_file.FAMILIES,
        may_change=policy_approval.may_decide(actor(), area),
    )


@pages.get("/policies/<area>/new")
@desk("officials", *DECIDERS)
def new_policy(area: str) -> ResponseReturnValue:
    found, season = my_area_or_404(area), season_or_404()
    return _editor(found, season, PolicyForm(data={"text": _initial_text(area, season.year)}))


def _initial_text(area: str, year: int) -> str:
    """The initial text of the editor: a template, the worked example, or the newest version."""
    source = request.args.get("from", "")
    if source == "example":
        return policy_file.adapt_to_area(policy_approval.worked_example(), area, year)
    if source in policy_file.FAMILIES:
        return policy_approval.template(source, area, year)
    newest = policy_approval.versions(db(), year, area)[:1]
    return newest[0].text if newest else policy_approval.template("whole_district", area, year)


@pages.post("/policies/<area>/new")
@desk("officials", *DECIDERS)
def upload_policy(area: str) -> ResponseReturnValue:
    found, season = my_area_or_404(area), season_or_404()
    form = PolicyForm()
    faults: list = []
    rules: Rules | None = None
    if form.validate_on_submit():
        text = form.content()
        with refusals_in(form):
            try:
                if request.form.get("act") == "check":
                    rules = policy_approval.check(text, area=area, year=season.year)
                else:
                    made = policy_approval.upload(db(), text, area=area, year=season.year, by=actor(), now=clock())
                    flash(_("第 %(n)s 版已保存。下一步：试算，看清哪些家庭受影响。", n=made.version))
                    return redirect(url_for("officials.policy_page", area=area, version=made.version), 303)
            except PolicyFaults as refused:
                faults = refused.faults
                raise
    return _editor(found, season, form, faults=faults, rules=rules)


def _editor(
    area: Area,
    season: calendar.Season,
    form: PolicyForm,
    faults: Sequence[PolicyFault] = (),
    rules: Rules | None = None,
) -> ResponseReturnValue:
    return render_template(
        "officials/policy_new.html",
        area=area,
        season=season,
        form=form,
        faults=faults,
        rules=rules,
        source=source_lines(form.text.data or "", faults) if faults else [],
        families=policy_file.FAMILIES,
    )


def _version_or_404(area: str, version: int) -> Policy:
    my_area_or_404(area)
    for made in policy_approval.versions(db(), season_or_404().year, area):
        if made.version == version:
            return made
    raise NotFound((area, version))


@pages.get("/policies/<area>/<int:version>")
@desk("officials", *READERS)
def policy_page(area: str, version: int) -> ResponseReturnValue:
    return _policy_page(_version_or_404(area, version), ActForm())


def _policy_page(made: Policy, form: ActForm) -> ResponseReturnValue:
    signed = policy_approval.signers(db(), made)
    versions = policy_approval.versions(db(), made.year, made.area_code)
    return render_template(
        "officials/policy.html",
        area=my_area_or_404(made.area_code),
        made=made,
        form=form,
        rules=policy_approval.rules_of(made),
        state=states(versions)[made.version],
        signatures=[(db().get_one(Account, row.account_id).name, row.signed_at) for row in signed],
        signed_by_me=any(row.account_id == actor().account_id for row in signed),
        author=db().get_one(Account, made.made_by).name if made.made_by else "",
        before=policy_approval.previous_version(db(), made),
        newest=versions[0].version,
        may_change=policy_approval.may_decide(actor(), made.area_code),
    )


@pages.post("/policies/<area>/<int:version>/dry-run")
@desk("officials", *DECIDERS)
def try_policy(area: str, version: int) -> ResponseReturnValue:
    made, form = _version_or_404(area, version), ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            policy_outcomes.dry_run(db(), made.id, by=actor(), now=clock())
            return redirect(url_for("officials.policy_trial_page", area=area, version=version), 303)
    return _policy_page(made, form)


@pages.get("/policies/<area>/<int:version>/trial")
@desk("officials", *READERS)
def policy_trial_page(area: str, version: int) -> ResponseReturnValue:
    made = _version_or_404(area, version)
    return render_template(
        "officials/policy_trial.html",
        area=my_area_or_404(area),
        made=made,
        before=policy_approval.previous_version(db(), made),
        tried_year=policy_trial.year_to_try(db(), made.year, area),
        shown=policy_trials.shown(made, page=request.args.get("page", 1, whole_number)),
        outcomes=policy_trials.outcomes(made),
    )


@pages.get("/policies/<area>/<int:version>/trial.csv")
@desk("officials", *READERS)
def policy_trial_csv(area: str, version: int) -> ResponseReturnValue:
    made = _version_or_404(area, version)
    name = f"trial-{area}-{made.year}-v{version}.csv"
    return Response(
        policy_trials.as_csv(made),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


@pages.post("/policies/<area>/<int:version>/sign")
@desk("officials", *DECIDERS, step_up=True)
def sign_policy(area: str, version: int) -> ResponseReturnValue:
    made, form = _version_or_404(area, version), ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            count = policy_approval.sign(db(), made.id, by=actor(), now=clock())
            in_force = count >= policy_approval.SIGNATURES_NEEDED
            flash(_("规则已生效。") if in_force else _("您已签署，还需要另一位工作人员签署。"))
            return redirect(url_for("officials.policy_page", area=area, version=version), 303)
    return _policy_page(made, form)
