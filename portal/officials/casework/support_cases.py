"""The decision about a child with a disability: assessment, plan of support, decision (Article 17)."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, TextAreaField
from wtforms.validators import Length, Optional

from enrollment.applications.application_rows import Application
from enrollment.applications.child_needs import answers as child_needs
from enrollment.ground import audit
from enrollment.review import support_cases
from enrollment.review.case_rows import Case
from portal.officials import pages
from portal.officials.forms import OfficialForm
from portal.officials.scope import DECIDERS
from portal.web.forms import CivilDate, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class SupportForm(OfficialForm):
    assessed_on = CivilDate(_l("评估日期"), [Optional()])
    assessment = TextAreaField(_l("评估：孩子需要什么"), [Length(max=support_cases.LONGEST_TEXT)])
    plan = TextAreaField(_l("支持方案：人员、场地、安排"), [Length(max=support_cases.LONGEST_TEXT)])
    answer = TextAreaField(_l("给家庭的理由"), [Length(max=support_cases.LONGEST_TEXT)])
    decision = RadioField(_l("决定"), validate_choice=False)

    def set_choices(self) -> None:
        self.decision.choices = coded_choices("support_decision", support_cases.DECISIONS)


class WithdrawnForm(OfficialForm):
    explanation = TextAreaField(_l("给家庭的说明"), [Length(max=support_cases.LONGEST_TEXT)])


@pages.route("/cases/<uuid:case_id>/support", methods=["GET", "POST"])
@desk("officials", *DECIDERS)
def support_case(case_id: uuid.UUID) -> ResponseReturnValue:
    found = support_cases.find(db(), case_id, by=actor())
    form = SupportForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            support_cases.decide(
                db(),
                case_id,
                assessed_on=form.assessed_on.data,
                assessment=form.assessment.data or "",
                plan=form.plan.data or "",
                decision=form.decision.data or "",
                answer=form.answer.data or "",
                by=actor(),
                now=clock(),
            )
            flash(_("已决定，家长会收到通知。"))
            return redirect(url_for("officials.support_case", case_id=case_id), 303)
    return _page(found, form, WithdrawnForm(formdata=None))


@pages.post("/cases/<uuid:case_id>/support/withdrawn")
@desk("officials", *DECIDERS)
def close_support_case(case_id: uuid.UUID) -> ResponseReturnValue:
    """End the case of an application that the family withdrew, without an assessment."""
    found = support_cases.find(db(), case_id, by=actor())
    closing = WithdrawnForm()
    if closing.validate_on_submit():
        with refusals_in(closing):
            support_cases.close_withdrawn(
                db(), case_id, explanation=closing.explanation.data or "", by=actor(), now=clock()
            )
            flash(_("已办结，家长会收到通知。"))
            return redirect(url_for("officials.support_case", case_id=case_id), 303)
    form = SupportForm(formdata=None)
    form.set_choices()
    return _page(found, form, closing)


def _page(found: Case, form: SupportForm, closing: WithdrawnForm) -> ResponseReturnValue:
    audit.record(db(), "view", "case_file", found.id, by=actor(), now=clock())
    application = db().get(Application, found.application_id) if found.application_id else None
    told = child_needs.read_for_care(
        db(), [application.id] if application is not None else [], reason="article_17", by=actor(), now=clock()
    )
    return render_template(
        "officials/support_case.html",
        form=form,
        closing=closing,
        found=found,
        application=application,
        proposal_end=support_cases.proposal_end(db(), found),
        needs=told.get(application.id) if application is not None else None,
    )
