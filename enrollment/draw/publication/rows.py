"""The rows of a publication: its hour, and what is prepared before it.

Before the hour nothing here is read by a page of a family, of a kindergarten or of the public.  A family's rows of
`prepared_offer` and `prepared_notice` are deleted when they were opened or when the run is set aside; its `prepared_result`
serves its page for the first hour, and is deleted with the next run.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.draw.run_rows import of_placement
from enrollment.ground.db import Base
from enrollment.ground.sealed.codes import KeyedJson
from enrollment.ground.sealed.values import Sealed

NOTICE_CODE = "prepared_offer.notice_code"
"""What the code of a prepared notice is sealed for."""

RESULT = "prepared_result.content"
"""What a prepared result is sealed for."""


class Publication(Base):
    """One row for each run that two people signed; the time in `opened_at` opens its result for everybody.

    `hour` is the announced time.  It changes while it has not passed; the table refuses an opening before it.  `refusal`
    is the code of what stopped the opening, until a new hour is announced.
    """

    __tablename__ = "publication"

    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"), primary_key=True)
    hour: Mapped[dt.datetime]
    signed_at: Mapped[dt.datetime]
    prepared_at: Mapped[dt.datetime | None]
    opened_at: Mapped[dt.datetime | None]
    offers: Mapped[int | None]
    refused_at: Mapped[dt.datetime | None]
    refusal: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("opened_at IS NULL OR opened_at >= hour", name="not_before_the_hour"),
        CheckConstraint("opened_at IS NULL OR prepared_at IS NOT NULL", name="prepared_before_opened"),
        CheckConstraint("(opened_at IS NULL) = (offers IS NULL)", name="opened_with_its_offers"),
        CheckConstraint("(refused_at IS NULL) = (refusal IS NULL)", name="refused_with_a_code"),
        CheckConstraint("opened_at IS NULL OR refused_at IS NULL", name="opened_or_refused"),
    )


class PreparedOffer(Base):
    """An offer that the hour will make, with the code of its notice.  The code is sealed: who reads the table, or a copy of
    it, before the hour cannot write a notice that the public page would find right at the hour."""

    __tablename__ = "prepared_offer"

    run_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    notice_code: Mapped[str] = mapped_column(Sealed(NOTICE_CODE))

    __table_args__ = (of_placement(__tablename__),)


class PreparedNotice(Base):
    """A message that the hour will put into the outbox; the columns are those of `notice`."""

    __tablename__ = "prepared_notice"

    key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("run.id"), index=True)
    kind: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"))
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(KeyedJson, default=dict)

    __table_args__ = (Index("ix_prepared_notice__child_id", "child_id"),)


class PreparedResult(Base):
    """What a family's page tells of a first run: its place, and each wish with its reason and cut-off (JSON, sealed).

    It is written before the hour, so that the families who look in the first minutes cost one statement each; the page reads
    it only from the hour on, and only for the guardians (`enrollment.results.prepared_results`).
    """

    __tablename__ = "prepared_result"

    run_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True, info={"sealed": RESULT})

    __table_args__ = (of_placement(__tablename__),)
