"""Kindergartens and their sites.  A site that admits by itself is a row with a parent."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, Select, exists, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound
from enrollment.places.areas import NATURES, Area
from enrollment.places.pinyin import sort_key


class Kindergarten(Base):
    """`code` is the school identification code 学校标识码; `sort_key` is the name in pinyin; `fee` is yuan a month."""

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
    licensed_classes: Mapped[int] = mapped_column(default=0)
    closed_on: Mapped[dt.date | None]

    area: Mapped[Area] = relationship(lazy="joined")
    parent: Mapped["Kindergarten | None"] = relationship(remote_side=[id])

    __table_args__ = (
        CheckConstraint("nature IN ('" + "','".join(NATURES) + "')", name="known_nature"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
        CheckConstraint("licensed_classes >= 0", name="licensed_classes_not_negative"),
        Index("ix_kindergarten__sort_key", "sort_key"),
    )


@dataclass(frozen=True)
class Found:
    """One page of a list: `number` counts from 1, `last` is the number of pages (at least 1)."""

    items: list
    number: int
    last: int
    total: int

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


def page_of(session: Session, query: Select, page: int, per_page: int) -> Found:
    """The wanted page of a query; a page beyond the end gives the last one."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    last = max(-(-total // per_page), 1)
    number = min(max(page, 1), last)
    rows = session.scalars(query.offset((number - 1) * per_page).limit(per_page)).unique().all()
    return Found(items=list(rows), number=number, last=last, total=total)


def by_id(session: Session, kindergarten_id: uuid.UUID) -> Kindergarten:
    """A kindergarten as everybody may see it.  NotFound when there is none."""
    kindergarten = session.get(Kindergarten, kindergarten_id)
    if kindergarten is None:
        raise NotFound
    return kindergarten


def by_code(session: Session, code: str) -> Kindergarten | None:
    return session.scalars(select(Kindergarten).where(Kindergarten.code == code)).one_or_none()


def search(
    session: Session,
    words: str | None = None,
    area: str | None = None,
    nature: str | None = None,
    level: str | None = None,
    year: int | None = None,
    page: int = 1,
    per_page: int = 20,
) -> Found:
    """Open kindergartens in the order of their pinyin.

    `words` are parts of the name, street, address or code, or the name in pinyin, whole or by first letters; all must
    match.  With `level` or `year` only those with an approved programme of it are found.
    """
    query = select(Kindergarten).where(Kindergarten.closed_on.is_(None))
    for word in (words or "").split():
        query = query.where(matches(word))
    if area:
        query = query.where(Kindergarten.area_code == area)
    if nature:
        query = query.where(Kindergarten.nature == nature)
    if level or year:
        query = query.where(_offers(level, year))
    return page_of(session, query.order_by(Kindergarten.sort_key, Kindergarten.code), page, per_page)


def matches(word: str):
    parts = [Kindergarten.name, Kindergarten.street, Kindergarten.address, Kindergarten.code]
    match = [part.icontains(word, autoescape=True) for part in parts]
    letters = word.casefold()
    if letters.isascii() and letters.isalnum():
        together = func.replace(Kindergarten.sort_key, " ", "")
        initials = func.regexp_replace(Kindergarten.sort_key, r"(\w)\w*\s*", r"\1", "g")
        match += [together.contains(letters), initials.contains(letters)]
    return or_(*match)


def _offers(level: str | None, year: int | None):
    from enrollment.places.programmes import Programme

    offered = exists().where(Programme.kindergarten_id == Kindergarten.id, Programme.state == "approved")
    if level:
        offered = offered.where(Programme.level == level)
    if year:
        offered = offered.where(Programme.year == year)
    return offered


def add(session: Session, *, code: str, name: str, nature: str, area_code: str, **more) -> Kindergarten:
    """A new kindergarten; `more` are other columns.  Its sort key follows from its name."""
    kindergarten = Kindergarten(
        code=code, name=name, nature=nature, area_code=area_code, sort_key=sort_key(name), **more
    )
    session.add(kindergarten)
    session.flush()
    return kindergarten
