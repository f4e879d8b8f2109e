"""The tables of messages to a selection, of those selected, and of a kindergarten's own texts."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class MessageTemplate(Base):
    """A text that the head of a kindergarten wrote, in both languages.  It is retired, never changed or deleted."""

    __tablename__ = "message_template"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"), index=True)
    name: Mapped[str]
    text_zh: Mapped[str]
    text_en: Mapped[str]
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    retired_at: Mapped[dt.datetime | None]


class FamilyMessage(Base):
    """A message to a selection, with its text as it was shown.  It is sent at `sent_at`; before, it is a preview.

    `chosen` holds the codes of the selection; `people` and `out_of_reach` are counted when it is sent: how many guardians
    get it, and how many children have no guardian whom a text message reaches.
    """

    __tablename__ = "family_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    name: Mapped[str]
    text_zh: Mapped[str]
    text_en: Mapped[str]
    chosen: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    people: Mapped[int | None]
    out_of_reach: Mapped[int | None]

    __table_args__ = (
        CheckConstraint(
            "(sent_at IS NULL) = (people IS NULL) AND (sent_at IS NULL) = (out_of_reach IS NULL)",
            name="counted_when_sent",
        ),
        Index("ix_family_message__kindergarten_id", "kindergarten_id", "made_at"),
        Index("ix_family_message__not_sent", "made_at", postgresql_where=text("sent_at IS NULL")),
    )


class FamilyMessageItem(Base):
    """An application of the selection.  `left_out`: it no longer belonged to it when the message was sent."""

    __tablename__ = "family_message_item"

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("family_message.id", ondelete="CASCADE"), primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True, index=True)
    left_out: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
