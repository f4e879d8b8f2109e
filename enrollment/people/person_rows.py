"""Guardians, children and guardianships: the rows.  `guardians.py` and `children.py` hold their functions."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.phones import SealedPhone
from enrollment.ground.vault import Sealed

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
    phone: Mapped[str] = mapped_column(SealedPhone("guardian.phone"))
    id_kind: Mapped[str | None]
    id_number: Mapped[str | None] = mapped_column(Sealed("guardian.id_number"))
    id_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)


class Child(Base):
    """A child, identified by its identity number; one row in the whole system."""

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
    """A guardian of a child.  The first guardian enters the child and may invite a second.

    A guardian who was removed by a decision keeps the row, without `accepted_at`: it gives access to nothing.
    """

    __tablename__ = "guardianship"

    guardian_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("guardian.id"), primary_key=True)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), primary_key=True, index=True)
    relation: Mapped[str]
    since: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    removed_at: Mapped[dt.datetime | None]

    guardian: Mapped[Guardian] = relationship(lazy="joined")
    child: Mapped[Child] = relationship(back_populates="guardians")
