"""The places ledger: every change of a number, with its reason and author.  Entries are only ever added."""

import datetime as dt
import uuid

from sqlalchemy import BigInteger, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class LedgerEntry(Base):
    """`field` is the programme's column that changed (or `state`, `pool:<code>`), with what it was and became."""

    __tablename__ = "ledger_entry"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), index=True)
    at: Mapped[dt.datetime]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    field: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    reason: Mapped[str]
