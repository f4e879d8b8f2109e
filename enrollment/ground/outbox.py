"""The outbox: a message is a row, written in the transaction of its cause and sent once for its key."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import jobs
from enrollment.ground.db import Base
from enrollment.ground.vault import Sealed


class Notice(Base):
    """A message to an account.  `child_id` is its child; when it is sent, the account must be a guardian of that child."""

    __tablename__ = "notice"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    child_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("child.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    created_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    withheld_at: Mapped[dt.datetime | None]
    read_at: Mapped[dt.datetime | None]

    __table_args__ = (
        Index("ix_notice__child_id", "child_id", postgresql_where=text("child_id IS NOT NULL")),
        Index("ix_notice__unsent", "created_at", postgresql_where=text("sent_at IS NULL AND withheld_at IS NULL")),
    )


class TextMessage(Base):
    """A message to a phone number instead of an account: a one-time code, an invitation."""

    __tablename__ = "text_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str] = mapped_column(Sealed("text_message.to"))
    body: Mapped[str] = mapped_column(Sealed("text_message.body"))
    written_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]

    __table_args__ = (Index("ix_text_message__unsent", "written_at", postgresql_where=text("sent_at IS NULL")),)


class SentMessage(Base):
    """A message that the local stand-in of the message gateway delivered; the demo shows it at /demo/inbox."""

    __tablename__ = "sent_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str] = mapped_column(Sealed("sent_message.to"))
    body: Mapped[str] = mapped_column(Sealed("sent_message.body"))
    at: Mapped[dt.datetime] = mapped_column(index=True)


def tell(
    session: Session,
    kind: str,
    *,
    account_id: uuid.UUID,
    key: str,
    now: dt.datetime,
    child_id: uuid.UUID | None = None,
    application_id: uuid.UUID | None = None,
    **params,
) -> None:
    """Write one message into the outbox; a second call with the same key writes nothing.

    `params` are codes and numbers for the text of `kind`; names are looked up when the message is read.
    """
    row = {"id": uuid.uuid4(), "key": key, "kind": kind, "account_id": account_id, "created_at": now}
    row |= {"child_id": child_id, "application_id": application_id, "params": params}
    session.execute(insert(Notice).values(row).on_conflict_do_nothing(index_elements=["key"]))
    enqueue_sending(session, now=now)


def enqueue_sending(session: Session, *, now: dt.datetime) -> None:
    """Enqueue the sending of the outbox; one job for all messages of the same second."""
    jobs.enqueue(session, "send_notices", key=f"send_notices:{now:%Y%m%d%H%M%S}", now=now)


def add_text_message(session: Session, to: str, body: str, *, key: str, now: dt.datetime) -> None:
    """Write a message to a phone number into the outbox."""
    session.add(TextMessage(key=key, to=to, body=body, written_at=now))
    jobs.enqueue(session, "send_texts", key=f"send_texts:{key}", now=now)


def count_unread(session: Session, account_id: uuid.UUID) -> int:
    return (
        session.scalar(
            select(func.count()).where(
                Notice.account_id == account_id, Notice.read_at.is_(None), Notice.withheld_at.is_(None)
            )
        )
        or 0
    )


def notices_of_account(session: Session, account_id: uuid.UUID, limit: int = 100) -> list[Notice]:
    """Messages of an account, newest first, without withheld ones (of a child that is not theirs)."""
    mine = select(Notice).where(Notice.account_id == account_id, Notice.withheld_at.is_(None))
    return list(session.scalars(mine.order_by(Notice.created_at.desc()).limit(limit)))


def mark_read(session: Session, account_id: uuid.UUID, *, now: dt.datetime) -> None:
    session.execute(update(Notice).where(Notice.account_id == account_id, Notice.read_at.is_(None)).values(read_at=now))
