"""Guardians and children, and which child is whose."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground import audit, identity
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.vault import Sealed
from enrollment.people import consents

YOUNGEST_GUARDIAN = 16
LONGEST_NAME = 40
ID_KINDS = (
    "resident",
    "hk_macau_residence",
    "taiwan_residence",
    "hk_macau_permit",
    "taiwan_permit",
    "foreign_residence",
    "passport",
)
RELATIONS = ("father", "mother", "grandparent", "other")


class Guardian(Base):
    """A guardian is a person with an account."""

    __tablename__ = "guardian"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), unique=True)
    name: Mapped[str] = mapped_column(Sealed("guardian.name"))
    phone: Mapped[str] = mapped_column(Sealed("guardian.phone"))
    id_kind: Mapped[str | None]
    id_number: Mapped[str | None] = mapped_column(Sealed("guardian.id_number"))
    id_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)


class Child(Base):
    """A child is known by its identity number, once in the whole system."""

    __tablename__ = "child"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(Sealed("child.name"))
    id_kind: Mapped[str]
    id_number: Mapped[str] = mapped_column(Sealed("child.id_number"))
    id_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    born: Mapped[dt.date]
    sex: Mapped[str]
    created_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)

    guardians: Mapped[list["Guardianship"]] = relationship(back_populates="child", lazy="selectin")

    __table_args__ = (CheckConstraint("sex IN ('f','m')", name="known_sex"),)


class Guardianship(Base):
    """This guardian has the care of this child.  The first one entered the child; a second is invited."""

    __tablename__ = "guardianship"

    guardian_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("guardian.id"), primary_key=True)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), primary_key=True, index=True)
    relation: Mapped[str]
    since: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]

    guardian: Mapped[Guardian] = relationship(lazy="joined")
    child: Mapped[Child] = relationship(back_populates="guardians")


class Invitation(Base):
    """A guardian invites the other one, by a phone number, to share a child's application."""

    __tablename__ = "invitation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"))
    invited_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("guardian.id"))
    phone_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    made_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]

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


def guardian_of(session: Session, *, by: Actor) -> Guardian | None:
    """The guardian behind the account, or None before the guardian's page was saved."""
    return session.scalars(select(Guardian).where(Guardian.account_id == by.account_id)).one_or_none()


def lock_guardian(session: Session, *, by: Actor) -> Guardian | None:
    """The guardian, locked before any of the family's applications, so that two acts of one person take turns."""
    mine = select(Guardian).where(Guardian.account_id == by.account_id).with_for_update()
    return session.scalars(mine.execution_options(populate_existing=True)).one_or_none()


def require_guardian(session: Session, *, by: Actor) -> Guardian:
    """The guardian, locked, so that two of a person's children entered at once come one after the other."""
    guardian = lock_guardian(session, by=by)
    if guardian is None:
        raise Refused("guardian_first")
    return guardian


def become_guardian(
    session: Session,
    *,
    name: str,
    id_kind: str,
    id_number: str,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> Guardian:
    """Say, or correct, who the signed-in person is.  The phone is the one that the person signs in with."""
    found = identity.check(id_kind, id_number, today=today(now))
    if found.born and _age(found.born, today(now)) < YOUNGEST_GUARDIAN:
        raise Refused("guardian_too_young", field="id_number")
    account = session.get_one(Account, by.account_id)
    guardian = lock_guardian(session, by=by)
    if guardian is not None and version not in (None, guardian.version):
        raise Stale()
    index = identity.index_of(found.number)
    holder = session.scalar(select(Guardian.account_id).where(Guardian.id_index == index))
    if holder not in (None, account.id):
        raise Refused("guardian_known_elsewhere", field="id_number")
    values: dict[str, Any] = {"name": _name(name), "id_kind": found.kind, "id_number": found.number, "id_index": index}
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


def add_child(
    session: Session,
    *,
    name: str,
    id_kind: str,
    id_number: str,
    relation: str,
    born: dt.date | None = None,
    sex: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> Child:
    """Store a child, and that the signed-in guardian entered it.  The same child entered again is the same child.

    Needs the guardian's consent.  A child that another guardian entered is refused with `child_already_entered`,
    which tells nothing about it; the way on is an invitation or a dispute case.
    """
    consents.require(session, consents.CHILD_DATA, by=by)
    guardian = require_guardian(session, by=by)
    values = child_values(name, id_kind, id_number, born, sex, today(now))
    if relation not in RELATIONS:
        raise Refused("relation_missing", field="relation")
    written = insert(Child).values(id=uuid.uuid4(), created_at=now, version=1, **values)
    child_id = session.scalar(written.on_conflict_do_nothing(index_elements=["id_index"]).returning(Child.id))
    if child_id is None:
        known = session.scalars(select(Child).where(Child.id_index == values["id_index"])).one()
        if not has_care(session, known.id, by=by):
            raise Refused("child_already_entered", field="id_number")
        return known
    session.add(Guardianship(guardian_id=guardian.id, child_id=child_id, relation=relation, since=now, accepted_at=now))
    session.flush()
    audit.record(session, "enter_child", "child", child_id, by=by, now=now)
    return session.get_one(Child, child_id)


def child_values(name: str, id_kind: str, id_number: str, born: dt.date | None, sex: str | None, on: dt.date) -> dict:
    """The columns of a child.  A number that tells birth date and sex wins over what was typed beside it."""
    found = identity.check(id_kind, id_number, today=on)
    born, sex = found.born or born, found.sex or sex
    if born is None:
        raise Refused("born_missing", field="born")
    if born > on:
        raise Refused("born_in_future", field="born")
    if sex not in ("f", "m"):
        raise Refused("sex_missing", field="sex")
    return {
        "name": _name(name),
        "id_kind": found.kind,
        "id_number": found.number,
        "id_index": identity.index_of(found.number),
        "born": born,
        "sex": sex,
    }


def has_care(session: Session, child_id: uuid.UUID, *, by: Actor) -> bool:
    """Whether the signed-in person is an accepted guardian of the child."""
    return session.scalar(select(_care(by).where(Guardianship.child_id == child_id).exists())) or False


def own_child(session: Session, child_id: uuid.UUID, *, by: Actor) -> Child:
    """A child of the signed-in guardian.  Raises NotFound for anybody else's."""
    if not has_care(session, child_id, by=by):
        raise NotFound()
    return session.get_one(Child, child_id)


def accounts_of(session: Session, child_id: uuid.UUID) -> list[uuid.UUID]:
    """The accounts of the child's accepted guardians: who may be told about the child."""
    of_child = (
        select(Guardian.account_id)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .where(Guardianship.child_id == child_id, Guardianship.accepted_at.is_not(None))
    )
    return list(session.scalars(of_child.order_by(Guardianship.since)))


def _care(by: Actor):
    return (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == by.account_id, Guardianship.accepted_at.is_not(None))
    )


def _name(typed: str) -> str:
    name = " ".join((typed or "").split())
    if not name:
        raise Refused("name_missing", field="name")
    if len(name) > LONGEST_NAME or any(character.isdigit() for character in name):
        raise Refused("name_odd", field="name", n=LONGEST_NAME)
    return name


def _age(born: dt.date, on: dt.date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
