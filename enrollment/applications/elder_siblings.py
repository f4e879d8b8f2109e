"""The elder sibling at a kindergarten that a family names: a child who may have no entry in this portal.

It is looked up in our own roll (`review/roll_register`).  Only the clerk sees whether the roll has such a child, because a
family could name any child of the city.
"""

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import identity
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.values import Sealed
from enrollment.ground.vault import normalise

LONGEST_NAME = 120
OLDEST = 12  # years; an older child is in no kindergarten

EIGHTEEN = re.compile(r"\d{17}[\dX]")
OTHER_NUMBER = re.compile(r"[A-Z0-9]{5,18}")
KIND_OF_REGION = {"81": "hk_macau_residence", "82": "hk_macau_residence", "83": "taiwan_residence"}


class ElderSibling(Base):
    """One row for an application that claims the ground; `born` is an ISO date.  It has a number or a birth date."""

    __tablename__ = "elder_sibling"

    application_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(Sealed("elder_sibling.name"))
    id_number: Mapped[str | None] = mapped_column(Sealed("elder_sibling.id_number"))
    id_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    born: Mapped[str | None] = mapped_column(Sealed("elder_sibling.born"))

    __table_args__ = (
        CheckConstraint("(id_number IS NULL) = (id_index IS NULL)", name="number_with_its_index"),
        CheckConstraint("id_number IS NOT NULL OR born IS NOT NULL", name="number_or_birth_date"),
    )


ELDERS = Read(ElderSibling, ElderSibling.application_id)
"""The elder sibling that an application names."""


@dataclass(frozen=True)
class Elder:
    """The elder sibling as entered in the form; `born` is None if the number contains it or it is unknown."""

    name: str = ""
    id_number: str = ""
    born: dt.date | None = None

    def __bool__(self) -> bool:
        return bool(self.name.strip() or self.id_number.strip() or self.born)


def of(session: Session, application_id: uuid.UUID) -> ElderSibling | None:
    """The elder sibling that the application names, or None."""
    return ELDERS.one(session, application_id)


def keep(
    session: Session, application_id: uuid.UUID, elder: Elder | None, *, child_number: str, today: dt.date
) -> None:
    """Store the elder sibling that the application names; None deletes it.  Refuses what `checked` refuses."""
    row = session.get(ElderSibling, application_id)
    if elder is None:
        if row is not None:
            session.delete(row)
        return
    values = checked(elder, child_number=child_number, today=today)
    row = row or ElderSibling(application_id=application_id)
    for column, value in values.items():
        setattr(row, column, value)
    session.add(row)


def checked(elder: Elder, *, child_number: str, today: dt.date) -> dict[str, Any]:
    """The columns of the elder sibling.

    Refuses `elder_name_missing`, `elder_number_or_birth`, `elder_is_the_child`, `elder_born_odd` and what is wrong with a
    number, next to their fields.
    """
    name = " ".join(elder.name.split())[:LONGEST_NAME]
    if not name:
        raise Refused("elder_name_missing", field="elder_name")
    number, born = _number(elder.id_number, today), elder.born
    if number is None and born is None:
        raise Refused("elder_number_or_birth", field="elder_number")
    if number is not None and number == normalise(child_number):
        raise Refused("elder_is_the_child", field="elder_number")
    if born is not None and not today.year - OLDEST <= born.year <= today.year:
        raise Refused("elder_born_odd", field="elder_born")
    index = identity.index_of(number) if number else None
    return {"name": name, "id_number": number, "id_index": index, "born": born.isoformat() if born else None}


def _number(typed: str, today: dt.date) -> str | None:
    """The normalised number.  Eighteen characters are fully checked; for other numbers only the form, their kind is unknown."""
    number = normalise(typed).replace("-", "")
    if not number:
        return None
    if EIGHTEEN.fullmatch(number):
        kind = "foreign_residence" if number[0] == "9" else KIND_OF_REGION.get(number[:2], "resident")
        return identity.check(kind, number, today=today, field="elder_number").number
    if not OTHER_NUMBER.fullmatch(number):
        raise Refused("id_form", field="elder_number")
    return number
