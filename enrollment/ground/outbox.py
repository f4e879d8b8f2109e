"""The outbox: a message is a row, written in the transaction of its cause and sent once for its key.

The row is also the entry of the queue: the sender process claims waiting rows, and each row has its own outcome.  A
family's transaction writes only its rows: no job and no key that it shares with other families.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.sealed.codes import KeyedJson
from enrollment.ground.sealed.values import Sealed

QUIET = dt.timedelta(minutes=10)
"""A message of `QUIET_KINDS` is sent when nothing was changed for so long; an earlier one that waits is replaced."""

QUIET_KINDS = ("application_changed", "bond_changed")
"""Messages about a family's own edits: each press of a button on the page of wishes is one."""


class MessageState(StrEnum):
    """`SENDING` is claimed by a sender until `lease_until`; `SENT` was accepted by the gateway; the phone confirmed
    `DELIVERED`; the phone cannot receive an `UNDELIVERABLE` message; the attempts for a `GIVEN_UP` one are over;
    a `WITHHELD` one is about a child that is not the receiver's, or was replaced, or the receiver wants it in the inbox
    alone; this one has no `withheld_at` and is shown there."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    GIVEN_UP = "given_up"
    WITHHELD = "withheld"


class DeliveryError(StrEnum):
    """Why a message is not delivered (yet).

    Of the number: `INVALID_NUMBER` (no such number, or not in service), `RECEIVER_REFUSES` (the owner refuses messages),
    `UNREACHABLE_NUMBER` (not tried, because the number did not receive lately), `NO_NUMBER` (the account has none to which
    the gateway sends), `DOUBTED_NUMBER` (it may belong to another person now).  Of the message: `MESSAGE_REFUSED`, `NOT_DELIVERED` (says a receipt), `EXPIRED` (a code), `UNCERTAIN`
    (it may have been sent, and the lane does not send twice), `NO_TEXT` (the row cannot be read), `BY_CHOICE` (the family
    reads this kind in the inbox alone).  Of WeChat: `NOT_FOLLOWING` (the person does not follow the service account), `DECLINED`
    (the person switched its messages off there).  Of the gateway: `NO_ANSWER`, `GATEWAY_FAULT`, `TOO_FAST`,
    `NOT_AUTHORISED`.
    """

    INVALID_NUMBER = "invalid_number"
    RECEIVER_REFUSES = "receiver_refuses"
    UNREACHABLE_NUMBER = "unreachable_number"
    NO_NUMBER = "no_number"
    DOUBTED_NUMBER = "doubted_number"
    MESSAGE_REFUSED = "message_refused"
    NOT_DELIVERED = "not_delivered"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"
    NO_TEXT = "no_text"
    NO_ANSWER = "no_answer"
    GATEWAY_FAULT = "gateway_fault"
    TOO_FAST = "too_fast"
    NOT_AUTHORISED = "not_authorised"
    BY_CHOICE = "by_choice"
    NOT_FOLLOWING = "not_following"
    DECLINED = "declined"


OF_THE_NUMBER = frozenset((DeliveryError.INVALID_NUMBER, DeliveryError.RECEIVER_REFUSES))
"""Errors after which the number counts as unreachable."""

AT_ONCE = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""`next_try_at` of a message that was not tried."""


class Queued:
    """The columns of a row that waits to be sent.

    `claim` is the token of the sender that holds the row: an outcome is stored only for the same claim.  `last_error` is
    a code, never the text of a gateway.  `provider_id` is the number that the gateway gave the message.
    """

    state: Mapped[str] = mapped_column(default=MessageState.WAITING, server_default=MessageState.WAITING)
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[dt.datetime] = mapped_column(default=AT_ONCE, server_default=AT_ONCE.isoformat())
    claim: Mapped[uuid.UUID | None]
    lease_until: Mapped[dt.datetime | None]
    last_error: Mapped[str | None]
    provider_id: Mapped[str | None]
    delivered_at: Mapped[dt.datetime | None]


KNOWN_STATE = "state IN ('" + "','".join(MessageState) + "')"


class Notice(Queued, Base):
    """A message to an account.  `child_id` is its child; when it is sent, the account must be a guardian of that child.

    A withheld message is neither sent nor shown: its receiver is no guardian of the child, or a later one replaced it.
    """

    __tablename__ = "notice"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    child_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("child.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(KeyedJson, default=dict)
    created_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    withheld_at: Mapped[dt.datetime | None]
    read_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint(KNOWN_STATE, name="known_state"),
        Index("ix_notice__child_id", "child_id", postgresql_where=text("child_id IS NOT NULL")),
        Index("ix_notice__waiting", "next_try_at", "created_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_notice__sending", "lease_until", postgresql_where=text("state = 'sending'")),
        Index("ix_notice__failed", "created_at", postgresql_where=text("state IN ('undeliverable','given_up')")),
    )


class TextMessage(Queued, Base):
    """A message to a phone number instead of an account: a one-time code, an invitation.

    A code has `expires_at`: a person waits for it, so it goes before all other messages, and not at all after that time.
    """

    __tablename__ = "text_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str] = mapped_column(Sealed("text_message.to"))
    body: Mapped[str] = mapped_column(Sealed("text_message.body"))
    written_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    sent_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint(KNOWN_STATE, name="known_state"),
        Index(
            "ix_text_message__codes",
            "next_try_at",
            "written_at",
            postgresql_where=text("state = 'waiting' AND expires_at IS NOT NULL"),
        ),
        Index(
            "ix_text_message__waiting",
            "next_try_at",
            "written_at",
            postgresql_where=text("state = 'waiting' AND expires_at IS NULL"),
        ),
        Index("ix_text_message__sending", "lease_until", postgresql_where=text("state = 'sending'")),
    )


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


REPLACE_EARLIER = """
    UPDATE notice AS earlier SET withheld_at = {now}, state = 'withheld'
    FROM {newer} AS newer
    WHERE earlier.kind = newer.kind AND earlier.account_id = newer.account_id
      AND earlier.application_id = newer.application_id AND earlier.created_at < newer.created_at
      AND earlier.state = 'waiting' AND earlier.read_at IS NULL
      AND earlier.params ->> 'who' IS NOT DISTINCT FROM newer.params ->> 'who'
      AND earlier.params -> 'together' IS NOT DISTINCT FROM newer.params -> 'together'
"""
"""SQL to withhold the waiting messages that newer ones make old, for `format`: `newer` is the table of these, `now` a parameter."""


def replace_earlier(session: Session, kind: str, application_ids: Collection[uuid.UUID], *, now: dt.datetime) -> None:
    """Withhold waiting messages of one of `QUIET_KINDS` that the ones written now make old, and send these after `QUIET`.

    A message of another person's edit stays, because it says who made it.
    """
    written = "newer.kind = :kind AND newer.created_at = :now AND newer.application_id = ANY(:ids)"
    replaced = text(f"{REPLACE_EARLIER.format(newer='notice', now=':now')} AND {written}")
    quiet = text("""
        UPDATE notice SET next_try_at = :due
        WHERE kind = :kind AND created_at = :now AND application_id = ANY(:ids) AND state = 'waiting'
    """)
    session.flush()
    values = {"kind": kind, "now": now, "ids": list(application_ids)}
    session.execute(replaced, values)
    session.execute(quiet, values | {"due": now + QUIET})


def withhold(session: Session, kind: str, application_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Withhold the messages of this kind that nobody was sent or has read.  Returns whether somebody knows already."""
    about = (Notice.kind == kind, Notice.application_id == application_id, Notice.withheld_at.is_(None))
    waiting = (Notice.state == MessageState.WAITING, Notice.read_at.is_(None))
    session.flush()
    session.execute(update(Notice).where(*about, *waiting).values(withheld_at=now, state=MessageState.WITHHELD))
    return session.scalar(select(Notice.id).where(*about).limit(1)) is not None


def add_text_message(
    session: Session, to: str, body: str, *, key: str, now: dt.datetime, expires_at: dt.datetime | None = None
) -> TextMessage:
    """Write a message to a phone number into the outbox.  A one-time code has `expires_at`."""
    message = TextMessage(id=uuid.uuid4(), key=key, to=to, body=body, written_at=now, expires_at=expires_at)
    session.add(message)
    return message


def unread_of(account_id: uuid.UUID | ColumnElement[uuid.UUID]) -> tuple[ColumnElement[bool], ...]:
    """SQL conditions: the unread messages of an account."""
    return Notice.account_id == account_id, Notice.read_at.is_(None), Notice.withheld_at.is_(None)


def notices_of_account(
    session: Session, account_id: uuid.UUID, *, skip: int = 0, most: int | None = None
) -> tuple[list[Notice], int]:
    """Messages of an account, newest first, without withheld ones (of a child that is not theirs), and how many it has.

    One statement; a part that begins beyond the last message has no number either.
    """
    mine = select(Notice, func.count().over()).where(Notice.account_id == account_id, Notice.withheld_at.is_(None))
    found = session.execute(mine.order_by(Notice.created_at.desc(), Notice.id).offset(skip).limit(most)).all()
    return [notice for notice, _total in found], found[0][1] if found else 0


def mark_read(session: Session, account_id: uuid.UUID, shown: Collection[uuid.UUID], *, now: dt.datetime) -> None:
    """Mark the messages with these ids as read, as far as they are the account's: those that a page has shown, and no other."""
    read = update(Notice).where(Notice.id.in_(shown), Notice.account_id == account_id, Notice.read_at.is_(None))
    session.execute(read.values(read_at=now))
