"""Shared by the desks of staff and officials: the list of correction requests, the decision of one, and a finding of one's own.

`desk` is the name of the blueprint, "staff" or "officials".
"""

import uuid

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.corrections import decisions, reinstatements, request_list, requests
from enrollment.ground import audit
from enrollment.review import review
from enrollment.review.correction_rows import CorrectionKind
from portal.text.numbers import whole_number
from portal.web.evidence_files import watermark_text
from portal.web.forms import PageForm, page_of, refusals_in
from portal.web.shared_views import correction_forms, correction_views
from portal.web.shared_views.correction_forms import DecisionForm
from portal.web.unit_of_work import actor, clock, db


class DeskDecisionForm(DecisionForm):
    """A decision that stands beside what another person decided first."""

    def take_newer(self) -> bool:
        found = decisions.find(db(), (request.view_args or {})["request_id"], by=actor())
        self.newer = correction_views.course_words(found)
        self.version.data = str(found.version)
        return True


def list_page(desk: str) -> ResponseReturnValue:
    """The list under a filter, and the search for an application by its registration code."""
    show = request.args.get("show", "")
    show = show if show in request_list.FILTERS else "open"
    code = request.args.get("code", "").strip()[:40]
    found = requests.find_application(db(), code, by=actor()) if code else None
    return render_template(
        f"{desk}/corrections.html",
        show=show,
        filters=request_list.FILTERS,
        listed=request_list.listing(
            db(), show=show, by=actor(), now=clock(), page=request.args.get("page", 1, whole_number)
        ),
        code=code,
        found=found,
        may_reinstate=found is not None and reinstatements.may_sign(db(), found.id, by=actor()),
    )


def request_page(desk: str, request_id: uuid.UUID, form: DeskDecisionForm | None = None) -> ResponseReturnValue:
    """One request with its paper beside the values."""
    found = decisions.find(db(), request_id, by=actor())
    audit.record(db(), "view", "correction_request", request_id, by=actor(), now=clock())
    form = form or DeskDecisionForm(formdata=None, version=found.version)
    shown = render_template(
        f"{desk}/correction.html",
        form=form,
        me=actor().account_id,
        **correction_views.desk_values(found),
    )
    return page_of(form, shown)


def decide(desk: str, request_id: uuid.UUID) -> ResponseReturnValue:
    """Agree, or with `act=refuse` refuse; both with a reason."""
    decisions.find(db(), request_id, by=actor())
    form = DeskDecisionForm()
    if form.validate_on_submit():
        with refusals_in(form):
            decision = decisions.refuse if request.form.get("act") == "refuse" else decisions.agree
            decided = decision(
                db(), request_id, version=form.seen_version(), reason=form.reason.data or "", by=actor(), now=clock()
            )
            flash(correction_views.decided_words(decided))
            return redirect(url_for(f"{desk}.correction", request_id=request_id), 303)
    return request_page(desk, request_id, form)


def paper(request_id: uuid.UUID, page_id: uuid.UUID) -> Response:
    """A page of the paper with the viewer's watermark."""
    decisions.find(db(), request_id, by=actor())
    audit.record(db(), "view_evidence", "correction_request", request_id, by=actor(), now=clock(), page=str(page_id))
    return correction_views.paper_response(request_id, page_id, watermark_text())


def new_page(desk: str, application_id: uuid.UUID) -> ResponseReturnValue:
    """The kinds of corrections, then the form of one kind."""
    application = review.find(db(), application_id, by=actor())
    kind = correction_forms.known_kind(request.args.get("kind"))
    if kind is None:
        return _kind_page(desk, application_id)
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    if kind == CorrectionKind.FACTS and fact is None:
        flash(_("请选择要更正哪一项。"), "warn")
        return _kind_page(desk, application_id)
    return _form_page(desk, application_id, kind, correction_forms.form_for(kind, fact, application))


def request_one(desk: str, application_id: uuid.UUID) -> ResponseReturnValue:
    review.find(db(), application_id, by=actor())
    kind = correction_forms.known_kind(request.args.get("kind"))
    if kind is None:
        return _kind_page(desk, application_id)
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    form = correction_forms.form_for(kind, fact)
    if correction_forms.is_valid(form):
        with refusals_in(form):
            made = requests.request_by_staff(
                db(), application_id, kind, correction_forms.typed_values(form, kind, fact), fact=fact,
                statement=form["statement"].data or "", papers=correction_forms.papers_in(form), by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("更正已提出，家庭已收到通知。"))
            return redirect(url_for(f"{desk}.correction", request_id=made.id), 303)
    return _form_page(desk, application_id, kind, form)


def _kind_page(desk: str, application_id: uuid.UUID) -> ResponseReturnValue:
    return render_template(
        f"{desk}/correction_kind.html",
        application=review.find(db(), application_id, by=actor()),
        kinds=tuple(CorrectionKind),
        facts=correction_forms.FACTS,
    )


def _form_page(desk: str, application_id: uuid.UUID, kind: CorrectionKind, form: PageForm) -> ResponseReturnValue:
    application = review.find(db(), application_id, by=actor())
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    audit.record(db(), "view", "application", application_id, by=actor(), now=clock(), reason="correction")
    return render_template(
        f"{desk}/correction_new.html",
        application=application,
        kind=kind,
        fact=fact,
        form=form,
        now_registered=correction_views.registered_now(application, kind, fact),
    )
