"""What a person who waits for a code is told about it."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.delivery import sender_status
from enrollment.delivery.lanes import Lane
from enrollment.ground.operations import alarms
from enrollment.ground.operations.alarms import AlarmCode
from enrollment.ground.outbox import OF_THE_NUMBER, DeliveryError, MessageState, TextMessage

SOON = dt.timedelta(seconds=20)
"""A code that was not sent after this time is late."""

NO_NUMBER = OF_THE_NUMBER | {DeliveryError.NO_NUMBER}


class CodeStatus(StrEnum):
    """`LATE`: it was not sent yet, because the gateway or the sender fails; it is tried until it expires.  `NOT_ARRIVING`: the
    gateway accepted it, and hardly anybody enters what it accepted of late."""

    ON_ITS_WAY = "on_its_way"
    SENT = "sent"
    DELIVERED = "delivered"
    LATE = "late"
    NOT_ARRIVING = "not_arriving"
    UNREACHABLE = "unreachable"
    NOT_SENT = "not_sent"


TROUBLE = (CodeStatus.LATE, CodeStatus.NOT_ARRIVING, CodeStatus.UNREACHABLE, CodeStatus.NOT_SENT)


def of_message(session: Session, message_id: uuid.UUID, *, now: dt.datetime) -> CodeStatus:
    """The status of a code; one that was deleted was sent long ago."""
    lost = alarms.is_open(AlarmCode.CODES_NOT_ENTERED).label("lost")
    columns = (TextMessage.state, TextMessage.tries, TextMessage.last_error, TextMessage.written_at, lost)
    row = session.execute(select(*columns).where(TextMessage.id == message_id)).one_or_none()
    if row is None or row.state == MessageState.SENT:
        return CodeStatus.NOT_ARRIVING if row is not None and row.lost else CodeStatus.SENT
    if row.state == MessageState.DELIVERED:
        return CodeStatus.DELIVERED
    if row.state in (MessageState.UNDELIVERABLE, MessageState.GIVEN_UP):
        return CodeStatus.UNREACHABLE if row.last_error in NO_NUMBER else CodeStatus.NOT_SENT
    if row.tries or now - row.written_at > SOON or _gateway_is_down(session):
        return CodeStatus.LATE
    return CodeStatus.ON_ITS_WAY


def _gateway_is_down(session: Session) -> bool:
    status = sender_status.of_lane(session, Lane.CODES)
    return status is not None and status.down_since is not None
