"""The one door through the rows that never change, and it leaves a row that never changes itself.

What each kind opens is said in `migrations/versions/sql/0001_ground/upkeep_of_now.sql`.  The door is open for the
transaction that writes the row and for no other, so there is no setting to forget, and whoever deletes has said in the same
breath what and as of when.
"""

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base

KINDS = ("season", "decade", "audit", "reseal")


class Upkeep(Base):
    """`transaction` and `began` are written by the table.  `audit_link` is the last link that was cut off, with its digest."""

    __tablename__ = "upkeep"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    at: Mapped[dt.datetime]
    year: Mapped[int | None] = mapped_column(ForeignKey("season.year"))
    audit_link: Mapped[int | None] = mapped_column(BigInteger)
    audit_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    transaction: Mapped[int | None] = mapped_column(BigInteger, index=True)
    began: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        CheckConstraint("(kind = 'season') = (year IS NOT NULL)", name="season_has_a_year"),
        CheckConstraint(
            "(kind = 'audit') = (audit_link IS NOT NULL) AND (kind = 'audit') = (audit_digest IS NOT NULL)",
            name="audit_says_where",
        ),
    )


def open_door(session: Session, kind: str, *, now: dt.datetime, **where) -> None:
    """Open it until the end of this transaction.  The table refuses a season that is not over for a year."""
    session.add(Upkeep(kind=kind, at=now, **where))
    session.flush()
