"""The table of mandates 代办委托: a guardian permits a community helper to enter this season's application."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.values import Sealed

WAYS = ("code", "paper")
PAPER_PURPOSE = "mandate.paper"


class Mandate(Base):
    """A mandate with the digest of its text, its season and its end.

    `account_id` is the account of the guardian.  With a mandate by `code`, the phone is verified.  With one on `paper`,
    nobody can sign in with the account yet; a person who signs in with the phone number of `phone_index` and knows the
    guardian's document number takes it over.  Without a phone number on the paper, `phone_index` is None.  `tries` counts
    failed attempts.
    """

    __tablename__ = "mandate"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    helper_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    way: Mapped[str]
    text_version: Mapped[str]
    text_digest: Mapped[str]
    given_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    signed_name: Mapped[str | None] = mapped_column(Sealed("mandate.signed_name"))
    signed_on: Mapped[dt.date | None]
    paper: Mapped[bytes | None] = mapped_column(LargeBinary, info={"sealed": "mandate.paper", "file": True})
    paper_type: Mapped[str | None]
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    tries: Mapped[int] = mapped_column(default=0)
    taken_over_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("way IN ('" + "','".join(WAYS) + "')", name="known_way"),
        CheckConstraint(
            "(way = 'paper') = (paper IS NOT NULL AND signed_name IS NOT NULL AND signed_on IS NOT NULL)",
            name="a_paper_is_there",
        ),
        CheckConstraint("ends_at > given_at AND ends_at <= given_at + interval '30 days'", name="at_most_thirty_days"),
        CheckConstraint("helper_id <> account_id", name="for_somebody_else"),
        Index(
            "uq_mandate__one_live",
            "helper_id",
            "account_id",
            "year",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


PAPERS = Read(
    Mandate,
    Mandate.phone_index,
    (Mandate.taken_over_at.is_(None),),
    unread=(Mandate.paper, Mandate.signed_name),
)
"""The mandates on paper with a phone number that nobody took over."""
