"""Maintenance permits: the only exception to the triggers of append-only tables (ADR 14).

A permit is an append-only row of the table `upkeep`.  It is valid only in the transaction that inserts it, for one kind
of rows: those of a season, those older than ten years, the oldest audit entries, or sealed answers that get a new key.
`migrations/versions/sql/0001_ground/upkeep_of_now.sql` checks it.  The database sets the time of a permit from its own clock
(`permit_clock()`), and writes each permit into the audit trail.
"""

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, LargeBinary, func, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base

KINDS = ("season", "decade", "audit", "reseal")


class MaintenancePermit(Base):
    """A trigger fills `at`, `transaction` and `began`.  `audit_link` is the last deleted link of the audit chain, with its digest."""

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


def grant_permit(session: Session, kind: str, **where) -> None:
    """Permit changes until the end of this transaction.  The table refuses a season that ended less than a year ago."""
    session.execute(insert(MaintenancePermit).values(kind=kind, at=func.permit_clock(), **where))
