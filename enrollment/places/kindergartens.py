"""Kindergartens and their sites.  A site that admits by itself is a row with a parent."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, Numeric, Select, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound
from enrollment.ground.reading.read_ahead import Read
from enrollment.places.areas import NATURES, Area


class Kindergarten(Base):
    """`code` is the school identification code 学校标识码; `sort_key` is the name in pinyin; `fee` is yuan a month.  An unknown
    licence (`licensed_classes`) is None.
    """

    __tablename__ = "kindergarten"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    code: Mapped[str] = mapped_column(unique=True)
    credit_code: Mapped[str | None]
    name: Mapped[str]
    sort_key: Mapped[str]
    nature: Mapped[str]
    run_by: Mapped[str | None]
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), index=True)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    attached: Mapped[bool] = mapped_column(default=False)
    street: Mapped[str | None]
    address: Mapped[str | None]
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 6))
    phone: Mapped[str | None]
    fee: Mapped[int | None]
    licensed_classes: Mapped[int | None]
    closed_on: Mapped[dt.date | None]

    area: Mapped[Area] = relationship(lazy="joined")
    parent: Mapped["Kindergarten | None"] = relationship(remote_side=[id])

    __table_args__ = (
        CheckConstraint("nature IN ('" + "','".join(NATURES) + "')", name="known_nature"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
        CheckConstraint("licensed_classes >= 0", name="licensed_classes_not_negative"),
        Index("ix_kindergarten__sort_key", "sort_key"),
    )

    def admits_in(self, year: int) -> bool:
        """Whether it is still open on the day on which the care of an admission year begins.  One that is not gets no new
        child of that year, whatever was approved or opened before; whoever holds a place there keeps it until it is decided.
        """
        return self.closed_on is None or self.closed_on > care_begins(year)


KINDERGARTENS = Read(Kindergarten, Kindergarten.id)


def care_begins(year: int) -> dt.date:
    """The day on which the children of an admission year begin."""
    return dt.date(year, 9, 1)


def admits_in(year: Any, of: type[Kindergarten] = Kindergarten) -> ColumnElement[bool]:
    """`Kindergarten.admits_in` as a condition; `year` is a number or a column, `of` the table or an alias.  `ADMITS` is the
    same for statements written as text."""
    return or_(of.closed_on.is_(None), of.closed_on > func.make_date(year, 9, 1))


ADMITS = "(kindergarten.closed_on IS NULL OR kindergarten.closed_on > make_date(programme.year, 9, 1))"


@dataclass(frozen=True)
class Page:
    """One page of a list: `number` counts from 1, `last` is the number of pages (at least 1)."""

    items: list
    number: int
    last: int
    total: int

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


def paginate(session: Session, query: Select, page: int, per_page: int) -> Page:
    """One page of a query; a number beyond the end gives the last page."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    last = max(-(-total // per_page), 1)
    number = min(max(page, 1), last)
    rows = session.scalars(query.offset((number - 1) * per_page).limit(per_page)).unique().all()
    return Page(items=list(rows), number=number, last=last, total=total)


def paginate_rows(session: Session, query: Select, page: int, per_page: int) -> Page:
    """The same for a query of several columns or entities."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    last = max(-(-total // per_page), 1)
    number = min(max(page, 1), last)
    rows = session.execute(query.offset((number - 1) * per_page).limit(per_page)).all()
    return Page(items=list(rows), number=number, last=last, total=total)


def page_of_list(items: Sequence, page: int, per_page: int) -> Page:
    """One page of a list that is in memory anyway."""
    last = max(-(-len(items) // per_page), 1)
    number = min(max(page, 1), last)
    return Page(list(items[(number - 1) * per_page : number * per_page]), number, last, len(items))


def by_id(session: Session, kindergarten_id: uuid.UUID) -> Kindergarten:
    """A kindergarten by id, without a scope.  Raises NotFound."""
    kindergarten = session.get(Kindergarten, kindergarten_id)
    if kindergarten is None:
        raise NotFound
    return kindergarten


def by_code(session: Session, code: str) -> Kindergarten | None:
    return session.scalars(select(Kindergarten).where(Kindergarten.code == code)).one_or_none()


def of_exact_name(session: Session, typed: str) -> list[Kindergarten]:
    """The open kindergartens with exactly this name or code."""
    exact = or_(Kindergarten.name == typed, Kindergarten.code == typed)
    return list(session.scalars(select(Kindergarten).where(exact, Kindergarten.closed_on.is_(None))))
