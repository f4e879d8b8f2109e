"""The families that a desk has to contact: no guardian of the child can get a text message, or one was sent in vain.

A family is on the list of its desks while it has a message that it neither read nor was told at a desk, and while an
offer waits for its answer and the desk has not contacted it since the offer was made.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.guardian_access import desk_access
from enrollment.applications.returned_items import ReturnedItem
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import parse_time
from enrollment.ground.outbox import DeliveryError, MessageState, Notice
from enrollment.offers import desk_answers, desk_messages
from enrollment.offers.offer_rows import LIVE, Offer, OfferState
from enrollment.people.desk_rows import DeskContact, PhoneChange, PhoneChangeWay
from enrollment.people.guardians import without_phone
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme

FAILED = (MessageState.UNDELIVERABLE, MessageState.GIVEN_UP)

LISTED_FOR = dt.timedelta(days=30)
"""How long a message stays on the list, so that those of a past season disappear."""


@dataclass
class FamilyToContact:
    """`says` are the messages to pass on, each as its kind and parameters; a result has the kind `result_placed` or
    `result_without_place`.  `items` are what the family has to complete; a
    desk that may not read them has their number alone (`hidden_items`).  `until` is when its answer is due.  `error` is the `DeliveryError` of a
    message that did not arrive; None for a family without a phone."""

    application: Application
    error: str | None = None
    says: list[tuple[str, dict]] = field(default_factory=list)
    items: list[ReturnedItem] = field(default_factory=list)
    hidden_items: int = 0
    offer: Offer | None = None
    until: dt.datetime | None = None


def families_to_contact(session: Session, *, by: Actor, now: dt.datetime) -> list[FamilyToContact]:
    """The families that this desk has to contact: those with the earliest deadline first, those without one last."""
    served = desk_access.served_query(by)
    found = _messages(session, served, now)
    unanswered = set()
    for application in session.scalars(_with_an_open_offer(served)):
        found.setdefault(application.id, (application, []))
        unanswered.add(application.id)
    families = [
        _family(session, application, notices, by, now, unanswered=application.id in unanswered)
        for application, notices in found.values()
    ]
    listed = [each for each in families if each.says]
    return sorted(listed, key=lambda each: (each.until is None, each.until or now, each.application.id))


def family_to_contact(
    session: Session, application: Application, *, by: Actor, now: dt.datetime
) -> FamilyToContact | None:
    """The same for one application; None if its family need not be contacted."""
    waiting = families_to_contact(session, by=by, now=now)
    return next((each for each in waiting if each.application.id == application.id), None)


def sender(session: Session, application: Application, *, by: Actor) -> Kindergarten | None:
    """The kindergarten of this clerk in whose name it writes to the family: that of the child's newest place, that of the
    review, or the first of its wishes."""
    places = (
        select(Offer.made_at, Programme.kindergarten_id)
        .join(Programme, Programme.id == Offer.programme_id)
        .where(Offer.application_id == application.id)
    )
    wished = (
        select(Wish.rank, Programme.kindergarten_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .where(Wish.application_id == application.id)
    )
    known = [row.kindergarten_id for row in session.execute(places.order_by(Offer.made_at.desc()))]
    known += [application.review_kindergarten_id]
    known += [row.kindergarten_id for row in session.execute(wished.order_by(Wish.rank))]
    found = next((each for each in known if each in by.kindergartens), None)
    return session.get_one(Kindergarten, found) if found is not None else None


def open_items(session: Session, application: Application) -> list[ReturnedItem]:
    """What the family still has to complete, as it was asked."""
    waiting = select(ReturnedItem).where(
        ReturnedItem.application_id == application.id, ReturnedItem.answered_at.is_(None)
    )
    return list(session.scalars(waiting.order_by(ReturnedItem.asked_at, ReturnedItem.id)))


def _messages(session: Session, served, now: dt.datetime) -> dict[uuid.UUID, tuple[Application, list[Notice]]]:
    """By application, the messages that nobody of the family read and no desk passed on, the oldest first."""
    told = select(DeskContact.id).where(
        DeskContact.application_id == Notice.application_id, DeskContact.reached_at >= Notice.created_at
    )
    rows = session.execute(
        select(Notice, Application)
        .join(Application, Application.id == Notice.application_id)
        .where(
            Application.id.in_(served),
            Notice.child_id == Application.child_id,
            Notice.kind.in_(desk_messages.TOLD_AT_DESK),
            ~_own_act(),
            Notice.created_at > now - LISTED_FOR,
            Notice.read_at.is_(None),
            Notice.withheld_at.is_(None),
            or_(without_phone(Application.child_id), _reached_nobody(), _went_to_a_lost_phone()),
            ~told.exists(),
        )
        .order_by(Notice.created_at, Notice.id)
    )
    found: dict[uuid.UUID, tuple[Application, list[Notice]]] = {}
    for notice, application in rows:
        found.setdefault(application.id, (application, []))[1].append(notice)
    return found


def _own_act() -> ColumnElement[bool]:
    """SQL condition: the receiver did it, and was there."""
    who = func.coalesce(func.jsonb_extract_path_text(Notice.params, "who"), "")
    return and_(who == "you", Notice.kind.not_in(desk_messages.ABOUT_ONES_PHONE))


def _reached_nobody() -> ColumnElement[bool]:
    """SQL condition: the message failed, and no other guardian got, gets or read the one about the same event.

    What another guardian proposed (`OF_THE_OTHER_GUARDIAN`) is passed on to each guardian whom it did not reach.
    """
    other = aliased(Notice)
    somebody = select(other.id).where(
        other.application_id == Notice.application_id,
        other.kind == Notice.kind,
        other.created_at == Notice.created_at,
        other.withheld_at.is_(None),
        or_(other.state.not_in(FAILED), other.read_at.is_not(None)),
    )
    for_each = Notice.kind.in_(desk_messages.OF_THE_OTHER_GUARDIAN)
    return and_(Notice.state.in_(FAILED), or_(for_each, ~somebody.exists()))


def _went_to_a_lost_phone() -> ColumnElement[bool]:
    """SQL condition: a desk was asked to change the receiver's number, which stays; and no other guardian got the message."""
    asked = select(PhoneChange.id).where(
        PhoneChange.account_id == Notice.account_id,
        PhoneChange.way == PhoneChangeWay.DESK,
        PhoneChange.ended_at == Notice.created_at,
    )
    other = aliased(Notice)
    somebody = select(other.id).where(
        other.application_id == Notice.application_id,
        other.kind == Notice.kind,
        other.created_at == Notice.created_at,
        other.account_id != Notice.account_id,
        or_(other.state.not_in(FAILED), other.read_at.is_not(None)),
    )
    return and_(Notice.kind.in_(desk_messages.NO_NEW_PHONE), asked.exists(), ~somebody.exists())


def _with_an_open_offer(served):
    """The applications with an unanswered offer about which no desk has contacted the family."""
    return (
        select(Application)
        .join(Offer, Offer.application_id == Application.id)
        .where(
            Application.id.in_(served),
            Offer.state == OfferState.OFFERED,
            without_phone(Offer.child_id),
            ~desk_answers.was_contacted(),
        )
    )


def _family(
    session: Session,
    application: Application,
    notices: Iterable[Notice],
    by: Actor,
    now: dt.datetime,
    *,
    unanswered: bool,
) -> FamilyToContact:
    """`unanswered`: an offer waits for the answer of a family without a phone, whatever messages it had."""
    newest = session.scalars(
        select(Offer)
        .where(Offer.application_id == application.id, Offer.state.in_(LIVE))
        .order_by(Offer.made_at.desc())
        .limit(1)
    ).first()
    family = FamilyToContact(application)
    if newest is not None and newest.state == OfferState.OFFERED:
        family.offer, family.until = newest, newest.answer_by
    says: dict[str, dict] = {}
    for notice in notices:
        if not desk_messages.matters(session, application, notice, newest, now=now):
            continue
        if notice.state in FAILED and notice.last_error != DeliveryError.NO_NUMBER:
            family.error = notice.last_error
        kind = notice.kind
        if kind == "result_published":
            kind = "result_placed" if newest is not None else "result_without_place"
        says[kind] = notice.params
    proposed = next((says[kind] for kind in desk_messages.OF_THE_OTHER_GUARDIAN if kind in says), None)
    if proposed is not None:
        family.until = parse_time(proposed["due"])  # it takes the place of the deadline for the answer
    elif (
        family.offer is not None
        and (unanswered or says)
        and not says.keys() & {"result_placed", "place_offered", "central_offered"}
    ):
        says["answer_reminder"] = {"due": family.offer.answer_by.isoformat()}
    if says.keys() & {"result_placed", "result_without_place"}:
        says.pop("new_hour", None)
    if says.keys() & {*desk_messages.OF_A_RETURN, "returned_over"}:
        items = open_items(session, application)
        if desk_access.reads_returned_items(session, application, by=by):
            family.items = items
        else:
            family.hidden_items = len(items)
    if says.keys() & set(desk_messages.OF_A_RETURN):
        family.until = family.until or desk_messages.answer_until(session, application)
    if "review_returned" in says:
        says.pop("returned_reminder", None)
    family.says = list(says.items())
    return family
