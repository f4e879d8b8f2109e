"""Guardians: the person behind a family's account."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from enrollment.ground import audit, identity
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused, Stale
from enrollment.people.person_rows import GUARDIAN_ID_KINDS, GUARDIANS, Guardian, Guardianship

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
