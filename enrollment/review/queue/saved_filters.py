"""Filters of the queue that a clerk saved under a name, for nobody but the clerk."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.review.queue.filters import Filter, Group, codes_of

LONGEST_NAME = 20
MOST = 12


class SavedFilter(Base):
    """`query` has the codes of the filter: `group`, `ground`, `level`, `mine`; never a name or what was searched for."""

    __tablename__ = "saved_filter"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(JSONB)
    saved_at: Mapped[dt.datetime]

    __table_args__ = (UniqueConstraint("account_id", "name", name="uq_saved_filter__name"),)


def of(session: Session, *, by: Actor) -> list[SavedFilter]:
    """The filters of this person by name."""
    mine = select(SavedFilter).where(SavedFilter.account_id == by.account_id)
    return list(session.scalars(mine.order_by(SavedFilter.name)))


def save(
    session: Session, name: str, limited: Filter, *, group: Group | None = None, by: Actor, now: dt.datetime
) -> SavedFilter:
    """Save a filter; one of the same name is replaced.  Refuses `filter_name_needed`, `filter_limits_nothing`,
    `too_many_filters`."""
    name = name.strip()[:LONGEST_NAME]
    if not name:
        raise Refused("filter_name_needed", field="name")
    query = codes_of(limited, group)
    if not query:
        raise Refused("filter_limits_nothing", field="name")
    mine = select(SavedFilter).where(SavedFilter.account_id == by.account_id)
    saved = session.scalars(mine.where(SavedFilter.name == name)).first()
    if saved is None:
        number = session.scalar(select(func.count()).select_from(mine.subquery())) or 0
        if number >= MOST:
            raise Refused("too_many_filters", field="name", most=MOST)
        saved = SavedFilter(account_id=by.account_id, name=name)
        session.add(saved)
    saved.query, saved.saved_at = query, now
    session.flush()
    return saved


def forget(session: Session, filter_id: uuid.UUID, *, by: Actor) -> None:
    """Delete a filter of this person."""
    saved = session.get(SavedFilter, filter_id)
    if saved is None or saved.account_id != by.account_id:
        raise NotFound("saved_filter")
    session.delete(saved)
    session.flush()
