"""The outbox.  A message is a row, written in the transaction of the act it tells of, and sent once for its key."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.vault import Sealed


class Notice(Base):
    """`child_id` is the child it speaks of; the sender checks at the moment of sending that the account is its guardian."""

    __tablename__ = "notice"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    child_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("child.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"))
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    withheld_at: Mapped[dt.datetime | None]
    read_at: Mapped[dt.datetime | None]

    __table_args__ = (
        Index("ix_notice__unsent", "created_at", postgresql_where=text("sent_at IS NULL AND withheld_at IS NULL")),
    )


class SentMessage(Base):
    """What the local stand-in of the message gateway delivered; the demo shows it at /demo/inbox."""

    __tablename__ = "sent_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str] = mapped_column(Sealed("sent_message.to"))
    body: Mapped[str] = mapped_column(Sealed("sent_message.body"))
    at: Mapped[dt.datetime] = mapped_column(index=True)
