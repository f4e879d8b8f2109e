"""Corrections after the deadline: what is requested, a new request with a paper, and how it stands."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import applications
from enrollment.applications.application_rows import Application
from enrollment.applications.evidence_rows import MOST_PAGES
from enrollment.corrections import correction_papers, family_moves, requests
from enrollment.corrections.requests import may_edit_freely
from enrollment.eligibility import households
from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from enrollment.offers import notice_codes
from enrollment.results import family_results
from enrollment.review.correction_rows import CHILD_IDENTITY, WITH_A_FACT, CorrectionKind, CorrectionRequest
from portal.parents import pages
from portal.parents.form_pages import application_of, times_of
from portal.web.evidence_files import file_response
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import correction_forms, correction_views
from portal.web.shared_views.correction_forms import DecisionForm
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import accepts_uploads


@pages.get("/applications/<uuid:application_id>/corrections")
@desk("parents", allows_helper=True)
def corrections_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    return render_template(
        "parents/corrections.html",
        application=application,
        listed=requests.of_application(db(), application_id, by=actor()),
        possible=requests.is_possible(db(), application, now=clock()),
        child_is_free=may_edit_freely(db(), application, CorrectionKind.NAME, now=clock()),
        rest_is_free=may_edit_freely(db(), application, CorrectionKind.FACTS, now=clock()),
        kinds=tuple(CorrectionKind),
        child_identity=CHILD_IDENTITY,
        with_a_fact=WITH_A_FACT,
        facts=correction_forms.FACTS,
    )


@pages.get("/applications/<uuid:application_id>/corrections/new")
@desk("parents", allows_helper=True)
def new_correction(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    kind = correction_forms.known_kind(request.args.get("kind"))
    if kind is None:
        if "fact" in request.args:  # the list was sent without a choice
            flash(_("请选择要更正什么。"), "warn")
        return corrections_page(application_id)
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    if kind == CorrectionKind.FACTS and fact is None:
        flash(_("请选择要更正哪一项。"), "warn")
        return redirect(url_for("parents.corrections_page", application_id=application_id), 303)
    siblings = _siblings(application, kind)
    return _form_page(application_id, kind, correction_forms.form_for(kind, fact, application, siblings))


def _siblings(application: Application, kind: CorrectionKind) -> list[Application]:
    """Who can move with this child, in the same act."""
    if kind != CorrectionKind.MOVE:
        return []
    return family_moves.siblings(db(), application, by=actor(), now=clock())


@pages.post("/applications/<uuid:application_id>/corrections/new")
@desk("parents", allows_helper=True)
@accepts_uploads(MOST_AT_ONCE)
def request_correction(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    kind = correction_forms.known_kind(request.args.get("kind"))
    if kind is None:
        return redirect(url_for("parents.corrections_page", application_id=application_id), 303)
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    form = correction_forms.form_for(kind, fact, siblings=_siblings(application, kind))
    if correction_forms.is_valid(form) & correction_forms.is_complete(form):  # both say what they miss
        with refusals_in(form):
            typed, said = correction_forms.typed_values(form, kind, fact), form["statement"].data or ""
            papers, made_by = correction_forms.papers_in(form), actor()
            if kind == CorrectionKind.MOVE:
                filed = family_moves.request(
                    db(), application_id, correction_forms.together_in(form), typed, statement=said, papers=papers,
                    by=made_by, now=clock(),
                )  # fmt: skip
            else:
                filed = [
                    requests.request_by_family(
                        db(), application_id, kind, typed, fact=fact, statement=said, papers=papers, by=made_by,
                        now=clock(),
                    )
                ]  # fmt: skip
            made = filed[0]
            flash(_("更正申请已提出。每一步都会通知所有监护人。"))
            if kind == CorrectionKind.MOVE:
                _flash_siblings_left(application, {each.application_id for each in filed})
            return redirect(url_for("parents.correction_page", application_id=application_id, request_id=made.id), 303)
    return _form_page(application_id, kind, form)


def _flash_siblings_left(application: Application, moved: set[uuid.UUID]) -> None:
    """Each child's application keeps its own home: name the children who were left out."""
    place = households.place_of(db(), application.id)
    left = households.living_at(db(), application, place, by=actor()) if place is not None else []
    for each in left:
        if each.id in moved:
            continue
        flash(_("%(name)s的申请里还是原来的住址。全家都搬了的，请也为这个孩子提出。", name=each.child.name), "warn")


def _form_page(application_id: uuid.UUID, kind: CorrectionKind, form: PageForm) -> ResponseReturnValue:
    application = application_of(application_id)
    fact = correction_forms.known_fact(kind, request.args.get("fact"))
    return render_template(
        "parents/correction_new.html",
        application=application,
        kind=kind,
        fact=fact,
        form=form,
        now_registered=correction_views.registered_now(application, kind, fact, by=actor()),
        most_pages=MOST_PAGES,
        times=times_of(application),
    )


@pages.get("/applications/<uuid:application_id>/corrections/<uuid:request_id>")
@desk("parents", allows_helper=True)
def correction_page(application_id: uuid.UUID, request_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    found = requests.own(db(), request_id, by=actor())
    form = DecisionForm(formdata=None, version=found.version)
    decided = found.decided_at
    return render_template(
        "parents/correction.html",
        form=form,
        new_notice=decided is not None and notice_codes.were_replaced(db(), application.child_id, at=decided),
        published=family_results.for_application(db(), application.id, now=clock()) is not None,
        **correction_views.page_values(found) | {"together": _own_together(application, found)},
    )


def _own_together(application: Application, found: CorrectionRequest) -> list[tuple[CorrectionRequest, Application]]:
    """The requests of the same act for siblings in this person's care; the other guardian may have other children."""
    own = {each.id for each in applications.of_family(db(), application, by=actor())}
    return [(each, theirs) for each, theirs in family_moves.together_with(db(), found) if theirs.id in own]


@pages.post("/applications/<uuid:application_id>/corrections/<uuid:request_id>/withdraw")
@desk("parents", allows_helper=True)
def withdraw_correction(application_id: uuid.UUID, request_id: uuid.UUID) -> ResponseReturnValue:
    form = DecisionForm()
    with refusals_in(form):
        requests.withdraw(db(), request_id, version=form.seen_version(), by=actor(), now=clock())
        flash(_("更正申请已撤回，原来的内容不变。"))
        return redirect(url_for("parents.corrections_page", application_id=application_id), 303)
    for text in form.form_errors:
        flash(text, "warn")
    return redirect(url_for("parents.correction_page", application_id=application_id, request_id=request_id), 303)


@pages.get("/applications/<uuid:application_id>/corrections/<uuid:request_id>/papers/<uuid:page_id>")
@desk("parents", allows_helper=True)
def correction_paper(application_id: uuid.UUID, request_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    """Download a page of the family's own paper."""
    application_of(application_id)
    found = requests.own(db(), request_id, by=actor())
    safe = correction_papers.page_content(db(), found.id, page_id)
    return file_response(safe.media_type, safe.content, page_id.hex[:8])
