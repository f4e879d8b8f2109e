"""The check page, the submission, and the receipts."""

import uuid

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from enrollment.applications import applications, completeness, receipts, submission
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.applications.statements import first_submission, handed_in_edit
from enrollment.applications.statements.keyed_write import Visit
from enrollment.eligibility import asked_papers, possible_slips, required_documents
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.sign_in import RequestKey
from enrollment.people import guardians, household_rows
from enrollment.results import family_state
from portal.parents import answer_summary, pages, steps
from portal.parents.form_pages import (
    VersionedForm,
    application_of,
    bound_with,
    form_page,
    posted_version,
    steps_of,
    times_of,
    was_handed_in,
    write_at_once,
)
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.idempotency import do_at_once, keeps_key, replay_answer, request_key
from portal.web.page_data.page_reads import family_as_read
from portal.web.unit_of_work import actor, clock, db


class CheckForm(VersionedForm):
    page = "check"
    agrees_to_central = BooleanField(_l("没有被志愿录取时，同意教育局推荐就近的空余学位（统筹安排）"))
    without = BooleanField(_l("这些材料现在补不了，仍然提交"))
    true = BooleanField(_l("以上内容属实。我知道虚假材料会取消录取资格"))

    def take_newer(self) -> bool:
        """What is true has to be said again of what the page shows now."""
        self.true.data = False
        return super().take_newer()


def _view(form: CheckForm, application: Application) -> ResponseReturnValue:
    if actor().on_behalf:
        form.true.label.text = _("监护人已逐项核对，以上内容属实，知道虚假材料会取消录取资格")
    round_ = times_of(application).current
    return form_page(
        "check",
        "check",
        application,
        form,
        gaps=completeness.missing(db(), application, by=actor(), now=clock()),
        asked=asked_papers.unanswered(db(), application) if application.stage == Stage.RETURNED else [],
        addable_until=asked_papers.review_goes_on_until(db(), application, now=clock()),
        papers=required_documents.missing(db(), application),
        sections=answer_summary.sections(db(), application, by=actor(), round_=round_),
        steps=steps,
        outside=household_rows.lives_outside(db(), application.id),
        bound_with=bound_with(application),
        slips=possible_slips.of_application(db(), application, by=actor()),
    )


@pages.get("/applications/<uuid:application_id>/check")
@desk("parents", allows_helper=True)
def check_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = CheckForm()
    if not form.was_restored:
        # a consent must be given explicitly: the box is not ticked before the first submission
        form.agrees_to_central.data = application.agrees_to_central and application.submitted_at is not None
        form.version.data = str(application.version)
    return _view(form, application)


@pages.post("/applications/<uuid:application_id>/check")
@desk("parents", allows_helper=True)
@keeps_key
def submit(application_id: uuid.UUID) -> ResponseReturnValue:
    if (done := _submit_at_once(application_id)) is not None:
        return done
    if (replayed := replay_answer()) is not None:
        return replayed
    application = application_of(application_id)
    form = CheckForm()
    if form.validate_on_submit():
        first_time = application.stage in (Stage.DRAFT, Stage.RETURNED)
        with refusals_in(form):
            if not form.true.data:
                raise Refused("truth_needed", field="true")
            if application.stage == Stage.RETURNED and not form.without.data:
                _refuse_without_asked_papers(application)
            receipt = submission.submit(
                db(),
                application_id,
                version=form.seen_version(),
                agrees_to_central=bool(form.agrees_to_central.data),
                by=actor(),
                now=clock(),
            )
            flash(_("申请已提交。") if first_time else _("申请已经提交过，这是您的回执。"))
            return redirect(url_for("parents.receipt_page", application_id=application_id, number=receipt.number), 303)
    return _view(form, application)


def _is_ticked(name: str) -> bool:
    """What a `BooleanField` of this name reads from the posted form."""
    return request.form.get(name, "") not in BooleanField.false_values


def _submit_at_once(application_id: uuid.UUID) -> ResponseReturnValue | None:
    """A submission in its plain case, with the request's key; None for the service to decide."""
    key = request_key()
    if key is None or not _is_ticked("true"):
        return None
    draft = None if was_handed_in() else first_submission.read(db(), application_id, by=actor())
    if draft is None:
        return _submit_again_at_once(application_id, key)
    if draft.version != posted_version():
        return None
    location = url_for("parents.receipt_page", application_id=application_id, number=1)
    agrees = _is_ticked("agrees_to_central")

    def write(visit: Visit) -> bool:
        return first_submission.write(
            db(),
            draft,
            agrees_to_central=agrees,
            key=key,
            location=location,
            visit=visit,
            by=actor(),
            now=clock(),
        )

    return do_at_once(write, location, _("申请已提交。"))


def _submit_again_at_once(application_id: uuid.UUID, key: RequestKey) -> ResponseReturnValue | None:
    """A returned application in its plain case, with the request's key; None for the service to decide."""
    with family_as_read(family_state.EDIT_READS) as read:
        if read is None or actor().on_behalf is not None:
            return None
        try:
            application = applications.own(read, application_id, by=actor())
            if application.version != posted_version() or application.stage != Stage.RETURNED:
                return None
            if not _is_ticked("without") and asked_papers.unanswered(read, application):
                return None
            agrees = _is_ticked("agrees_to_central")
            made = handed_in_edit.submit_again(read, application, agrees_to_central=agrees, by=actor(), now=clock())
        except (Refused, NotFound):
            return None
    if made is None:
        return None
    location = url_for("parents.receipt_page", application_id=application_id, number=made.number)
    return write_at_once(made.change, key, location, _("申请已提交。"))


def _refuse_without_asked_papers(application: Application) -> None:
    """A paper that was asked for is never left out in silence: the family ticks that it hands in without it."""
    missing = asked_papers.unanswered(db(), application)
    if missing:
        raise Refused("asked_papers_missing", field="without", n=len(missing))


@pages.get("/applications/<uuid:application_id>/receipts/<int:number>")
@desk("parents", allows_helper=True)
def receipt_page(application_id: uuid.UUID, number: int) -> ResponseReturnValue:
    application = application_of(application_id)
    receipt = receipts.numbered(db(), application, number)
    latest = receipts.latest(db(), application)
    newest = latest.number if latest is not None else number
    answers = receipts.answers_in(db(), application, number)
    return form_page(
        "receipt",
        "check",
        application,
        None,
        receipt=receipt,
        child_then=answers["child"],
        has_phone=guardians.have_a_phone(db(), application.child_id),
        wished=answer_summary.wish_names(db(), answers),
        wished_in=answer_summary.round_of_wishes(db(), application, receipt, answers),
        bound=answer_summary.bound_names(db(), application, answers, by=actor()),
        registers=answer_summary.register_words(answers),
        central=answer_summary.central_words(answers),
        changed=[answer_summary.changed_words(code) for code in receipt.changed],
        newest=newest,
        moved=any(code.startswith("household.") for code in receipt.changed) and number == newest,
        papers=_still_missing(application) if number == newest else [],
        addable=asked_papers.addable(db(), application, now=clock()) if number == newest else [],
        addable_until=asked_papers.review_goes_on_until(db(), application, now=clock()),
        unfinished=_bound_but_not_handed_in(application),
        next_page=steps.next_step(steps_of(application)),
    )


def _still_missing(application: Application) -> list[required_documents.Needed]:
    """The documents that are still missing for the review."""
    return required_documents.missing(db(), application) if application.stage in AWAITING_DECISION else []


def _bound_but_not_handed_in(application: Application) -> list[Application]:
    """Bound siblings whose application is not submitted: bound children take part in the draw together or not at all."""
    return [each for each in bound_with(application) if each.stage == Stage.DRAFT]
