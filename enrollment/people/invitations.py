"""Invitations: a guardian invites the other guardian of a child by phone number."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, LargeBinary, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit, outbox
from enrollment.ground.accounts import Account, Actor, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.phones import mask_phone, parse_phone, phone_index
from enrollment.ground.reading.read_ahead import Read
from enrollment.people import children, guardians
from enrollment.people.person_rows import RELATIONS, Child, Guardian, Guardianship

INVITATION_LIFETIME = dt.timedelta(days=14)
MOST_GUARDIANS = 2

MOST_BY_CASE = 3
"""Most guardians of a child if one was added by a case, for example a grandparent with custody beside both parents."""

MOST_A_DAY = 3
"""Invitations for one child within a day: each of them is a text message."""

MOST_OF_A_GUARDIAN = 6
"""Invitations of one guardian, and to one number, for all children within a day: a family may have four."""

MOST_OPEN = 5
"""Open invitations of one guardian."""

DAY = dt.timedelta(days=1)
REST = dt.timedelta(days=7)
"""How long a number is not invited for the same child after it declined."""


class Invitation(Base):
    """An invitation to a phone number to share the applications of a child.  A third guardian is invited by a case.

    `times`: how often it was made, withdrawn and made again within a day.  `declined_at`: its receiver declined it.
    """

    __tablename__ = "invitation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"))
    invited_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("guardian.id"))
    phone_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    phone_hint: Mapped[str | None]
    """The masked number, so that the guardians see whom they invited; None in rows from before it was kept."""
    made_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    declined_at: Mapped[dt.datetime | None]
    case_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("case_file.id"))

    __table_args__ = (
        Index("ix_invitation__child_id", "child_id", postgresql_where=text("child_id IS NOT NULL")),
        Index("ix_invitation__invited_by", "invited_by", postgresql_where=text("invited_by IS NOT NULL")),
        Index(
            "uq_invitation__one_open",
            "child_id",
            "phone_index",
            unique=True,
            postgresql_where=text("accepted_at IS NULL"),
        ),
    )


UNANSWERED = Read(Invitation, Invitation.phone_index, (Invitation.accepted_at.is_(None),))
"""The invitations to a phone that nobody accepted; some have expired."""


def invite(session: Session, child_id: uuid.UUID, phone: str, *, by: Actor, now: dt.datetime) -> Invitation:
    """Invite the holder of a phone number to become a guardian of a child.  A repeated invitation extends the first.

    The response is the same whether or not the phone is known.  It sends a message if `made_at` is `now`.
    Refuses `phone_form`, `own_phone`, `enough_guardians`, `invited_often`, `invitations_open`, and `invitation_rests` after the
    receiver declined.
    """
    require_oneself(by)
    child = children.own_child(session, child_id, by=by)
    guardian = guardians.require_guardian(session, by=by)
    number = parse_phone(phone)
    index = phone_index(number)
    account = session.get_one(Account, by.account_id)
    if index == account.phone_index:
        raise Refused("own_phone", field="phone")
    if _count_accepted(session, child.id) >= MOST_GUARDIANS:
        raise Refused("enough_guardians", field="phone")
    earlier = _open_invitation(session, child.id, index)
    if earlier is not None:
        if earlier.expires_at > now:
            earlier.expires_at = now + INVITATION_LIFETIME
            return earlier
        if earlier.declined_at is not None and now < earlier.declined_at + REST:
            raise Refused("invitation_rests", field="phone", again=earlier.declined_at + REST)
    _refuse_too_many(session, child, guardian, index, now=now)
    if earlier is not None:
        earlier.times = earlier.times + 1 if earlier.made_at > now - DAY else 1
        earlier.made_at, earlier.invited_by, earlier.declined_at = now, guardian.id, None
        earlier.expires_at, earlier.phone_hint = now + INVITATION_LIFETIME, mask_phone(number)
    made = earlier or Invitation(
        child_id=child.id,
        invited_by=guardian.id,
        phone_index=index,
        phone_hint=mask_phone(number),
        made_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    session.add(made)
    session.flush()
    audit.record(session, "invite", "child", child.id, by=by, now=now)
    invited = session.scalar(select(Account.id).where(Account.phone_index == index))
    if invited is not None:
        outbox.tell(session, "invited", account_id=invited, key=f"invited:{made.id}:{now.isoformat()}", now=now)
    return made


def _refuse_too_many(session: Session, child: Child, guardian: Guardian, index: bytes, *, now: dt.datetime) -> None:
    """Nobody makes the portal write to a telephone again and again."""
    of_guardian = Invitation.invited_by == guardian.id
    for whose, most in (
        (Invitation.child_id == child.id, MOST_A_DAY),
        (Invitation.phone_index == index, MOST_OF_A_GUARDIAN),
        (of_guardian, MOST_OF_A_GUARDIAN),
    ):
        made = select(func.coalesce(func.sum(Invitation.times), 0)).where(whose, Invitation.made_at > now - DAY)
        if session.scalars(made).one() >= most:
            raise Refused("invited_often", field="phone", n=most)
    waiting = select(func.count()).where(of_guardian, Invitation.accepted_at.is_(None), Invitation.expires_at > now)
    if session.scalars(waiting).one() >= MOST_OPEN:
        raise Refused("invitations_open", field="phone", n=MOST_OPEN)


def invite_by_case(
    session: Session,
    child_id: uuid.UUID,
    phone: str,
    *,
    case_id: uuid.UUID,
    opener: uuid.UUID,
    by: Actor,
    now: dt.datetime,
) -> Invitation:
    """Invite a third guardian: `by` is the official who decided the case of the guardian `opener`."""
    inviter = session.scalars(select(Guardian).where(Guardian.account_id == opener)).one()
    number = parse_phone(phone)
    index = phone_index(number)
    made = _open_invitation(session, child_id, index)
    if made is None:
        made = Invitation(child_id=child_id, invited_by=inviter.id, phone_index=index, made_at=now)
        session.add(made)
    made.phone_hint = mask_phone(number)
    made.made_at, made.expires_at, made.case_id = now, now + INVITATION_LIFETIME, case_id
    made.declined_at = None
    session.flush()
    audit.record(session, "invite", "child", child_id, by=by, now=now, case=str(case_id))
    invited = session.scalar(select(Account.id).where(Account.phone_index == index))
    if invited is not None:
        outbox.tell(session, "invited", account_id=invited, key=f"invited:{made.id}:{case_id}", now=now)
    return made


def needs_text_message(session: Session, invitation: Invitation, *, now: dt.datetime) -> bool:
    """Whether the invitation was made now to a phone without an account, which gets no notice but a text message."""
    known = select(Account.id).where(Account.phone_index == invitation.phone_index)
    return invitation.made_at == now and session.scalar(known) is None


def of_case(session: Session, case_id: uuid.UUID) -> Invitation | None:
    """The invitation of the third guardian whom a case added."""
    return session.scalars(select(Invitation).where(Invitation.case_id == case_id)).one_or_none()


def decline(session: Session, invitation_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """End an invitation to the signed-in person; the one who invited gets a message.  False if it had ended before; then nothing
    is done, and nobody gets a message.

    Raises NotFound for an invitation to another phone.  Refuses `invitation_accepted` after it was accepted.
    """
    require_oneself(by)
    account = session.get_one(Account, by.account_id)
    invitation = session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None or account.phone_index is None or invitation.phone_index != account.phone_index:
        raise NotFound()
    if invitation.accepted_at is not None:
        raise Refused("invitation_accepted")
    if invitation.expires_at <= now:
        return False
    invitation.expires_at = invitation.declined_at = now
    session.flush()
    audit.record(session, "decline_invitation", "child", invitation.child_id, by=by, now=now)
    inviter = session.get_one(Guardian, invitation.invited_by)
    key = f"invitation_declined:{invitation.id}:{now.isoformat()}"
    outbox.tell(
        session, "invitation_declined", account_id=inviter.account_id, key=key, now=now, child_id=invitation.child_id
    )
    return True


def withdraw(session: Session, child_id: uuid.UUID, invitation_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """End an open invitation to a guardian's own child: a mistyped number belongs to a stranger.  Twice changes nothing.

    Raises NotFound for another child's invitation, and for one that an official's decision made.  Refuses
    `invitation_taken_up` after it was accepted.
    """
    require_oneself(by)
    child = children.own_child(session, child_id, by=by)
    invitation = session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None or invitation.child_id != child.id or invitation.case_id is not None:
        raise NotFound()
    if invitation.accepted_at is not None:
        raise Refused("invitation_taken_up")
    if invitation.expires_at <= now:
        return
    invitation.expires_at = now
    session.flush()
    audit.record(session, "withdraw_invitation", "child", child.id, by=by, now=now)


def withdraw_of(session: Session, guardian: Guardian, child_id: uuid.UUID, *, now: dt.datetime) -> None:
    """End the open invitations for this child that a removed guardian made or received."""
    account = session.get_one(Account, guardian.account_id)
    open_ = select(Invitation).where(Invitation.child_id == child_id, Invitation.accepted_at.is_(None))
    for invitation in session.scalars(open_.with_for_update()):
        if invitation.invited_by == guardian.id or invitation.phone_index == account.phone_index:
            invitation.expires_at = now
    session.flush()


def own_invitations(session: Session, *, by: Actor, now: dt.datetime) -> list[Invitation]:
    """The open invitations to the signed-in person's phone; none for a helper."""
    if by.on_behalf:
        return []
    account = session.get_one(Account, by.account_id)
    if account.phone_index is None:
        return []
    mine = (each for each in UNANSWERED.of(session, account.phone_index) if each.expires_at > now)
    return sorted(mine, key=lambda each: each.made_at)


def open_invitations(session: Session, child_id: uuid.UUID, *, now: dt.datetime) -> list[Invitation]:
    """Open invitations for this child."""
    waiting = select(Invitation).where(
        Invitation.child_id == child_id, Invitation.accepted_at.is_(None), Invitation.expires_at > now
    )
    return list(session.scalars(waiting.order_by(Invitation.made_at)))


def accept(session: Session, invitation_id: uuid.UUID, *, relation: str, by: Actor, now: dt.datetime) -> Guardianship:
    """Become a guardian of the child.  Accepting twice changes nothing.

    Raises NotFound for an invitation to another phone.  Refuses `invitation_expired`, `enough_guardians`,
    `guardian_first` and `relation_missing`.
    """
    require_oneself(by)
    account = session.get_one(Account, by.account_id)
    mine = guardians.lock_guardian(session, by=by)
    invitation = session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None or account.phone_index is None or invitation.phone_index != account.phone_index:
        raise NotFound()
    guardian = mine or guardians.require_guardian(session, by=by)
    there = session.get(Guardianship, (guardian.id, invitation.child_id))
    if there is not None and there.accepted_at is not None:
        return there
    if invitation.expires_at <= now:
        raise Refused("invitation_expired")
    if relation not in RELATIONS:
        raise Refused("relation_missing", field="relation")
    session.execute(
        select(Child.id).where(Child.id == invitation.child_id).with_for_update(key_share=True)
    )  # serializes acceptances
    if _count_accepted(session, invitation.child_id) >= (MOST_BY_CASE if invitation.case_id else MOST_GUARDIANS):
        raise Refused("enough_guardians")
    if there is not None and invitation.case_id is None:  # removed by a decision: only a decision can undo it
        raise Refused("invitation_expired")
    invitation.accepted_at = now
    shared = there or Guardianship(guardian_id=guardian.id, child_id=invitation.child_id)
    shared.relation, shared.since, shared.accepted_at, shared.removed_at = relation, now, now, None
    session.add(shared)
    session.flush()
    audit.record(session, "accept_invitation", "child", invitation.child_id, by=by, now=now)
    return shared


def _count_accepted(session: Session, child_id: uuid.UUID) -> int:
    of_child = select(func.count()).where(Guardianship.child_id == child_id, Guardianship.accepted_at.is_not(None))
    return session.scalar(of_child) or 0


def _open_invitation(session: Session, child_id: uuid.UUID, index: bytes) -> Invitation | None:
    waiting = select(Invitation).where(
        Invitation.child_id == child_id, Invitation.phone_index == index, Invitation.accepted_at.is_(None)
    )
    return session.scalars(waiting.with_for_update()).one_or_none()
