"""Who of an area confirmed that its roll is complete, when, and with how many children.

The two shares count what kindergartens entered.  An official of the area says that nothing is missing; what changes
afterwards is shown beside it, so that nobody takes an old word for a new figure.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.coverage import shares
from enrollment.coverage.indicator import Definition
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, Role
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.places.areas import Area


class RollConfirmation(Base):
    """Confirmations are only ever added; the newest one counts.  `children` are those that the shares counted, by the usual
    definition; `oldest` and `newest` the days of the kindergartens' rolls."""

    __tablename__ = "roll_confirmation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"))
    children: Mapped[int]
    oldest: Mapped[dt.date]
    newest: Mapped[dt.date]
    confirmed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    confirmed_at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint("children > 0", name="some_children"),
        Index("ix_roll_confirmation__of_area", "area_code", "confirmed_at"),
    )


@dataclass(frozen=True)
class Confirmed:
    """The newest word about the roll of an area."""

    name: str
    at: dt.datetime
    children: int

    def holds(self, children: int, on: dt.date) -> bool:
        """Whether it was said today, of as many children as there are."""
        return self.children == children and today(self.at) == on


def may_confirm(area: str, by: Actor) -> bool:
    """Only officials of the area answer for its roll; the city reads it."""
    return by.is_any(Role.AREA_OFFICIAL) and area in by.areas


def confirm(session: Session, area: str, *, seen: int, by: Actor, now: dt.datetime) -> RollConfirmation:
    """Confirm that the roll of the area is complete today.  `seen` is the number of children that the page showed.

    Refuses `roll_missing`, and `roll_moved_on` (with `n` children now) if the number is another one by now.
    """
    if session.get(Area, area) is None or not may_confirm(area, by):
        raise NotFound(area)
    on = today(now)
    figures = shares.city_shares(session, Definition(on), year=on.year)
    children = next(line.now.all for line in figures.areas if line.code == area)
    dates = figures.snapshot.dates.get(area)
    if not children or dates is None:
        raise Refused("roll_missing")
    if children != seen:
        raise Refused("roll_moved_on", n=children)
    made = RollConfirmation(
        area_code=area, children=children, oldest=dates.oldest, newest=dates.newest, confirmed_by=by.account_id,
        confirmed_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(session, "confirm_roll", "roll_confirmation", made.id, by=by, now=now, area=area, children=children)
    return made


def newest(session: Session, on: dt.datetime) -> dict[str, Confirmed]:
    """The newest confirmation of each area up to a moment."""
    found = (
        select(RollConfirmation, Account.name)
        .join(Account, Account.id == RollConfirmation.confirmed_by)
        .where(RollConfirmation.confirmed_at <= on)
        .ext(distinct_on(RollConfirmation.area_code))
        .order_by(RollConfirmation.area_code, RollConfirmation.confirmed_at.desc())
    )
    return {row.area_code: Confirmed(name, row.confirmed_at, row.children) for row, name in session.execute(found)}
