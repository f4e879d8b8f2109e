"""What a sender takes from the outbox: a few waiting messages at a time, which no other sender gets.

A claim is a lease with a token.  A sender that is killed leaves its rows `sending`; when their lease is over,
`requeue_expired` makes them wait again, and an outcome that comes late is not stored, because the token has changed.
A lease is measured by the clock of the database, so that senders of two hosts agree about it.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    ScalarSelect,
    and_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from enrollment.delivery.lanes import Lane, LanePolicy, Uncertain
from enrollment.delivery.message_choices import AT_ONCE, MessageChoice
from enrollment.delivery.unreachable_numbers import REST, UnreachableNumber
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.outbox import DeliveryError, MessageState, Notice, TextMessage
from enrollment.ground.vault import VaultError, unseal
from enrollment.people.desk_rows import PhoneDoubt
from enrollment.people.person_rows import Guardian, Guardianship


class Kind(StrEnum):
    """The table of a message."""

    TEXT = "text_message"
    NOTICE = "notice"
    WECHAT = "wechat_notice"


@dataclass(frozen=True)
class ClaimedText:
    """A text to a number.  `tries` counts earlier attempts.  Both texts are empty where the row cannot be decrypted."""

    id: uuid.UUID
    to: str
    body: str
    tries: int
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class ClaimedNotice:
    """A notice, with the number and language of its account at the moment of the claim.

    `season` is the admission year that it is about, if its receiver has applications in several years that are not over.
    """

    id: uuid.UUID
    code: str
    params: dict[str, Any]
    to: str
    language: str
    tries: int
    season: int | None = None
    kind: Kind = Kind.NOTICE


@dataclass(frozen=True)
class ClaimedWechat:
    """A notice for WeChat; `to` is the openid of its receiver at the moment of the claim."""

    id: uuid.UUID
    code: str
    to: str
    language: str
    tries: int
    kind: Kind = Kind.WECHAT


Claimed = ClaimedText | ClaimedNotice | ClaimedWechat


_WAITS = "EXISTS (SELECT FROM {} WHERE state = 'waiting' AND next_try_at <= :now{})"
_HAS_DUE = {
    Lane.CODES: text("SELECT " + _WAITS.format("text_message", " AND expires_at IS NOT NULL")),
    Lane.NOTICES: text(
        f"SELECT {_WAITS.format('text_message', ' AND expires_at IS NULL')} OR {_WAITS.format('notice', '')}"
    ),
    Lane.WECHAT: text("SELECT " + _WAITS.format("wechat_notice", "")),
}


def has_due(session: Session, lane: Lane, *, now: dt.datetime) -> bool:
    """Whether a claim of this lane may find anything: a look that costs a tenth of a claim, for a lane with nothing to do."""
    return bool(session.connection().execute(_HAS_DUE[lane], {"now": now}).scalar())


def claim(session: Session, policy: LanePolicy, limit: int, *, token: uuid.UUID, now: dt.datetime) -> list[Claimed]:
    """Claim at most `limit` messages of the lane that are due, untried ones first."""
    if policy.lane == Lane.CODES:
        return list(_claim_texts(session, policy, TextMessage.expires_at.is_not(None), limit, token, now))
    texts = _claim_texts(session, policy, TextMessage.expires_at.is_(None), limit, token, now)
    if len(texts) == limit:
        return list(texts)
    return [*texts, *_claim_notices(session, policy, limit - len(texts), token, now)]


def _claim_texts(
    session: Session, policy: LanePolicy, of_lane: ColumnElement[bool], limit: int, token: uuid.UUID, now: dt.datetime
) -> Sequence[ClaimedText]:
    due = (
        select(TextMessage.id)
        .where(TextMessage.state == MessageState.WAITING, of_lane, TextMessage.next_try_at <= now)
        .where(or_(TextMessage.expires_at.is_(None), TextMessage.expires_at > now))
        .order_by(TextMessage.next_try_at, TextMessage.written_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # one evaluation of the limited query: as `IN (…)` it may be planned, and locked, again and again
    due_rows = due.cte("due")
    taken = (
        update(TextMessage)
        .where(TextMessage.id == due_rows.c.id)
        .values(state=MessageState.SENDING, claim=token, lease_until=func.clock_timestamp() + policy.lease)
        .returning(TextMessage.id, _raw(TextMessage.to), _raw(TextMessage.body), TextMessage.tries)
        .execution_options(synchronize_session=False)
    )
    return [
        ClaimedText(
            row[0], unsealed(row[1], "text_message.to", row[0]), unsealed(row[2], "text_message.body", row[0]), row[3]
        )
        for row in session.execute(taken)
    ]


def _raw(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """A sealed column as it is stored: one row that cannot be decrypted must not fail the statement for all."""
    return type_coerce(column, LargeBinary)


def unsealed(value: bytes, purpose: str, row: uuid.UUID) -> str:
    try:
        return unseal(value, purpose, row)
    except (VaultError, InvalidTag):
        return ""


def _claim_notices(
    session: Session, policy: LanePolicy, limit: int, token: uuid.UUID, now: dt.datetime
) -> Sequence[ClaimedNotice]:
    """The recipient is checked by the same statement: a notice about another family's child is withheld for good.

    A notice to an account without a number, to one that may be another person's, or to one that did not receive lately, ends
    as undeliverable.  In the
    receiver's quiet hours it waits for their end; a kind that the receiver wants in the inbox alone is not sent.
    """
    due = (
        select(Notice.id)
        .where(Notice.state == MessageState.WAITING, Notice.next_try_at <= now)
        .order_by(Notice.next_try_at, Notice.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).cte("due")
    own = or_(Notice.child_id.is_(None), cares_for_child())
    resting = (
        select(UnreachableNumber.phone_index)
        .where(UnreachableNumber.phone_index == Account.phone_index, UnreachableNumber.last_at > now - REST)
        .exists()
    )
    muted = select(MessageChoice.account_id).where(_chosen, MessageChoice.muted.has_key(Notice.kind)).exists()
    doubted = select(PhoneDoubt.account_id).where(PhoneDoubt.account_id == Account.id).exists()
    quiet = and_(Notice.kind.not_in(AT_ONCE), quiet_until(now).is_not(None))
    no_number, stays = Account.phone.is_(None), MessageState.UNDELIVERABLE
    state = case(
        (or_(~own, muted), MessageState.WITHHELD),
        (no_number, stays),
        (doubted, stays),
        (resting, stays),
        (quiet, MessageState.WAITING),
        else_=MessageState.SENDING,
    )
    sends = and_(own, ~muted, ~no_number, ~doubted, ~resting, ~quiet)
    error = case(
        (and_(own, muted), DeliveryError.BY_CHOICE),
        (and_(own, no_number), DeliveryError.NO_NUMBER),
        (and_(own, doubted), DeliveryError.DOUBTED_NUMBER),
        (and_(own, resting), DeliveryError.UNREACHABLE_NUMBER),
    )
    waits = and_(own, ~muted, ~no_number, ~doubted, ~resting, quiet)
    taken = (
        update(Notice)
        .where(Notice.id == due.c.id, Account.id == Notice.account_id)
        .values(
            state=state,
            last_error=case((sends, Notice.last_error), else_=error),
            withheld_at=case((own, Notice.withheld_at), else_=now),
            next_try_at=case((waits, quiet_until(now)), else_=Notice.next_try_at),
            claim=case((sends, token)),
            lease_until=case((sends, func.clock_timestamp() + policy.lease)),
        )
        .returning(
            Notice.id,
            Notice.kind,
            Notice.params,
            Account.id.label("account_id"),
            _raw(Account.phone).label("phone"),
            Account.language,
            Notice.tries,
            Notice.state,
            _SEASON.label("season"),
        )
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(taken).all()
    return [
        ClaimedNotice(
            id=row.id,
            code=row.kind,
            params=row.params,
            to=unsealed(row.phone, "account.phone", row.account_id),
            language=row.language,
            tries=row.tries,
            season=row.season,
        )
        for row in rows
        if row.state == MessageState.SENDING
    ]


_SEASON: ColumnElement[Any] = literal_column(
    """(SELECT about.year FROM application AS about WHERE about.id = notice.application_id AND EXISTS (
        SELECT FROM guardian
        JOIN guardianship ON guardianship.guardian_id = guardian.id AND guardianship.accepted_at IS NOT NULL
        JOIN application AS other ON other.child_id = guardianship.child_id AND other.year <> about.year
        JOIN season ON season.year = other.year AND season.closed_at IS NULL
        WHERE guardian.account_id = notice.account_id))""",
    type_=Integer(),
)
"""SQL: the year of the notice's application, if its receiver has one in another year too that is not over."""

_chosen = MessageChoice.account_id == Notice.account_id


def quiet_until(now: dt.datetime) -> ScalarSelect[dt.datetime]:
    """SQL: when the quiet hours of the receiver end, if it is quiet now; else NULL.

    The choices are rows of a few families; the hours of the city are compared as numbers.
    """
    here = now.astimezone(CHENGDU)
    midnight, hour = here.replace(hour=0, minute=0, second=0, microsecond=0), here.hour
    begins, ends = MessageChoice.quiet_from, MessageChoice.quiet_until
    over_midnight = begins > ends
    is_quiet = case((over_midnight, or_(begins <= hour, ends > hour)), else_=and_(begins <= hour, ends > hour))
    days = case((and_(over_midnight, begins <= hour), 1), else_=0)
    until = literal(midnight) + func.make_interval(0, 0, 0, days, ends)
    return select(until).where(_chosen, is_quiet).correlate(Notice).scalar_subquery()


def cares_for_child() -> ColumnElement[bool]:
    """SQL condition: the receiver is a guardian of the message's child at this moment."""
    return (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == Notice.account_id, Guardianship.child_id == Notice.child_id)
        .where(Guardianship.accepted_at.is_not(None))
        .exists()
    )


def expire_codes(session: Session, *, now: dt.datetime) -> None:
    """Give up the codes that nobody can use any more."""
    session.execute(
        update(TextMessage)
        .where(TextMessage.state == MessageState.WAITING, TextMessage.expires_at <= now)
        .values(state=MessageState.GIVEN_UP, last_error=DeliveryError.EXPIRED)
        .execution_options(synchronize_session=False)
    )


def requeue_expired(session: Session, policy: LanePolicy) -> int:
    """Messages of a sender that was killed wait again, or are given up where the lane does not send twice; returns how many."""
    gives_up = policy.uncertain == Uncertain.GIVE_UP
    values = {
        "state": MessageState.GIVEN_UP if gives_up else MessageState.WAITING,
        "last_error": DeliveryError.UNCERTAIN if gives_up else DeliveryError.NO_ANSWER,
        "claim": None,
        "lease_until": None,
    }
    of_codes = TextMessage.expires_at.is_not(None)
    texts = of_codes if policy.lane == Lane.CODES else ~of_codes
    found = 0
    for table, of_lane in ((TextMessage, texts), (Notice, None)):
        if table is Notice and policy.lane == Lane.CODES:
            continue
        # another sender does the same at the same time
        over = select(table.id).where(table.state == MessageState.SENDING, table.lease_until < func.clock_timestamp())
        if of_lane is not None:
            over = over.where(of_lane)
        over_rows = over.with_for_update(skip_locked=True).cte("over_rows")
        back = update(table).where(table.id == over_rows.c.id).values(values)
        result = session.execute(back.execution_options(synchronize_session=False))
        found += result.rowcount  # type: ignore[attr-defined]
    return found
