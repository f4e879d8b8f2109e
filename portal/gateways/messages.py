"""Clients of the message gateway (protocol: `docs/messages.md`), and the demo's stand-in of it.

A client never raises: what an attempt came to is an `Attempt`.
"""

import datetime as dt
import http.client
import json
import select
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.delivery.settlement import Verdict
from enrollment.ground.outbox import DeliveryError, SentMessage
from portal.config import Config
from portal.gateways.deadline import Deadline
from portal.gateways.kept_connection import KeptConnection

TIMEOUT = 5
"""Seconds of a whole exchange, until a gateway that is silent or answers byte by byte counts as down."""

LONGEST_IDLE = 4.0
"""Seconds after which an unused connection is not used again: the other side may be about to close it."""

LARGEST_ANSWER = 64 * 1024
ACCEPTED = (200, 201, 202)
NOT_AUTHORISED = (401, 403)
TOO_FAST = 429
OF_NO_MESSAGE = (402, 404, 405, 408, 410, 421, 425, 426)
"""Answers that any message would get: the account or the address is wrong, or the gateway has no time."""

LONGEST_PAUSE = 60.0

OF_CODE = {
    "invalid_number": DeliveryError.INVALID_NUMBER,
    "receiver_refuses": DeliveryError.RECEIVER_REFUSES,
    "message_refused": DeliveryError.MESSAGE_REFUSED,
}
"""The gateway's codes of refusals for good."""


@dataclass(frozen=True)
class Attempt:
    """`down`: the gateway served nobody, or did not say; `pause`: the seconds for which it wants no message."""

    verdict: Verdict
    error: DeliveryError | None = None
    provider_id: str | None = None
    down: bool = False
    pause: float = 0.0


class Connection(Protocol):
    """A connection of one thread."""

    def send(self, key: str, to: str, body: str) -> Attempt:
        """Deliver once for each key."""
        ...

    def close(self) -> None: ...


class GatewayConnection:
    """A connection that is kept open between messages.  A message is written to it once: the sender decides what follows."""

    def __init__(self, address: str, token: str | None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = KeptConnection(address, headers, timeout=TIMEOUT, largest=LARGEST_ANSWER)
        self._used_at = 0.0

    def send(self, key: str, to: str, body: str) -> Attempt:
        deadline = Deadline(TIMEOUT)
        try:
            self._connect(deadline)
        except (OSError, http.client.HTTPException):
            self.close()
            return Attempt(Verdict.PUT_BACK, DeliveryError.NO_ANSWER, down=True)
        content = json.dumps({"to": to, "text": body}, ensure_ascii=False).encode()
        try:
            answer = self._client.post(content, "Idempotency-Key", key, deadline)
            self._used_at = time.monotonic()
            return read_answer(answer.status, answer.content, answer.headers.get("retry-after"))
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return Attempt(Verdict.UNCERTAIN, DeliveryError.NO_ANSWER, down=True)

    def _connect(self, deadline: Deadline) -> None:
        if self._client.socket is not None and (self._idle_too_long() or _is_closed(self._client.socket)):
            self.close()
        if self._client.socket is None:
            self._client.connect(deadline)

    def _idle_too_long(self) -> bool:
        return time.monotonic() - self._used_at > LONGEST_IDLE

    def close(self) -> None:
        self._client.close()


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side closed the connection, or wrote to it unasked."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def read_answer(status: int, text: bytes, retry_after: str | None) -> Attempt:
    """What an answer of the gateway means."""
    if status in NOT_AUTHORISED:
        return Attempt(Verdict.PUT_BACK, DeliveryError.NOT_AUTHORISED, down=True)
    if status == TOO_FAST:
        return Attempt(Verdict.PUT_BACK, DeliveryError.TOO_FAST, pause=_seconds(retry_after))
    content = _json_object(text)
    if status in ACCEPTED:
        if content is None:  # perhaps the page of a proxy
            return Attempt(Verdict.UNCERTAIN, DeliveryError.GATEWAY_FAULT, down=True)
        number = content.get("id")
        return Attempt(Verdict.ACCEPTED, provider_id=str(number)[:100] if number is not None else None)
    error = OF_CODE.get(str((content or {}).get("error")))
    if 400 <= status < 500 and error is not None:
        return Attempt(Verdict.REFUSED, error)
    if 400 <= status < 500 and status not in OF_NO_MESSAGE and content is not None:
        # the reason has no name here, so it may pass, but it is this message's: it uses up its tries, and others go on
        return Attempt(Verdict.FAILED, DeliveryError.MESSAGE_REFUSED)
    return Attempt(Verdict.FAILED, DeliveryError.GATEWAY_FAULT, down=True)


def _json_object(text: bytes) -> dict[str, Any] | None:
    """The object in an answer, an empty one for an empty answer, None for anything else."""
    if not text.strip():
        return {}
    try:
        content = json.loads(text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _seconds(retry_after: str | None) -> float:
    try:
        return min(max(float(retry_after or 1), 0.1), LONGEST_PAUSE)
    except ValueError:
        return 1.0


STORE = insert(SentMessage).on_conflict_do_nothing(index_elements=["key"])
"""Built once: a demo city sends some thousand messages in its first minutes."""


class InboxConnection:
    """The demo's stand-in: its messages are shown at /demo/inbox."""

    def __init__(self, engine: Engine, clock: Callable[[Session], dt.datetime]):
        self._engine, self._clock = engine, clock

    def send(self, key: str, to: str, body: str) -> Attempt:
        with Session(self._engine) as session, session.begin():
            row = {"id": uuid.uuid4(), "key": key, "to": to, "body": body, "at": self._clock(session)}
            session.connection().execute(STORE, row)
        return Attempt(Verdict.ACCEPTED)

    def close(self) -> None:
        """It holds nothing open."""


def open_connection(config: Config, engine: Engine, clock: Callable[[Session], dt.datetime]) -> Connection:
    if config.message_gateway:
        return GatewayConnection(config.message_gateway, config.message_token)
    return InboxConnection(engine, clock)
