"""One guardian invites the other to share a child's application, by phone number."""

import datetime as dt
import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit, outbox
from enrollment.ground.accounts import Account, Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.vault import blind_index, normalised
from enrollment.people import guardians
from enrollment.people.guardians import RELATIONS, Child, Guardianship, Invitation

LIFE = dt.timedelta(days=14)
MOST_GUARDIANS = 2
PHONE_PURPOSE = "phone"


def invite(session: Session, child_id: uuid.UUID, phone: str, *, by: Actor, now: dt.datetime) -> Invitation:
    """Invite the holder of a phone to share the care of a child here.  Twice the same is one invitation.

    The answer is the same whether or not the phone is known.  Refuses `phone_form`, `own_phone`, `enough_guardians`.
    """
    require_oneself(by)
    child = guardians.own_child(session, child_id, by=by)
    guardian = guardians.require_guardian(session, by=by)
    number = normalised(phone)
    if len(number) != 11 or not number.isdigit() or number[0] != "1":
        raise Refused("phone_form", field="phone")
    index = blind_index(number, PHONE_PURPOSE)
    account = session.get_one(Account, by.account_id)
    if index == account.phone_index:
        raise Refused("own_phone", field="phone")
    if _accepted(session, child.id) >= MOST_GUARDIANS:
        raise Refused("enough_guardians", field="phone")
    earlier = _open(session, child.id, index)
    if earlier is not None:
        earlier.expires_at = now + LIFE
        return earlier
    made = Invitation(child_id=child.id, invited_by=guardian.id, phone_index=index, made_at=now, expires_at=now + LIFE)
    session.add(made)
    session.flush()
    audit.record(session, "invite", "child", child.id, by=by, now=now)
    invited = session.scalar(select(Account.id).where(Account.phone_index == index))
    if invited is not None:
        outbox.tell(session, "invited", account_id=invited, key=f"invited:{made.id}", now=now)
    return made


def for_me(session: Session, *, by: Actor, now: dt.datetime) -> list[Invitation]:
    """The open invitations to the signed-in person's phone.  They are no business of a helper."""
    if by.on_behalf:
        return []
    account = session.get_one(Account, by.account_id)
    if account.phone_index is None:
        return []
    mine = select(Invitation).where(
        Invitation.phone_index == account.phone_index, Invitation.accepted_at.is_(None), Invitation.expires_at > now
    )
    return list(session.scalars(mine.order_by(Invitation.made_at)))


def open_for(session: Session, child_id: uuid.UUID, *, now: dt.datetime) -> list[Invitation]:
    """Invitations to share this child that nobody has accepted yet."""
    waiting = select(Invitation).where(
        Invitation.child_id == child_id, Invitation.accepted_at.is_(None), Invitation.expires_at > now
    )
    return list(session.scalars(waiting.order_by(Invitation.made_at)))


def accept(session: Session, invitation_id: uuid.UUID, *, relation: str, by: Actor, now: dt.datetime) -> Guardianship:
    """Share the care of the child here.  Accepting twice changes nothing.

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
    session.execute(select(Child.id).where(Child.id == invitation.child_id).with_for_update())  # one after the other
    if _accepted(session, invitation.child_id) >= MOST_GUARDIANS:
        raise Refused("enough_guardians")
    invitation.accepted_at = now
    shared = Guardianship(
        guardian_id=guardian.id, child_id=invitation.child_id, relation=relation, since=now, accepted_at=now
    )
    session.add(shared)
    session.flush()
    audit.record(session, "accept_invitation", "child", invitation.child_id, by=by, now=now)
    return shared


def _accepted(session: Session, child_id: uuid.UUID) -> int:
    of_child = select(func.count()).where(Guardianship.child_id == child_id, Guardianship.accepted_at.is_not(None))
    return session.scalar(of_child) or 0


def _open(session: Session, child_id: uuid.UUID, index: bytes) -> Invitation | None:
    waiting = select(Invitation).where(
        Invitation.child_id == child_id, Invitation.phone_index == index, Invitation.accepted_at.is_(None)
    )
    return session.scalars(waiting.with_for_update()).one_or_none()
