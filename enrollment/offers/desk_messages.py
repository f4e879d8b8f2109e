"""Which messages a desk passes on to a family that they did not reach, and until when each of them matters."""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.applications import deadlines
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.bonds import bond_notices
from enrollment.eligibility import return_times
from enrollment.ground.city_time import parse_time
from enrollment.ground.outbox import Notice
from enrollment.offers import registration_reminders
from enrollment.offers.joint_decision_rows import WAITING_DECISIONS
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferState

OF_A_RETURN = ("review_returned", "returned_reminder")

OF_A_DRAFT = (
    "not_handed_in",
    "mandate_ended_draft",
    "application_reinstated_draft",
    "application_reinstated_draft_late",
)

OF_ARRIVAL = ("arrival_reminder", "arrival_last_reminder", "new_date_arrival")

OF_AN_OFFER = ("result_published", "place_offered", "central_offered", "answer_reminder")
"""Messages that are settled once the family has answered the offer."""

ABOUT_ONES_PHONE = ("phone_release_waiting", "phone_released")
"""`who` of these is whose telephone it is, and not who acted."""

NO_NEW_PHONE = ("phone_change_taken", "phone_change_refused", "phone_change_lapsed", "phone_change_stopped")
"""The number stays, which a family that asked a desk for the change may have lost."""

OF_THE_OTHER_GUARDIAN = ("decline_proposed", "decline_reminder", "withdraw_proposed", "withdraw_reminder")
"""What one guardian proposed and another can stop until a moment: that the proposer got it tells the other nothing."""

TOLD_AT_DESK = (
    *OF_A_RETURN,
    *OF_A_DRAFT,
    *OF_ARRIVAL,
    *OF_AN_OFFER,
    *OF_THE_OTHER_GUARDIAN,
    "returned_over",
    "papers_missing",
    "review_refused",
    "application_reinstated",
    "application_reinstated_late",
    "request_rejected",
    "request_settled",
    "new_hour",
    "new_date_registration",
    "new_date_confirmation",
    "new_date_supplementary",
    "round_open",
    "wishes_missing",
    "moved_up",
    "offer_expired",
    "offer_revoked",
    "arrival_undone",
    "marked_no_show",
    "no_show_undone",
    "correction_applied",
    "correction_applied_new_notice",
    "correction_refused",
    "correction_applied_level",
    "correction_late",
    "correction_late_city",
    "document_accepted_new_notice",
    "document_not_accepted",
    "bond_missing",
    "bond_waiting",
    "bond_refuse",
    "bond_withdraw",
    "bond_place_alone",
    "on_hold",
    "hold_ended",
    "phone_change_waiting",
    "phone_change_taken",
    "phone_change_refused",
    "phone_change_lapsed",
    "phone_change_stopped",
    *ABOUT_ONES_PHONE,
)
"""The kinds of messages that a desk has to pass on: the family was not there when these things happened, and something
follows from them, or they name a moment until which the family can act."""

LAST_MOMENT = ("due", "until", "ends_at")
"""The parameters of a message that name the moment until which it matters."""


def matters(
    session: Session, application: Application, notice: Notice, newest: Offer | None, *, now: dt.datetime
) -> bool:
    """Whether a call about the message still helps: its moment is to come, and nobody has done what it asks for.

    `newest` is the live offer of the application.
    """
    kind = notice.kind
    if kind in OF_AN_OFFER:
        return newest is None or newest.state == OfferState.OFFERED
    if kind == "returned_over":
        return application.stage == Stage.RETURNED and _is_editable(session, application, now)
    if kind in OF_A_RETURN:
        until = answer_until(session, application)
        return (
            application.stage == Stage.RETURNED
            and (until is None or now < until)
            and _is_editable(session, application, now)
        )
    if any(now >= parse_time(notice.params[name]) for name in LAST_MOMENT if notice.params.get(name)):
        return False
    if kind in OF_A_DRAFT:
        return application.stage == Stage.DRAFT
    if kind == "papers_missing":
        round_ = deadlines.of(session, application, now=now).current
        return registration_reminders.papers_count(session, application, round_, newest)
    if kind in ("round_open", "wishes_missing", "new_date_supplementary"):
        return newest is None
    if kind in OF_ARRIVAL:
        return newest is not None and newest.state in EXPECTED
    if kind == "new_date_confirmation":
        return newest is not None and newest.state == OfferState.OFFERED
    if kind in OF_THE_OTHER_GUARDIAN:
        return bool(WAITING_DECISIONS.of(session, application.id))
    if kind in bond_notices.KINDS:
        return not bond_notices.outdated(session, [notice])
    return True


def answer_until(session: Session, application: Application) -> dt.datetime | None:
    """When the answer to the return of this application is due; None if it was never returned."""
    if application.returned_at is None:
        return None
    return return_times.answer_until(session, application, returned_at=application.returned_at)


def _is_editable(session: Session, application: Application, now: dt.datetime) -> bool:
    return deadlines.looks_editable(application, deadlines.of(session, application, now=now))
