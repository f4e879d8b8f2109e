"""Guardians: the person behind a family's account."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from enrollment.ground import audit, identity
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused, Stale
from enrollment.ground.outbox import Notice
from enrollment.people.person_rows import FOLLOW_THE_GUARDIAN, GUARDIAN_ID_KINDS, GUARDIANS, Guardian, Guardianship

YOUNGEST_GUARDIAN = 16
LONGEST_NAME = 120


def guardian_of(session: Session, *, by: Actor) -> Guardian | None:
    """The guardian of the account; None before the guardian's page was saved."""
    return GUARDIANS.one(session, by.account_id)


def lock_guardian(session: Session, *, by: Actor) -> Guardian | None:
    """The guardian, locked before the family's applications, so that acts of one person are serialized."""
    mine = select(Guardian).where(Guardian.account_id == by.account_id).with_for_update()
    return session.scalars(mine.execution_options(populate_existing=True)).one_or_none()


def require_guardian(session: Session, *, by: Actor) -> Guardian:
    """The guardian, locked.  Refuses `guardian_first` before the guardian's page was saved."""
    guardian = lock_guardian(session, by=by)
    if guardian is None:
        raise Refused("guardian_first")
    return guardian


def save_guardian(
    session: Session,
    *,
    name: str,
    id_kind: str,
    id_number: str,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> Guardian:
    """Store or correct name and identity of the signed-in person.  The phone number is copied from the account.

    Raises Stale for an older `version`.  Refuses `id_kind`, `guardian_too_young`, `guardian_known_elsewhere`, and what
    `identity.check` and `validate_name` refuse.
    """
    if id_kind not in GUARDIAN_ID_KINDS:
        raise Refused("id_kind", field="id_kind")
    found = identity.check(id_kind, id_number, today=today(now))
    if found.born and _age(found.born, today(now)) < YOUNGEST_GUARDIAN:
        raise Refused("guardian_too_young", field="id_number")
    account = session.get_one(Account, by.account_id)
    guardian = lock_guardian(session, by=by)
    if guardian is not None and version not in (None, guardian.version):
        raise Stale()
    holder = session.scalar(select(Guardian.account_id).where(Guardian.id_index == found.index))
    if holder not in (None, account.id):
        guardian = _returned(session, account, holder, by=by, now=now) if guardian is None else None
        if guardian is None:
            raise Refused("guardian_known_elsewhere", field="id_number")
    values: dict[str, Any] = {
        "name": validate_name(name),
        "id_kind": found.kind,
        "id_number": found.number,
        "id_index": found.index,
    }
    if guardian is None:
        guardian = Guardian(account_id=account.id, phone=account.phone or "", created_at=now, **values)
        session.add(guardian)
    else:
        for field, value in values.items():
            setattr(guardian, field, value)
        guardian.version += 1
    account.name = values["name"]
    session.flush()
    audit.record(session, "save_guardian", "guardian", guardian.id, by=by, now=now)
    return guardian


def _returned(session: Session, account: Account, holder: uuid.UUID, *, by: Actor, now: dt.datetime) -> Guardian | None:
    """The guardian who closed the account `holder` and is back in a new one; None for anybody else.

    Phone and identity number together prove it, as for an account from a signed paper: the new account has signed in with the
    number that the closed one had.
    """
    closed = session.get_one(Account, holder, with_for_update={"key_share": True}, populate_existing=True)
    if closed.disabled_at is None or closed.login is not None or by.on_behalf is not None or not account.phone_index:
        return None
    of_closed = select(Guardian).where(Guardian.account_id == holder).with_for_update()
    guardian = session.scalars(of_closed.execution_options(populate_existing=True)).one_or_none()
    if guardian is None or not guardian.phone or guardian.phone != account.phone:
        return None
    guardian.account_id = account.id
    session.flush()
    for columns in ((Notice.account_id,), *FOLLOW_THE_GUARDIAN):
        _follow(session, columns, holder, account.id)
    audit.record(session, "take_over", "account", account.id, by=by, now=now, from_account=str(holder))
    session.flush()
    session.expire_all()
    return lock_guardian(session, by=by)


def _follow(
    session: Session, columns: tuple[InstrumentedAttribute[Any], ...], closed: uuid.UUID, account_id: uuid.UUID
) -> None:
    """What stood in the name of the closed account stands in that of the new one, whose consents count from now on."""
    table = columns[0].class_
    theirs = select(table.id).where(or_(*(column == closed for column in columns)))
    ids = session.scalars(theirs.order_by(table.id).with_for_update(key_share=True)).all()
    for column in columns if ids else ():
        moved = update(table).where(table.id.in_(ids), column == closed).values({column.key: account_id})
        session.execute(moved.execution_options(synchronize_session=False))


def validate_name(typed: str) -> str:
    """The name with single spaces.  Refuses `name_missing`, and `name_odd` if it is too long or contains a digit."""
    name = " ".join((typed or "").split())
    if not name:
        raise Refused("name_missing", field="name")
    if len(name) > LONGEST_NAME or any(character.isdigit() for character in name):
        raise Refused("name_odd", field="name", n=LONGEST_NAME)
    return name


def _age(born: dt.date, on: dt.date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def without_phone(child_id: InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    """SQL condition: no accepted guardian of the child of the enclosing query can get a text message."""
    return ~_with_phone().where(Guardianship.child_id == child_id).exists()


def have_a_phone(session: Session, child_id: uuid.UUID) -> bool:
    """Whether an accepted guardian of the child can get a text message."""
    return session.scalar(_with_phone().where(Guardianship.child_id == child_id).limit(1)) is not None


def _with_phone():
    return (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .join(Account, Account.id == Guardian.account_id)
        .where(Guardianship.accepted_at.is_not(None), Account.phone.is_not(None))
    )
