"""Submission and withdrawal.  Submitting twice without a change gives one submission with one receipt."""

import datetime as dt
import uuid

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enrollment.applications import (
    applications,
    completeness,
    deadlines,
    lifecycle,
    receipts,
    register_answers,
    reviewer_assignment,
    units,
)
from enrollment.applications.applications import Application, Stage
from enrollment.applications.bonds import bond_notices, bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.judgements import endings
from enrollment.applications.notifications import NO_CODE, notify_guardians
from enrollment.applications.receipts import Receipt
from enrollment.applications.returned_items import ReturnedItem
from enrollment.ground import jobs, random_codes
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import Refused, Stale
from enrollment.people import household_rows

ASK_REGISTERS = "ask_registers"
"""The kind of the job that asks the registers."""


def submit(
    session: Session,
    application_id: uuid.UUID,
    *,
    version: int | None = None,
    agrees_to_central: bool | None = None,
    by: Actor,
    now: dt.datetime,
) -> Receipt:
    """Hand in a draft, or a returned application with its answers.  Returns the receipt.

    An application that was handed in before gives the same receipt again, also after the deadline; with another choice about
    central placement it refuses `handed_in_with_central` or `handed_in_without_central`, which name the choice that counts.
    Refuses `not_complete`, what `deadlines.closed` gives (for instance `registration_closed`), `on_hold`; raises Stale for
    an older `version`.
    """
    application = applications.locked(session, application_id, by=by)
    if application.stage in lifecycle.WITH_AUTHORITY:
        _refuse_other_choice(session, application, agrees_to_central)
        return _same_again(session, application)
    if version is not None and version != application.version:
        raise Stale()
    times = deadlines.require_editable(session, application, now=now)
    if application.stage == Stage.DRAFT and times.open is None:
        raise deadlines.closed(times)
    completeness.require(session, application, by=by, now=now)
    if agrees_to_central is not None:
        application.agrees_to_central = may_agree(session, application, agrees_to_central)
    if application.registration_code is None:
        application.registration_code = fresh_code(session)
    application.submitted_at, answers_a_clerk = now, application.stage == Stage.RETURNED
    comparison = receipts.compare(session, application)
    if answers_a_clerk:
        reviewer_assignment.assign_again(session, application, comparison, now=now)
    else:
        reviewer_assignment.assign(session, application, now=now)
    endings.end_outdated(session, application, comparison, by=by, now=now)
    lifecycle.make(session, application, "submit", by=by, now=now)
    session.execute(
        update(ReturnedItem)
        .where(ReturnedItem.application_id == application_id, ReturnedItem.answered_at.is_(None))
        .values(answered_at=now)
    )
    receipt = receipts.write(session, application, comparison, by=by, now=now)
    closes_at = times.open.closes_at if times.open is not None else None
    receipts.tell(session, [receipt], closes_at=closes_at, by=by, now=now)
    bond_notices.tell_after_submission(session, application, now=now)
    if answers_a_clerk:
        _ask_registers(session, application, now=now)
    return receipt


def may_agree(session: Session, application: Application, agrees_to_central: bool) -> bool:
    """The choice as it is stored: a family that lives outside the city cannot choose central placement."""
    return agrees_to_central and not household_rows.lives_outside(session, application.id)


def _refuse_other_choice(session: Session, application: Application, agrees_to_central: bool | None) -> None:
    if agrees_to_central is None or may_agree(session, application, agrees_to_central) == application.agrees_to_central:
        return
    raise Refused("handed_in_with_central" if application.agrees_to_central else "handed_in_without_central")


def _ask_registers(session: Session, application: Application, *, now: dt.datetime) -> None:
    """Ask at once: a clerk may take the application before the next scheduled job, which asks about all."""
    if register_answers.may_be_asked(session, application):
        about, key = question_to_registers(application, now=now)
        jobs.enqueue(session, ASK_REGISTERS, about, key=key, now=now)


def question_to_registers(application: Application, *, now: dt.datetime) -> tuple[dict[str, str], str]:
    """The arguments and the key of the job that asks the registers about an application that is handed in again now."""
    return {"application": str(application.id)}, f"{ASK_REGISTERS}:{application.id}:{now.isoformat()}"


def withdraw(
    session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    """Withdraw the application.  The child keeps the registration code if the family applies again.

    Refuses `withdraw_too_late` after the deadline, when it cannot be undone; then use `offers.withdrawals`.
    """
    units.lock_families(session, [application_id])
    application = applications.locked(session, application_id, by=by)
    if application.stage == Stage.WITHDRAWN:
        return
    if not may_be_undone(session, application, now=now):
        raise Refused("withdraw_too_late")
    require_oneself(by)
    take_out(session, application, by=by, now=now, reason=reason)
    code, registration = application.registration_code or NO_CODE, deadlines.of(session, application, now=now).open
    if registration is None:
        notify_guardians(session, "application_withdrawn", [application.id], now=now, by=by, code=code)
    else:
        until = format_time(registration.closes_at)
        notify_guardians(session, "withdrawn_until", [application.id], now=now, by=by, code=code, until=until)


def may_be_undone(session: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether withdrawing gives nothing up: registration is open, or the application is not handed in.

    A draft that was handed in once and withdrawn keeps its registration code, but takes part in nothing.
    """
    if application.stage == Stage.DRAFT:
        return True
    times = deadlines.of(session, application, now=now)
    return times.open is not None or times.last is None or not application.registration_code


def take_out(
    session: Session, application: Application, *, by: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    """Withdraw an application; it leaves its bond, and a proposal to refuse it lapses.  The caller holds the family's locks and
    tells the guardians."""
    endings.lapse_refusal(session, application, by=by, now=now)
    bond_rules.leave(session, application, BondEvent.WITHDRAW, by=by, now=now)
    lifecycle.make(session, application, "withdraw", by=by, now=now, reason=reason)


def _same_again(session: Session, application: Application) -> Receipt:
    receipt = receipts.latest(session, application)
    if receipt is None:  # impossible with consistent data: a handed-in application always has a version
        raise Refused("move_not_possible", move="submit", stage=application.stage)
    return receipt


def fresh_code(session: Session) -> str:
    """A registration code that no application has."""
    code = random_codes.registration_code()
    while session.scalar(select(Application.id).where(Application.registration_code == code)) is not None:
        code = random_codes.registration_code()
    return code
