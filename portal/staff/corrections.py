"""Correction requests of the kindergarten: the list, one request with its paper beside the values, and a finding of one's own."""

import uuid

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.corrections import decisions, request_list, requests
from enrollment.ground import audit
from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from enrollment.review import review
from enrollment.review.correction_rows import CorrectionKind
from portal.staff import pages
from portal.staff.navigation import watermark_text
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import correction_forms, correction_views
from portal.web.shared_views.correction_forms import DecisionForm
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import accepts_uploads


@pages.get("/corrections", endpoint="corrections")
@desk("staff")
def correction_list() -> ResponseReturnValue:
    """The list under a filter, and the search for an application by its registration code."""
    show = request.args.get("show", "")
    show = show if show in request_list.FILTERS else "open"
    code = request.args.get("code", "").strip()[:40]
    return render_template(
        "staff/corrections.html",
        show=show,
        filters=request_list.FILTERS,
        listed=request_list.listing(db(), show=show, by=actor(), now=clock()),
        code=code,
        found=requests.find_application(db(), code, by=actor()) if code else None,
    )


@pages.get("/corrections/<uuid:request_id>")
@desk("staff")
def correction(request_id: uuid.UUID) -> ResponseReturnValue:
    found = decisions.find(db(), request_id, by=actor())
    return _page(request_id, DecisionForm(formdata=None, version=found.version))


@pages.post("/corrections/<uuid:request_id>")
@desk("staff")
def decide_correction(request_id: uuid.UUID) -> ResponseReturnValue:
    """Agree, or with `act=refuse` refuse; both with a reason."""
    decisions.find(db(), request_id, by=actor())
    form = DecisionForm()
    if form.validate_on_submit():
        with refusals_in(form):
            decide = decisions.refuse if request.form.get("act") == "refuse" else decisions.agree
            decided = decide(
                db(), request_id, version=form.seen_version(), reason=form.reason.data or "", by=actor(), now=clock()
            )
            flash(correction_views.decided_words(decided))
            return redirect(url_for("staff.correction", request_id=request_id), 303)
    return _page(request_id, form)


def _page(request_id: uuid.UUID, form: DecisionForm) -> ResponseReturnValue:
    found = decisions.find(db(), request_id, by=actor())
    audit.record(db(), "view", "correction_request", request_id, by=actor(), now=clock())
    return render_template(
        "staff/correction.html", form=form, me=actor().account_id, **correction_views.desk_values(found)
    )


@pages.get("/corrections/<uuid:request_id>/papers/<uuid:page_id>")
@desk("staff")
def correction_paper(request_id: uuid.UUID, page_id: uuid.UUID) -> Response:
    decisions.find(db(), request_id, by=actor())
    audit.record(db(), "view_evidence", "correction_request", request_id, by=actor(), now=clock(), page=str(page_id))
    return correction_views.paper_response(request_id, page_id, watermark_text())


@pages.get("/applications/<uuid:application_id>/corrections/new")
@desk("staff")
def new_correction(application_id: uuid.UUID) -> ResponseReturnValue:
    review.find(db(), application_id, by=actor())
    kind = correction_forms.known_kind(request.args.get("kind"))
    if kind is None:
        return _kind_page(application_id)
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    if kind == CorrectionKind.FACTS and fact is None:
        flash(_("请选择要更正哪一项。"), "warn")
        return _kind_page(application_id)
    return _form_page(application_id, kind, correction_forms.form_for(kind, fact))


@pages.post("/applications/<uuid:application_id>/corrections/new")
@desk("staff")
@accepts_uploads(MOST_AT_ONCE)
def request_correction(application_id: uuid.UUID) -> ResponseReturnValue:
    review.find(db(), application_id, by=actor())
    kind = correction_forms.known_kind(request.args.get("kind"))
    if kind is None:
        return _kind_page(application_id)
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    form = correction_forms.form_for(kind, fact)
    if correction_forms.is_valid(form):
        with refusals_in(form):
            made = requests.request_by_staff(
                db(), application_id, kind, correction_forms.typed_values(form, kind, fact), fact=fact,
                statement=form["statement"].data or "", papers=correction_forms.papers_in(form), by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("更正已提出，家庭已收到通知。"))
            return redirect(url_for("staff.correction", request_id=made.id), 303)
    return _form_page(application_id, kind, form)


def _kind_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return render_template(
        "staff/correction_kind.html",
        application=review.find(db(), application_id, by=actor()),
        kinds=tuple(CorrectionKind),
        facts=correction_forms.FACTS,
    )


def _form_page(application_id: uuid.UUID, kind: CorrectionKind, form: PageForm) -> ResponseReturnValue:
    application = review.find(db(), application_id, by=actor())
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    audit.record(db(), "view", "application", application_id, by=actor(), now=clock(), reason="correction")
    return render_template(
        "staff/correction_new.html",
        application=application,
        kind=kind,
        fact=fact,
        form=form,
        now_registered=correction_views.registered_now(application, kind, fact),
    )
