"""Sending of outbox messages: after the commit, once per key, and only to guardians of the child concerned."""

import datetime as dt
import json
import urllib.error
import urllib.request
import uuid
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Account
from enrollment.ground.outbox import Notice, SentMessage, TextMessage
from enrollment.ground.phones import country_code
from enrollment.people.person_rows import Guardian, Guardianship
from portal.config import Config
from portal.text.messages import notice_words, signed

BATCH = 500
TIMEOUT = 5
"""Seconds until the gateway counts as down."""


class Undelivered(Exception):
    """The gateway did not accept the message; it stays in the outbox and is sent again."""


class Messenger(Protocol):
    def reaches(self, to: str) -> bool:
        """Whether it sends to this number at all."""
        ...

    def send(self, key: str, to: str, body: str) -> None:
        """Deliver once for each key.  Raises Undelivered."""
        ...


class Gateway:
    """A short-message gateway over HTTPS (protocol: `docs/messages.md`).  It must ignore a key that it has seen."""

    def __init__(self, address: str, token: str | None, country_codes: tuple[str, ...]):
        self.address, self.token, self.country_codes = address, token, country_codes

    def reaches(self, to: str) -> bool:
        return country_code(to) in self.country_codes

    def send(self, key: str, to: str, body: str) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = json.dumps({"to": to, "text": body}, ensure_ascii=False).encode()
        request = urllib.request.Request(self.address, content, headers, method="POST")  # noqa: S310  the operator's address
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                if answer.status not in (200, 201, 202):
                    raise Undelivered(f"the gateway answered {answer.status}")
        except (urllib.error.URLError, OSError, ValueError) as fault:
            raise Undelivered(str(fault)) from fault


class Inbox:
    """The demo's stand-in: its messages are shown at /demo/inbox."""

    def __init__(self, session: Session, now: dt.datetime):
        self.session, self.now = session, now

    def reaches(self, to: str) -> bool:
        return bool(to)

    def send(self, key: str, to: str, body: str) -> None:
        row = {"id": uuid.uuid4(), "key": key, "to": to, "body": body, "at": self.now}
        self.session.execute(insert(SentMessage).values(row).on_conflict_do_nothing(index_elements=["key"]))


def messenger(config: Config, session: Session, now: dt.datetime) -> Messenger:
    if config.message_gateway:
        return Gateway(config.message_gateway, config.message_token, config.message_country_codes)
    return Inbox(session, now)


def send_texts(session: Session, by: Messenger, *, now: dt.datetime) -> int:
    """Send waiting texts, the oldest first; returns how many.  Raises Undelivered."""
    waiting = select(TextMessage).where(TextMessage.sent_at.is_(None)).order_by(TextMessage.written_at).limit(BATCH)
    sent = 0
    for text in session.scalars(waiting.with_for_update(skip_locked=True)):
        if by.reaches(text.to):
            by.send(text.key, text.to, text.body)
        text.sent_at = now
        sent += 1
    session.flush()
    return sent


def is_about_own_child(session: Session, notice: Notice) -> bool:
    """Whether the receiver is a guardian of the message's child at the time of sending."""
    if notice.child_id is None:
        return True
    cares = (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == notice.account_id, Guardianship.child_id == notice.child_id)
        .where(Guardianship.accepted_at.is_not(None))
    )
    return session.scalar(cares) is not None


def send_notices(session: Session, by: Messenger, config: Config, *, now: dt.datetime, limit: int = BATCH) -> int:
    """Send waiting notices, each in the language of its receiver; returns how many.  A notice about another family's child is withheld permanently."""
    waiting = (
        select(Notice)
        .where(Notice.sent_at.is_(None), Notice.withheld_at.is_(None))
        .order_by(Notice.created_at)
        .limit(limit)
    )
    sent = 0
    for notice in session.scalars(waiting.with_for_update(skip_locked=True)):
        if not is_about_own_child(session, notice):
            notice.withheld_at = now
            continue
        account = session.get_one(Account, notice.account_id)
        if account.phone and by.reaches(account.phone):
            words = notice_words(notice.kind, notice.params, in_language=account.language)
            by.send(notice.key, account.phone, signed(words, config, in_language=account.language))
        notice.sent_at = now
        sent += 1
    session.flush()
    return sent
