"""Shared by the form pages: looking up the family's applications, redirects after saving, flash messages."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms import Field, HiddenField
from wtforms.validators import StopValidation

from enrollment.applications import applications, deadlines, receipts, units, wishes
from enrollment.applications.applications import Application, Stage
from enrollment.applications.lifecycle import DEAD_STAGES, WITH_AUTHORITY
from enrollment.applications.statements import draft_changes, handed_in_edit, keyed_write, returned_changes
from enrollment.applications.statements.keyed_write import Change
from enrollment.draw import bond_participation
from enrollment.eligibility import return_times
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sign_in import RequestKey
from enrollment.people import guardians, invitations
from enrollment.results import family_state
from enrollment.review import case_officers, cases
from enrollment.review.case_officers import Officer
from enrollment.season import openings
from enrollment.season.openings import Window
from enrollment.season.rounds import Round
from portal.parents import answer_summary, application_status, pages, steps
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.authentication import unread_messages
from portal.web.forms import PageForm, page_of
from portal.web.idempotency import Message, do_at_once, request_key
from portal.web.page_data.page_reads import family_as_read, read_saved_state
from portal.web.unit_of_work import actor, clock, db


class VersionedForm(PageForm):
    """A form with the version of the row that it was filled from.  `page` is the code of its page of the form."""

    version = HiddenField()
    page = ""

    def saved_versions(self, application: Application | None) -> dict[str, str]:
        """The hidden fields of a page that is rendered now."""
        return {"version": str(application.version) if application is not None else ""}

    def take_newer(self) -> bool:
        application_id = (request.view_args or {}).get("application_id")
        application = application_of(application_id) if application_id is not None else None
        round_ = times_of(application).open if application is not None else None
        self.newer = answer_summary.rows_of(db(), self.page, application, by=actor(), round_=round_)
        self.note_versions(application)
        return True

    def note_versions(self, application: Application | None) -> None:
        for name, value in self.saved_versions(application).items():
            self[name].data = value

    def seen_version(self) -> int | None:
        """The version that the page was rendered with; -1 for an invalid value, which counts as an old version."""
        return _version(self.version.data or "")


def _version(text: str) -> int:
    return number_or(text, -1)


def posted_version() -> int:
    """`VersionedForm.seen_version` of the posted form, without a form object, which costs more than the whole answer to it."""
    return _version(request.form.get("version", ""))


class Required:
    """A required field.  Its message is that of the service's refusal, so that all missing fields are shown at once."""

    def __init__(self, code: str):
        self.code = code

    def __call__(self, form: PageForm, field: Field) -> None:
        if not str(field.data or "").strip():
            raise StopValidation(word("error", self.code))


def application_of(application_id: uuid.UUID) -> Application:
    """An application of the current family.  Raises NotFound for all others."""
    return applications.own(db(), application_id, by=actor())


def season_year() -> int:
    """The year in which a child is entered that has no application yet; for a helper that of its mandate."""
    if (on_behalf := actor().on_behalf) is not None:
        return on_behalf.year
    season = openings.year_to_register(db(), now=clock())
    if season is None:
        raise NotFound
    return season.year


def years_to_enter() -> list[int]:
    """The years in which a child can be entered now; for a helper that of its mandate alone."""
    found = [season.year for season in openings.years_to_register(db(), now=clock())]
    return [year for year in found if actor().on_behalf is None or year == season_year()]


def times_of(application: Application) -> Window:
    return deadlines.of(db(), application, now=clock())


def state_of_form(application: Application | None) -> steps.FormState:
    return steps.FormState(db(), application, by=actor(), now=clock())


def steps_of(application: Application | None) -> list[steps.Step]:
    return steps.steps(state_of_form(application))


def is_late_correction(application: Application, times: Window | None = None) -> bool:
    """Whether a returned application is corrected after registration, when only the returned items may change."""
    return application.stage == Stage.RETURNED and (times or times_of(application)).open is None


def review_ends(application: Application) -> dt.datetime | None:
    """The last moment to answer a return; None if it has passed, or nothing was sent back."""
    end = _last_moment(application)
    return end if end is not None and end > clock() else None


def return_over(application: Application) -> dt.datetime | None:
    """The last moment to answer a return that nobody has answered, once it has passed."""
    end = _last_moment(application)
    return end if end is not None and end <= clock() else None


def _last_moment(application: Application) -> dt.datetime | None:
    if application.stage != Stage.RETURNED or application.returned_at is None:
        return None
    return return_times.answer_until(db(), application, returned_at=application.returned_at)


def bound_with(application: Application) -> list[Application]:
    """The other applications of its unit; for a helper only those that it entered."""
    others = [each for each in units.of(db(), application) if each.id != application.id]
    if not actor().on_behalf:
        return others
    own = {each.id for each in applications.list_own(db(), by=actor())}
    return [each for each in others if each.id in own]


@dataclass(frozen=True)
class BondStanding:
    """A bond in the round that is open, or else was open last.

    `others` and `missing` are names, for this child and the rest; `is_open` says that the missing may still be handed in.
    """

    others: str
    missing: str
    counts: bool
    apart: bool
    round: Round
    is_open: bool


def bond_of(application: Application) -> BondStanding | None:
    """The standing of this application's bond; None for a separate child, and before the first round."""
    times = deadlines.of(db(), application, now=clock())
    round_ = times.current
    found = bond_participation.participation(db(), application, round_) if round_ else None
    if found is None or round_ is None:
        return None
    others = [member for member in found.members if member.id != application.id]
    return BondStanding(
        names_of(others), names_of(found.missing), found.counts, found.apart, round_, times.open is not None
    )


def names_of(members: Sequence[Application]) -> str:
    """The children's names, oldest first; those that only the other guardian cares for are not named."""
    mine = {each.id for each in units.in_care(db(), members, by=actor())}
    named = [member.child.name for member in sorted(members, key=applications.oldest_first) if member.id in mine]
    if len(named) < len(members):
        named.append(_("另一位监护人照管的孩子"))
    return _("、").join(named)


def redirect_after_save(page: str, application: Application | None) -> ResponseReturnValue:
    """Redirect after saving: to the check page, to the new receipt, or to the next unfinished page."""
    if application is not None and application.stage not in (Stage.DRAFT, Stage.RETURNED):
        return _redirect_to_receipt(application)
    flash(_("已保存。"))
    if application is not None and (_comes_from_check() or is_late_correction(application)):
        return redirect(url_for("parents.check_page", application_id=application.id), 303)
    if application is None and (invited := _invitation_after(page)) is not None:
        return redirect(invited, 303)
    if application is None and _has_more_pages():
        return redirect(url_for("parents.home"), 303)
    if page != "wishes":  # the page after the wishes is known without the others
        read_saved_state()
    return redirect(steps.step_after(page, state_of_form(application)).href or url_for("parents.home"), 303)


@dataclass(frozen=True)
class Planned:
    """A change of a page, and what the family reads beside "saved"."""

    change: Change
    messages: tuple[Message, ...] = ()


def save_at_once(
    page: str,
    application_id: uuid.UUID,
    change_of: Callable[[Session, Application], Planned | None],
    *,
    stays: str | None = None,
    reads: tuple[Read[Any], ...] = family_state.READS,
) -> ResponseReturnValue | None:
    """Save a page of a plain draft, or of an application that is handed in, in one statement; None for the service to decide.

    A draft leads to the next page, an edit to its receipt, or to the address `stays`.  `change_of` makes the change from the state of the family before
    it, and leaves there the state after it; `reads` names the part of the state that is read at once."""
    key, by = request_key(), actor()
    if key is None or by.on_behalf is not None:
        return None
    with family_as_read(reads) as read:
        if read is None:
            return None
        try:
            application = applications.own(read, application_id, by=by)
            planned = _planned(read, application, change_of)
            if planned is None:
                return None
            if application.stage in WITH_AUTHORITY:
                edit = handed_in_edit.edit(read, application, planned.change, by=by, now=clock())
                return None if edit is None else _edited_at_once(application_id, edit, key, stays, planned.messages)
        except (Refused, NotFound):
            return None
        saved = () if stays else (_("已保存。"),)
        location = stays or _page_after(page, application, read)
    return write_at_once(planned.change, key, location, *saved, *planned.messages)


def _planned(
    read: Session, application: Application, change_of: Callable[[Session, Application], Planned | None]
) -> Planned | None:
    """The change if it looks like a plain case, for the stage of the application."""
    if application.stage == Stage.RETURNED:
        planned = change_of(read, application) if returned_changes.is_plain(read, application, now=clock()) else None
        made = planned and returned_changes.change(read, application, planned.change, now=clock())
        return Planned(made, planned.messages) if planned and made else None
    kind = handed_in_edit if application.stage in WITH_AUTHORITY else draft_changes
    return change_of(read, application) if kind.is_plain(read, application, now=clock()) else None


def _edited_at_once(
    application_id: uuid.UUID,
    edit: handed_in_edit.Edit,
    key: RequestKey,
    stays: str | None,
    messages: Sequence[Message],
) -> ResponseReturnValue | None:
    """Write the edit, and lead to its receipt, or to the address `stays`."""
    if stays is not None:
        return write_at_once(edit.change, key, stays, *([saved_edit(edit.number)] if edit.is_new else []), *messages)
    if not edit.is_new:
        page = url_for("parents.application_page", application_id=application_id)
        return write_at_once(edit.change, key, page, no_change(edit.number), *messages)
    receipt = url_for("parents.receipt_page", application_id=application_id, number=edit.number)
    return write_at_once(edit.change, key, receipt, _("修改已生效，这是新的回执。"), *messages)


def was_handed_in() -> bool:
    """Whether the posted page showed an application that was handed in before.  It says which way is tried first, and no more."""
    return "handed_in" in request.form


def write_at_once(change: Change, key: RequestKey, location: str, *messages: Message) -> ResponseReturnValue | None:
    """Write the change, and redirect.  None if something is not as it was read; then nothing is written."""
    return do_at_once(
        lambda visit: keyed_write.write(db(), change, key=key, location=location, visit=visit), location, *messages
    )


def _page_after(page: str, application: Application, read: Session) -> str:
    times = deadlines.of(read, application, now=clock())
    if _comes_from_check() or is_late_correction(application, times):
        return url_for("parents.check_page", application_id=application.id)
    form = steps.FormState(read, application, by=actor(), now=clock())
    return steps.step_after(page, form).href or url_for("parents.home")


def _comes_from_check() -> bool:
    return request.args.get("from") == "check"


def _invitation_after(page: str) -> str | None:
    """The address that follows a page which an invited person opened from an invitation; None without an invitation."""
    own = {str(each.id): each for each in invitations.own_invitations(db(), by=actor(), now=clock())}
    invitation = own.get(request.args.get("invitation", ""))
    if invitation is None:
        return None
    if page == "consent" and guardians.guardian_of(db(), by=actor()) is None:
        return url_for("parents.guardian_page", invitation=invitation.id)
    return url_for("parents.invitation_page", invitation_id=invitation.id)


def _has_more_pages() -> bool:
    """Whether the family has an application or an invitation, so that its home page comes next."""
    waiting = invitations.own_invitations(db(), by=actor(), now=clock())
    return bool(waiting or applications.list_own(db(), by=actor()))


def _redirect_to_receipt(application: Application) -> ResponseReturnValue:
    receipt = receipts.latest(db(), application)
    if receipt is not None and receipt.submitted_at == clock():
        flash(_("修改已生效，这是新的回执。"))
        return redirect(url_for("parents.receipt_page", application_id=application.id, number=receipt.number), 303)
    if receipt is not None:
        flash(no_change(receipt.number))
    return redirect(url_for("parents.application_page", application_id=application.id), 303)


def no_change(number: int) -> str:
    """The message of a save without a change; `number` is that of the receipt that counts."""
    return _("没有新的改动，现在有效的是第 %(n)s 版。", n=number)


def flash_saved_edit(application: Application) -> None:
    """Flash the new receipt's number, on a page where each button saves a submitted application."""
    receipt = receipts.latest(db(), application)
    if receipt is not None and receipt.submitted_at == clock():
        flash(saved_edit(receipt.number))


def saved_edit(number: int) -> str:
    """The message of an edit on a page where each button saves, with the number of its receipt."""
    return _("修改已生效，这是第 %(n)s 版。改好后可以看回执。", n=number)


OF_ANSWERS = frozenset(
    (
        "check", "child", "evidence", "evidence_page", "grounds", "household", "siblings", "wish_finder", "wishes",
        "wishes_closed",
    )
)  # fmt: skip
"""Pages that change the answers of an application.  Nothing can be saved on them once it is withdrawn or refused."""

LATE = ("registration_closed", "round_not_open", "no_registration", "application_is_over", "on_hold")
"""Refusals after which the same page can never be saved: the form would be a button that refuses again."""


def form_page(
    template: str, page: str, application: Application | None, form: PageForm | None, **more: Any
) -> ResponseReturnValue:
    """Render a page of the form with the values that all form pages need.

    A change that came too late is shown as such instead: that it was not saved, what was typed, and what counts.  The pages
    with the answers of a withdrawn or refused application show the way on instead.
    """
    is_over = application is not None and application.stage in DEAD_STAGES and template in OF_ANSWERS
    if form is not None and (form.refused in LATE or (is_over and request.method == "POST")):
        return _not_saved(page, application, form)
    if application is not None and is_over:
        return _over(page, application)
    times = times_of(application) if application is not None else None
    late = application is not None and is_late_correction(application, times)
    shown = render_template(
        f"parents/{template}.html",
        page=page,
        application=application,
        form=form,
        times=times,
        late=late,
        review_ends=review_ends(application) if application is not None and late else None,
        **more,
    )
    return page_of(form, shown)


def _not_saved(page: str, application: Application | None, form: PageForm) -> ResponseReturnValue:
    faults = [*form.form_errors, *(text for field in form for text in field.errors)]
    last = times_of(application).last if application is not None else None
    shown = render_template(
        "parents/not_saved.html",
        page=page,
        application=application,
        reason=faults[-1] if form.refused in LATE else word("error", "application_is_over"),
        entered=form.entered_values(),
        receipt=receipts.latest(db(), application) if application is not None else None,
        wished=wish_names(application) if application is not None else [],
        closed_at=last.closes_at if last is not None and last.closes_at <= clock() else None,
        **_way_on(application),
    )
    return shown, 409


def _over(page: str, application: Application) -> ResponseReturnValue:
    """In place of a page with answers: that the application is over, and how the family can apply again."""
    return render_template("parents/form_over.html", page=page, application=application, **_way_on(application))


def _way_on(application: Application | None) -> dict[str, Any]:
    """What `way_on.html` needs of an application that is over; of any other one nothing is shown."""
    if application is None or application.stage not in DEAD_STAGES:
        return {"over": False}
    status = application_status.status_of(db(), application, now=clock())
    return {"over": True, "times": status.times, "status": status, "wished_now": bool(wish_names(application))}


def wish_names(application: Application) -> list[str]:
    """The kindergartens of the wishes that count now, in order: of the open round, else of the last one."""
    times = times_of(application)
    round_ = times.current
    listed = wishes.of(db(), application.id, round_.id) if round_ else []
    return [wish.programme.kindergarten.name for wish in listed]


@dataclass(frozen=True)
class Dispute:
    """An open dispute about an application, as its family sees it.  `held`: nothing can be changed meanwhile."""

    held: bool
    due_at: dt.datetime
    officer: Officer | None


def dispute_of(application: Application) -> Dispute | None:
    case = cases.dispute_about(db(), application.id)
    if case is None:
        return None
    return Dispute(application.on_hold, case.due_at, case_officers.officer_of(db(), case))


def may_enter_child() -> bool:
    """Whether a child that is entered now can be handed in, now or later."""
    return bool(years_to_enter())


@pages.context_processor
def template_context() -> dict:
    by = actor()
    if by.on_behalf:
        return {
            "unread": 0,
            "bond_of": bond_of,
            "dispute_of": dispute_of,
            "may_enter_child": may_enter_child,
        }
    return {
        "may_enter_child": may_enter_child,
        "bond_of": bond_of,
        "dispute_of": dispute_of,
        "unread": unread_messages() if by.account_id and "internal_error" not in g else 0,
    }
