"""Deciding a correction: one person agrees to a fact or a move of home, two different people to everything else; one person may refuse.

Locks are taken in the order of `units`: applications, then the rounds whose list is not published yet, then the request.
A decision does not wait for the lock of a round: while a draw is working on it, it is refused with `draw_at_work`.
"""

import datetime as dt
import hashlib
import uuid

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.application_rows import Application, Wish
from enrollment.corrections import corrected_values, correction_lifecycle, effects
from enrollment.corrections.requests import desk_for, notify
from enrollment.draw import draw_jobs
from enrollment.ground import signatures
from enrollment.ground.accounts import Actor, Office, Role
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.offers import notice_codes
from enrollment.people.household_rows import Household
from enrollment.review.correction_rows import UNDECIDED, CorrectionKind, CorrectionRequest
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

SUBJECT = "correction_request"
PEOPLE_NEEDED = 2
SECOND_PEOPLE = (Role.HEAD, Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)
NOT_PUBLISHED = (RoundStage.OPEN, RoundStage.CLOSED, RoundStage.FROZEN, RoundStage.DRAWN)
LONGEST_ANSWER = 500


def scope_condition(by: Actor) -> ColumnElement[bool]:
    """SQL condition: the requests that the actor's kindergartens or areas decide."""
    if by.is_any(Role.CITY_OFFICIAL):
        return true()
    mine: list[ColumnElement[bool]] = []
    if by.is_any(Role.CLERK, Role.HEAD):
        mine.append(CorrectionRequest.kindergarten_id.in_(by.kindergartens))
    if by.is_any(Role.AREA_OFFICIAL):
        mine.append(CorrectionRequest.area_code.in_(by.areas))
    return or_(*mine) if mine else false()


def may_decide(session: Session, request: CorrectionRequest, *, by: Actor) -> bool:
    """Whether the request stands with the actor's office; the one from which an overdue request was taken only reads it."""
    here = select(CorrectionRequest.id).where(CorrectionRequest.id == request.id, scope_condition(by))
    return session.scalar(here) is not None


def _was_with(by: Actor) -> ColumnElement[bool]:
    """SQL condition: the request was taken from the actor's office, because it was overdue."""
    reviewed = select(Application.id).where(Application.review_kindergarten_id.in_(by.kindergartens))
    at_home = select(Household.application_id).where(Household.home_area.in_(by.areas))
    return and_(
        CorrectionRequest.escalated_at.is_not(None),
        or_(CorrectionRequest.application_id.in_(reviewed), CorrectionRequest.application_id.in_(at_home)),
    )


def find(session: Session, request_id: uuid.UUID, *, by: Actor) -> CorrectionRequest:
    """A request in the actor's scope, or that was taken from there when it was overdue.  NotFound elsewhere.  The caller
    audits the view."""
    readable = or_(scope_condition(by), _was_with(by))
    found = session.scalar(select(CorrectionRequest).where(CorrectionRequest.id == request_id, readable))
    if found is None:
        raise NotFound("correction_request")
    return found


def needs_two(request: CorrectionRequest) -> bool:
    return request.kind not in (CorrectionKind.FACTS, CorrectionKind.MOVE)


def digest_of(request: CorrectionRequest) -> str:
    """The digest that two people sign: of the request with its values."""
    return hashlib.sha256(f"{request.id} {request.kind} {request.after}".encode()).hexdigest()


def signed_by(session: Session, request: CorrectionRequest) -> list[signatures.Signature]:
    application = session.get_one(Application, request.application_id)
    office = _office(session, request, application)
    return signatures.signatures_of(session, SUBJECT, request.id, digest_of(request), office=office)


def _office(session: Session, request: CorrectionRequest, application: Application) -> Office:
    """Who decides; the first agreement of the office from which an overdue request was taken still counts."""
    kindergarten_id, area = request.kindergarten_id, request.area_code
    if request.escalated_at is not None:
        kindergarten_id, area = desk_for(session, application)
    return Office(area=area, kindergarten=kindergarten_id)


def agree(
    session: Session, request_id: uuid.UUID, *, version: int, reason: str, by: Actor, now: dt.datetime
) -> CorrectionRequest:
    """Agree to a request; the last required agreement puts it into effect in the same transaction.

    Raises Stale for an older `version`.  Refuses `decided_already`, `say_why`, `second_person_needed` to the person who
    requested the correction of a fact, `signed_already`, `only_a_head_or_official_decides` to a second clerk,
    `draw_at_work`, and what `effects.put_into_effect` refuses.
    """
    request, application = _locked(session, request_id, version=version, by=by)
    if application.on_hold:
        raise Refused("on_hold")
    if not needs_two(request) and request.requested_by == by.account_id:
        raise Refused("second_person_needed")
    request.answer = _answer(request, reason)
    if needs_two(request):
        office = _office(session, request, application)
        people = signatures.sign(session, SUBJECT, request.id, digest_of(request), office=office, by=by, now=now)
        if people < PEOPLE_NEEDED:
            correction_lifecycle.make(session, request, "sign", by=by, now=now)
            notify(session, "correction_signed", request, now=now)
            return request
        if not by.is_any(*SECOND_PEOPLE):
            raise Refused("only_a_head_or_official_decides")
    rounds = lock_unpublished_rounds(session, application) if effects.changes_the_market(request) else []
    effects.put_into_effect(session, request, application, rounds, by=by, now=now)
    correction_lifecycle.make(session, request, "apply", by=by, now=now)
    replaced = notice_codes.were_replaced(session, application.child_id, at=now)
    kind = "correction_applied_new_notice" if replaced else "correction_applied"
    if corrected_values.LEVEL in corrected_values.after_of(request):
        kind = "correction_applied_level"
    notify(session, kind, request, now=now)
    return request


def refuse(
    session: Session, request_id: uuid.UUID, *, version: int, reason: str, by: Actor, now: dt.datetime
) -> CorrectionRequest:
    """Refuse a request, with a reason that the family can read; one person is enough.

    Raises Stale for an older `version`.  Refuses `decided_already` and `say_why`.
    """
    request, _application = _locked(session, request_id, version=version, by=by)
    request.answer = _reason(reason)
    correction_lifecycle.make(session, request, "refuse", by=by, now=now)
    notify(session, "correction_refused", request, now=now)
    return request


def _answer(request: CorrectionRequest, reason: str) -> str:
    """The reasons of everybody who agreed, one on each line in the order in which they decided."""
    lines = [request.answer] if request.answer else []
    return "\n".join([*lines, _reason(reason)])


def _reason(reason: str) -> str:
    """A reason on one line.  Refuses `say_why` if it is empty."""
    if not reason.strip():
        raise Refused("say_why", field="reason")
    return " ".join(reason.split())[:LONGEST_ANSWER]


def _locked(
    session: Session, request_id: uuid.UUID, *, version: int, by: Actor
) -> tuple[CorrectionRequest, Application]:
    asked = find(session, request_id, by=by)
    if asked.duplicate_of is not None:  # a removed child leaves its unit, and its documents go over to the other
        units.lock_families(session, [asked.application_id, asked.duplicate_of])
    application = session.get_one(
        Application, asked.application_id, with_for_update={"key_share": True}, populate_existing=True
    )
    request = session.get_one(CorrectionRequest, request_id, with_for_update=True, populate_existing=True)
    if request.state not in UNDECIDED:
        raise Refused("decided_already")
    if not may_decide(session, request, by=by):
        raise Refused("correction_handed_on", field="reason")
    if request.version != version:
        raise Stale()
    return request, application


def lock_unpublished_rounds(session: Session, application: Application) -> list[Round]:
    """The rounds with a wish of the application whose result is not published, locked.  Refuses `draw_at_work`."""
    wished = select(Wish.round_id).where(Wish.application_id == application.id)
    ids = session.scalars(
        select(Round.id).where(Round.id.in_(wished), Round.stage.in_(NOT_PUBLISHED)).order_by(Round.id)
    )
    locked = [draw_jobs.lock_idle_round(session, round_id) for round_id in ids.all()]
    return [round_ for round_ in locked if round_.stage in NOT_PUBLISHED]
