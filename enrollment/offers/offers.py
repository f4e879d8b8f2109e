"""Offers 录取: at most one live offer for a child, over all rounds of a season, and never more than the places there are.

An offer that was taken up stays `arrived` for good: it tells where the child entered, its notice stays true, and the
place stays taken.  The next season makes its own offer, so the rule is for a child and a season.
"""

import datetime as dt
import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    and_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications.applications import Application
from enrollment.ground import audit, constraint_errors
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.random_codes import notice_code
from enrollment.people.guardians import Child, has_care
from enrollment.places import roll_admission, scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme

STATES = (
    "offered",
    "confirmed",
    "confirmed_waiting",
    "arrived",
    "declined",
    "expired",
    "superseded",
    "no_show",
    "revoked",
)
LIVE = ("offered", "confirmed", "confirmed_waiting", "arrived")
ANSWERABLE = ("offered", "confirmed", "confirmed_waiting")


class Offer(Base):
    """`notice_code` is what the QR code on the admission notice points at.  `year` is its programme's season, held
    to it by the foreign key, so that the table can allow one live offer for a child and season."""

    __tablename__ = "offer"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"))
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    programme_id: Mapped[uuid.UUID]
    year: Mapped[int]
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("run.id"))
    rank: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="offered")
    notice_code: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    answer_by: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "year"], ["programme.id", "programme.year"]),
        CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),
        Index(
            "uq_offer__one_live",
            "child_id",
            "year",
            unique=True,
            postgresql_where=text("state IN ('offered','confirmed','confirmed_waiting','arrived')"),
        ),
        Index("ix_offer__child_id", "child_id", postgresql_where=text("child_id IS NOT NULL")),
        Index("ix_offer__programme", "programme_id", "state"),
        Index("ix_offer__due", "answer_by", postgresql_where=text("state = 'offered'")),
    )


class OfferMove(Base):
    """The history of an offer."""

    __tablename__ = "offer_move"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), index=True)
    before: Mapped[str | None]
    after: Mapped[str]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]
    reason: Mapped[str | None]


class CentralProposal(Base):
    """A child that a run left without a place, and the proposal of central placement made for it."""

    __tablename__ = "central_proposal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    metres: Mapped[int | None]
    proposed_at: Mapped[dt.datetime]
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))

    __table_args__ = (
        Index("ix_central_proposal__offer_id", "offer_id", postgresql_where=text("offer_id IS NOT NULL")),
    )


def take_place(session: Session, programme_id: uuid.UUID) -> None:
    """One place more is taken.  Refuses `no_place_left`; two at once never get the last one."""
    taken = update(Programme).where(Programme.id == programme_id, Programme.taken < Programme.places)
    if session.scalar(taken.values(taken=Programme.taken + 1).returning(Programme.id)) is None:
        raise Refused("no_place_left")


def free_place(session: Session, programme_id: uuid.UUID) -> None:
    freed = update(Programme).where(Programme.id == programme_id, Programme.taken > 0)
    if session.scalar(freed.values(taken=Programme.taken - 1).returning(Programme.id)) is None:
        raise Refused("no_place_taken")


def make(
    session: Session,
    application: Application,
    programme_id: uuid.UUID,
    *,
    round_id: uuid.UUID,
    answer_by: dt.datetime,
    by: Actor,
    now: dt.datetime,
) -> Offer:
    """Offer one place by hand, as central placement does.  A run makes its offers in `publication`."""
    take_place(session, programme_id)
    offer = Offer(
        id=uuid.uuid4(), child_id=application.child_id, application_id=application.id, programme_id=programme_id,
        year=application.year, round_id=round_id, state="offered", notice_code=notice_code(), made_at=now, answer_by=answer_by,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(offer)
            session.flush()
    except IntegrityError as fault:
        refused = constraint_errors.refusal_of(fault)
        if refused is None:
            raise
        raise refused from fault
    session.add(OfferMove(offer_id=offer.id, before=None, after="offered", account_id=by.account_id, at=now))
    return offer


def change(
    session: Session, offer: Offer, state: str, *, by: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    """The one way in which an offer changes: its state, the place, the history and the audit, in one breath.

    The caller holds the offer's lock.
    """
    before, offer.state = offer.state, state
    if state in LIVE:
        offer.answered_at = now
    else:
        offer.ended_at = now
        free_place(session, offer.programme_id)
    session.add(
        OfferMove(offer_id=offer.id, before=before, after=state, account_id=by.account_id, at=now, reason=reason)
    )
    audit.record(session, state, "offer", offer.id, by=by, now=now, reason=reason, before=before)
    session.flush()


def own(session: Session, offer_id: uuid.UUID, *, by: Actor) -> list[Offer]:
    """The family's offer, and those of children bound to this one at the same kindergarten: they answer together.

    Locked, the asked one first.  NotFound for another family's.
    """
    asked = session.get(Offer, offer_id)
    require_oneself(by)
    if asked is None or not has_care(session, asked.child_id, by=by):
        raise NotFound
    unit = select(Application.unit).where(Application.id == asked.application_id).scalar_subquery()
    together = select(Application.id).where(Application.unit == unit, Application.unit.is_not(None))
    bound = and_(
        Offer.application_id.in_(together), Offer.programme_id == asked.programme_id, Offer.state.in_(ANSWERABLE)
    )
    found = select(Offer).where(or_(Offer.id == offer_id, bound)).order_by(Offer.id)
    locked = session.scalars(found.with_for_update().execution_options(populate_existing=True)).all()
    if session.get_one(Application, asked.application_id).on_hold:
        raise Refused("on_hold")
    return sorted(locked, key=lambda offer: offer.id != offer_id)


def confirm(session: Session, offer_id: uuid.UUID, *, wait: bool, by: Actor, now: dt.datetime) -> Offer:
    """Take the place, for good or (`wait`) until a better wish has room.

    It may be changed until the answer is due; to stop waiting is possible at any time.
    Refuses `offer_is_over`, `answer_too_late`, and `nothing_to_wait_for` on a first wish.
    """
    offers = own(session, offer_id, by=by)
    offer = offers[0]
    if offer.state not in ANSWERABLE:
        raise Refused("offer_is_over", state=offer.state)
    stops_waiting = offer.state == "confirmed_waiting" and not wait
    if now >= offer.answer_by and not stops_waiting:
        raise Refused("answer_too_late", due=offer.answer_by)
    if wait and offer.rank in (None, 1):
        raise Refused("nothing_to_wait_for")
    state = "confirmed_waiting" if wait else "confirmed"
    for each in offers:
        if each.state in ANSWERABLE and each.state != state:
            change(session, each, state, by=by, now=now)
    return offer


def decline(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Offer:
    """Give the place up; it goes to the next in line, and the child waits no longer in this round.

    Refuses `offer_is_over`.
    """
    offers = own(session, offer_id, by=by)
    if offers[0].state not in ANSWERABLE:
        raise Refused("offer_is_over", state=offers[0].state)
    for each in offers:
        if each.state in ANSWERABLE:
            change(session, each, "declined", by=by, now=now)
    return offers[0]


def _at_the_door(session: Session, offer_id: uuid.UUID, *, by: Actor) -> Offer:
    """A confirmed offer of a kindergarten where this person works, locked.  NotFound elsewhere."""
    found = (
        select(Offer)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.id == offer_id, scope.within(by))
    )
    offer = session.scalars(found.with_for_update(of=Offer).execution_options(populate_existing=True)).one_or_none()
    if offer is None:
        raise NotFound
    if offer.state not in ("confirmed", "confirmed_waiting"):
        raise Refused("offer_not_confirmed", state=offer.state)
    return offer


def mark_arrived(
    session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime, class_name: str | None = None
) -> Offer:
    """The child is here, checked and well: the place is used, and with a `class_name` the child stands on the roll.

    Refuses `offer_not_confirmed`, and what the roll refuses (`on_roll_already`, `class_is_counted`).
    """
    offer = _at_the_door(session, offer_id, by=by)
    change(session, offer, "arrived", by=by, now=now)
    if class_name:
        child, programme = session.get_one(Child, offer.child_id), session.get_one(Programme, offer.programme_id)
        roll_admission.enter(
            session, programme.kindergarten_id, programme.level, programme.year, name=child.name,
            class_name=class_name, id_number=child.id_number, born=child.born, by=by, now=now,
        )  # fmt: skip
    return offer


def mark_no_show(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime, reason: str) -> Offer:
    """The child did not come: the place is free for the next in line.  Refuses `offer_not_confirmed`, `say_why`."""
    offer = _at_the_door(session, offer_id, by=by)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    change(session, offer, "no_show", by=by, now=now, reason=reason.strip())
    return offer
