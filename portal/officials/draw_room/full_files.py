"""The full file of a run: who may have it, asked for by one official and granted by another."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.draw import runs
from enrollment.ground.accounts import Account, Role
from enrollment.results import full_files
from enrollment.results.full_files import LONGEST_NAME, LONGEST_REASON, RecipientKind
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.forms import ActForm, OfficialForm
from portal.web.forms import PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class GrantForm(OfficialForm):
    kind = RadioField(
        _l("给谁"),
        [InputRequired(_l("请选择给谁。"))],
        choices=coded_choices("full_file_recipient", RecipientKind),
        validate_choice=False,
    )
    recipient = StringField(_l("接收人的姓名和单位"), [Length(max=LONGEST_NAME)])
    reason = StringField(_l("为什么需要"), [Length(max=LONGEST_REASON)])


def _page(run_id: uuid.UUID, form: PageForm, code: tuple[uuid.UUID, str] | None = None) -> ResponseReturnValue:
    run = runs.one(db(), run_id)
    grants = full_files.of_run(db(), run_id, now=clock())
    people = {
        each for one in grants for each in (one.grant.asked_by, one.grant.approved_by, one.grant.revoked_by) if each
    }
    return render_template(
        "officials/full_file.html",
        run=run,
        round=rounds.get_round(db(), run.round_id),
        grants=grants,
        names={each: db().get_one(Account, each).name for each in people},
        me=actor().account_id,
        form=form,
        asking=form if isinstance(form, GrantForm) else GrantForm(formdata=None),
        code=code,
        most=full_files.MOST_DOWNLOADS,
        days=full_files.VALID.days,
    )


@pages.get("/draws/runs/<uuid:run_id>/full-file")
@desk("officials", Role.CITY_OFFICIAL)
def full_file_page(run_id: uuid.UUID) -> ResponseReturnValue:
    return _page(run_id, GrantForm())


@pages.post("/draws/runs/<uuid:run_id>/full-file")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def ask_for_full_file(run_id: uuid.UUID) -> ResponseReturnValue:
    form = GrantForm()
    if form.validate_on_submit():
        with refusals_in(form):
            full_files.ask(
                db(),
                run_id,
                kind=form.kind.data or "",
                recipient=form.recipient.data or "",
                reason=form.reason.data or "",
                by=actor(),
                now=clock(),
            )
            flash(_("已提出，还需要另一位工作人员同意。"))
            return redirect(url_for("officials.full_file_page", run_id=run_id), 303)
    return _page(run_id, form)


@pages.post("/draws/runs/<uuid:run_id>/full-file/<uuid:grant_id>/approve")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def grant_full_file(run_id: uuid.UUID, grant_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            full_files.approve(db(), run_id, grant_id, by=actor(), now=clock())
            flash(_("已同意。请生成取件码，和链接分开交给接收人。"))
            return redirect(url_for("officials.full_file_page", run_id=run_id), 303)
    return _page(run_id, form)


@pages.post("/draws/runs/<uuid:run_id>/full-file/<uuid:grant_id>/code")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def code_of_full_file(run_id: uuid.UUID, grant_id: uuid.UUID) -> ResponseReturnValue:
    """The code is on this page once, and nowhere else."""
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            code = full_files.new_code(db(), run_id, grant_id, by=actor(), now=clock())
            return _page(run_id, form, (grant_id, code))
    return _page(run_id, form)


@pages.post("/draws/runs/<uuid:run_id>/full-file/<uuid:grant_id>/revoke")
@desk("officials", Role.CITY_OFFICIAL)
def revoke_full_file(run_id: uuid.UUID, grant_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            full_files.revoke(db(), run_id, grant_id, by=actor(), now=clock())
            flash(_("已收回，链接不能再用。"))
            return redirect(url_for("officials.full_file_page", run_id=run_id), 303)
    return _page(run_id, form)
