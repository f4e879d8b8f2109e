"""Reinstating an application that was refused wrongly: from an appeal or by its registration code, with two signatures."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length

from enrollment.applications.applications import Application
from enrollment.corrections import reinstatements
from enrollment.ground import audit
from enrollment.review.case_rows import Case, CaseKind, CaseOutcome
from portal.officials import pages
from portal.officials.forms import OfficialForm
from portal.officials.scope import DECIDERS
from portal.text.words import word
from portal.web.forms import page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class ReinstateForm(OfficialForm):
    """`seen` is what the page showed of the application and of the first signature."""

    seen = HiddenField()
    reason = TextAreaField(_l("为什么恢复"), [Length(max=reinstatements.LONGEST_REASON)])
    sure = BooleanField(_l("已重新核对，原来不予通过的依据不成立"), [InputRequired(_l("请确认后再签署。"))])

    def take_newer(self) -> bool:
        found = reinstatements.find(db(), (request.view_args or {})["application_id"], by=actor())
        self.newer = [(_("申请"), word("stage", found.application.stage))]
        if found.proposed is not None:
            self.newer.append((_("第一个人的签署"), f"{found.proposed.name}：{found.proposed.reason}"))
        self.seen.data = found.stamp
        # nobody signs twice, so a page that was signed in another tab has no form that could hold what was typed
        return found.is_possible and not _is_signed_by_me(found)


@pages.get("/cases/reinstatements", endpoint="reinstatements")
@desk("officials", *DECIDERS)
def reinstatement_list() -> ResponseReturnValue:
    """What waits for the second signature, and the search for a refused application by registration code."""
    code = request.args.get("code", "").strip()[:40]
    return render_template(
        "officials/reinstatements.html",
        code=code,
        found=reinstatements.find_code(db(), code, by=actor()) if code else None,
        waiting=reinstatements.waiting(db(), by=actor()),
    )


def _is_signed_by_me(found: reinstatements.Reinstatement) -> bool:
    return found.proposed is not None and found.proposed.by == actor().account_id


def _page(application_id: uuid.UUID, form: ReinstateForm) -> ResponseReturnValue:
    found = reinstatements.find(db(), application_id, by=actor())
    audit.record(db(), "view", "application", application_id, by=actor(), now=clock(), reason="refusal")
    form.seen.data = form.seen.data or found.stamp
    shown = render_template(
        "officials/reinstate.html",
        form=form,
        found=found,
        application=found.application,
        mine=_is_signed_by_me(found),
    )
    return page_of(form, shown)


@pages.get("/cases/reinstatements/<uuid:application_id>")
@desk("officials", *DECIDERS)
def reinstate_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _page(application_id, ReinstateForm())


@pages.post("/cases/reinstatements/<uuid:application_id>")
@desk("officials", *DECIDERS, step_up=True)
def reinstate_application(application_id: uuid.UUID) -> ResponseReturnValue:
    reinstatements.find(db(), application_id, by=actor())
    form = ReinstateForm()
    if form.validate_on_submit():
        with refusals_in(form):
            back = reinstatements.reinstate(
                db(), application_id, seen=form.seen.data or "", reason=form.reason.data or "", by=actor(), now=clock()
            )
            if back and reinstatements.find(db(), application_id, by=actor()).was_a_draft:
                flash(_("申请已恢复成没有提交的样子，由家庭检查后提交。家庭会收到消息。"))
            elif back:
                flash(_("申请已恢复，回到审核。家庭会收到消息；派位名单如已定格，要重新定格。"))
            else:
                flash(_("已签署。还需要另一位工作人员签署才会恢复。"))
            return redirect(url_for("officials.reinstatements"), 303)
    return _page(application_id, form)


def leads_to_reinstatement(case: Case, application: Application | None) -> bool:
    """Whether a family appeals against a refusal that this official may take back, and its case is open or ended in its
    favour."""
    if application is None or case.kind != CaseKind.APPEAL or case.outcome not in (None, CaseOutcome.SETTLED):
        return False
    return reinstatements.may_sign(db(), application.id, by=actor())


def after_settling(case: Case) -> ResponseReturnValue:
    """Where a settled case leads: an appeal that ended in the family's favour to the signatures that put the child back."""
    application = db().get(Application, case.application_id) if case.application_id else None
    if application is not None and leads_to_reinstatement(case, application):
        flash(_("已办结，家庭会收到结论。请在这里提出恢复申请：另一位工作人员签署后才恢复。"))
        return redirect(url_for("officials.reinstate_page", application_id=application.id), 303)
    flash(_("已办结。提出的人会收到结论；申请如曾暂停，现在恢复。"))
    return redirect(url_for("officials.cases"), 303)
