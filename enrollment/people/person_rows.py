"""The tables of guardians, children and guardianships.  Their functions are in `guardians.py` and `children.py`."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.phones import SealedPhone
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.values import Sealed, SealedDate

RESIDENT, BIRTH_CERTIFICATE = "resident", "birth_certificate"
ID_KINDS = (
    RESIDENT,
    BIRTH_CERTIFICATE,
    "hk_macau_residence",
    "taiwan_residence",
    "hk_macau_permit",
    "taiwan_permit",
    "foreign_residence",
    "passport",
)
GUARDIAN_ID_KINDS = tuple(kind for kind in ID_KINDS if kind != BIRTH_CERTIFICATE)
RELATIONS = ("father", "mother", "grandparent", "other")
PARENTS = ("father", "mother")

FOLLOW_THE_GUARDIAN: list[tuple[InstrumentedAttribute[Any], ...]] = []
"""Columns with the account of a guardian that follow the person who closed an account and is back in another one: those of a
table together, each beside its table, which may be of a higher package.  A table's rows have an `id`."""


class EnteredBefore(StrEnum):
    """The family's answer: was the child entered with another document before?"""

    NO = "no"
    YES = "yes"


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
    """A child, identified by its rows in `child_document`; `id_kind`, `id_number`, `id_index` copy the current document.

    `id_index` is the row's own id if it has no document, because its documents were moved to another row of the same
    child.
    """

    __tablename__ = "child"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(Sealed("child.name"))
    id_kind: Mapped[str]
    id_number: Mapped[str] = mapped_column(Sealed("child.id_number"))
    id_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    born: Mapped[dt.date] = mapped_column(SealedDate("child.born"))
    sex: Mapped[str]
    created_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)

    guardians: Mapped[list["Guardianship"]] = relationship(back_populates="child", lazy="selectin")

    __table_args__ = (CheckConstraint("sex IN ('f','m')", name="known_sex"),)

    @property
    def is_joined(self) -> bool:
        """Whether its documents were moved to another row of the same child; this row then gets no new applications."""
        return self.id_index == self.id.bytes


class ChildLikeness(Base):
    """Blind indexes of a child's name with birth date and sex: by its characters, by its sound in pinyin, by its characters
    in any order, and by its characters with the month of birth instead of the day.

    They find children who may be the same (`duplicates.find`).  A child whose documents were moved has no row.
    """

    __tablename__ = "child_likeness"

    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), primary_key=True)
    name_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    sound_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    month_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    letters_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    """The last two are None in rows from before they were kept; `flask keys reindex` writes them."""


class ChildDocument(Base):
    """A document of a child.  `person_index` is the blind index of the person's part of its number.  It is unique, so two
    accounts that enter the same person get the same child.

    One document of a child is `current`: it identifies the child.  `entered_before` is the family's answer to the question
    whether the child was entered with another document (`EnteredBefore`); None before the answer.  `checked_at` is None
    while a clerk still has to check a document that was added after the freeze; until then it is not current.
    `joined_from` is the child row under which another family entered the document, if two people decided that both rows are
    one child; the document is then not shown to the family.
    """

    __tablename__ = "child_document"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), index=True)
    kind: Mapped[str]
    # same encryption purpose as the column of `Child`: a migration copied the encrypted numbers from there
    number: Mapped[str] = mapped_column(Sealed("child.id_number"))
    person_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    added_at: Mapped[dt.datetime]
    added_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    current: Mapped[bool]
    replaced_at: Mapped[dt.datetime | None]
    entered_before: Mapped[str | None]
    checked_at: Mapped[dt.datetime | None]
    joined_from: Mapped[uuid.UUID | None]
    checked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (
        CheckConstraint("entered_before IN ('no','yes')", name="known_answer"),
        Index("uq_child_document__one_current", "child_id", unique=True, postgresql_where=text("current")),
        Index("ix_child_document__unchecked", "added_at", postgresql_where=text("checked_at IS NULL")),
    )


class Guardianship(Base):
    """A guardian of a child.  The first guardian enters the child and may invite a second.

    The row of a guardian who was removed by a decision stays with `accepted_at` None, and gives no access.
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


GUARDIANS = Read(Guardian, Guardian.account_id)
"""The guardian of an account."""

GUARDIANS_OF_CHILDREN = Read(Guardian, Guardian.id, unread=(Guardian.name, Guardian.phone, Guardian.id_number))
"""Guardians by id, without what only they themselves may read."""

CARE = Read(Guardianship, Guardianship.guardian_id, (Guardianship.accepted_at.is_not(None),))
"""The children in the care of a guardian."""

CARERS = Read(Guardianship, Guardianship.child_id, (Guardianship.accepted_at.is_not(None),))
"""The accepted guardians of a child."""

CHILDREN = Read(Child, Child.id)

DOCUMENTS = Read(ChildDocument, ChildDocument.child_id, unread=(ChildDocument.number,))
"""The documents of a child."""
