"""Delivery receipts of the gateway: their signature and their content (protocol: `docs/messages.md`).

The signature is an HMAC-SHA256 over the time and the body.  A receipt that somebody recorded and repeats is harmless,
because storing it twice changes nothing; after `WINDOW` it is refused all the same.
"""

import datetime as dt
import hashlib
import hmac
import json
import uuid

from enrollment.delivery.receipts import Receipt
from enrollment.ground.outbox import DeliveryError
from portal.gateways.messages import OF_CODE
from portal.text.numbers import large_number

HEADER = "Receipt-Signature"
WINDOW = dt.timedelta(minutes=5)
LARGEST_BODY = 512 * 1024
MOST_RECEIPTS = 1000


class Malformed(Exception):
    """The body of a signed request is not as the protocol says."""


def sign(secret: str, body: bytes, *, at: dt.datetime) -> str:
    """The value of the header for this body."""
    moment = int(at.timestamp())
    return f"t={moment},v1={_digest(secret, moment, body)}"


def _digest(secret: str, moment: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def is_signed(secret: str, header: str, body: bytes, *, now: dt.datetime) -> bool:
    """Whether the header signs this body, at most `WINDOW` ago.  `now` is the real time, also in the demo."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    try:
        moment = large_number(parts.get("t", ""))
    except ValueError:
        return False
    if abs(now.timestamp() - moment) > WINDOW.total_seconds():
        return False
    return hmac.compare_digest(parts.get("v1", "").encode(), _digest(secret, moment, body).encode())


def read(body: bytes) -> list[Receipt]:
    """The receipts in a body; those of other systems, with keys that are none of ours, are left out.  Raises Malformed."""
    try:
        rows = json.loads(body)["receipts"]
        if not isinstance(rows, list) or len(rows) > MOST_RECEIPTS:
            raise Malformed
        found = [_receipt(row) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Malformed from fault
    return [receipt for receipt in found if receipt is not None]


def _receipt(row: dict[str, object]) -> Receipt | None:
    status = row["status"]
    if status not in ("delivered", "undelivered"):
        return None  # a state in between
    try:
        message_id = uuid.UUID(str(row["key"]))
    except ValueError:
        return None
    error = None if status == "delivered" else OF_CODE.get(str(row.get("error")), DeliveryError.NOT_DELIVERED)
    number = row.get("id")
    return Receipt(message_id, error, str(number)[:100] if number is not None else None)
