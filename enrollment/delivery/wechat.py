"""Notices that also go to a guardian's WeChat: a second channel with a queue and a fate of its own.

A trigger writes one row for each notice to an account that has bound its WeChat, in the transaction of the notice.  The row has
the id of the notice.  What becomes of it changes nothing about the text message, and neither about the inbox.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.delivery.claims import ClaimedWechat, cares_for_child, quiet_until, unsealed
from enrollment.delivery.lanes import LanePolicy, Uncertain
from enrollment.delivery.message_choices import AT_ONCE, MessageChoice
from enrollment.delivery.settlement import Outcome
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, Role, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import KNOWN_STATE, DeliveryError, MessageState, Notice, Queued
from enrollment.ground.sealed.values import Sealed
from enrollment.ground.vault import blind_index

PURPOSE = "wechat.openid"
LONGEST_OPENID = 64


class WechatBinding(Base):
    """The WeChat of an account.  `paused_at`: WeChat says that its owner does not follow the service account any more."""

    __tablename__ = "wechat_binding"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    openid: Mapped[str] = mapped_column(Sealed("wechat_binding.openid"))
    openid_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    bound_at: Mapped[dt.datetime]
    paused_at: Mapped[dt.datetime | None]


class WechatNotice(Queued, Base):
    """A notice on its way to WeChat; `id` is that of the notice."""

    __tablename__ = "wechat_notice"

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True)
    written_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint(KNOWN_STATE, name="known_state"),
        Index("ix_wechat_notice__waiting", "next_try_at", "written_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_wechat_notice__sending", "lease_until", postgresql_where=text("state = 'sending'")),
    )


def bind(session: Session, openid: str, *, by: Actor, now: dt.datetime) -> None:
    """Bind a WeChat to the signed-in guardian, in place of an earlier one; of two accounts the newer one has it.

    Refuses `wechat_answer` for what is no openid.
    """
    require_oneself(by)
    if by.account_id is None or not by.is_any(Role.GUARDIAN):
        raise NotFound
    if not 0 < len(openid) <= LONGEST_OPENID or not openid.isascii():
        raise Refused("wechat_answer")
    session.get_one(Account, by.account_id, with_for_update=True)
    index = blind_index(openid, PURPOSE)
    gone = or_(WechatBinding.account_id == by.account_id, WechatBinding.openid_index == index)
    session.execute(delete(WechatBinding).where(gone).execution_options(synchronize_session="fetch"))
    session.add(WechatBinding(account_id=by.account_id, openid=openid, openid_index=index, bound_at=now))
    audit.record(session, "bind_wechat", "account", by.account_id, by=by, now=now)
    session.flush()


def unbind(session: Session, *, by: Actor, now: dt.datetime) -> None:
    require_oneself(by)
    ended = delete(WechatBinding).where(WechatBinding.account_id == by.account_id).returning(WechatBinding.account_id)
    if session.scalar(ended) is not None:
        audit.record(session, "unbind_wechat", "account", by.account_id, by=by, now=now)


def of_account(session: Session, account_id: uuid.UUID) -> WechatBinding | None:
    return session.get(WechatBinding, account_id)


def fates(session: Session, notice_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, WechatNotice]:
    """What became of these notices in WeChat; those that never went there are missing."""
    found = session.scalars(select(WechatNotice).where(WechatNotice.id.in_(notice_ids)))
    return {each.id: each for each in found}


def claim(
    session: Session, policy: LanePolicy, limit: int, *, token: uuid.UUID, now: dt.datetime
) -> Sequence[ClaimedWechat]:
    """Claim at most `limit` that are due.  One that was read, withheld, is no longer the receiver's, or whose WeChat is gone,
    ends; in quiet hours it waits, as a text does."""
    due = (
        select(WechatNotice.id)
        .where(WechatNotice.state == MessageState.WAITING, WechatNotice.next_try_at <= now)
        .order_by(WechatNotice.next_try_at, WechatNotice.written_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).cte("due")
    chosen = MessageChoice.account_id == Notice.account_id
    muted = select(MessageChoice.account_id).where(chosen, MessageChoice.muted.has_key(Notice.kind)).exists()
    bound = and_(WechatBinding.account_id.is_not(None), WechatBinding.paused_at.is_(None))
    own = or_(Notice.child_id.is_(None), cares_for_child())
    wanted = and_(bound, own, ~muted, Notice.withheld_at.is_(None), Notice.read_at.is_(None))
    quiet = and_(Notice.kind.not_in(AT_ONCE), quiet_until(now).is_not(None))
    sends, waits = and_(wanted, ~quiet), and_(wanted, quiet)
    notices = (
        select(
            Notice.id,
            Notice.kind,
            Account.language,
            WechatBinding.account_id.label("bound_to"),
            type_coerce(WechatBinding.openid, LargeBinary).label("openid"),
            sends.label("sends"),
            waits.label("waits"),
            quiet_until(now).label("until"),
        )
        .join(Account, Account.id == Notice.account_id)
        .outerjoin(WechatBinding, WechatBinding.account_id == Notice.account_id)
        .where(Notice.id.in_(select(due.c.id)))
    ).cte("notices")
    taken = (
        update(WechatNotice)
        .where(WechatNotice.id == notices.c.id)
        .values(
            state=case(
                (notices.c.sends, MessageState.SENDING),
                (notices.c.waits, MessageState.WAITING),
                else_=MessageState.WITHHELD,
            ),
            next_try_at=case((notices.c.waits, notices.c.until), else_=WechatNotice.next_try_at),
            claim=case((notices.c.sends, token)),
            lease_until=case((notices.c.sends, func.clock_timestamp() + policy.lease)),
        )
        .returning(
            WechatNotice.id,
            notices.c.kind,
            notices.c.language,
            notices.c.openid,
            notices.c.bound_to,
            WechatNotice.tries,
            WechatNotice.state,
        )
        .execution_options(synchronize_session=False)
    )
    return [
        ClaimedWechat(
            row.id, row.kind, unsealed(row.openid, "wechat_binding.openid", row.bound_to), row.language, row.tries
        )
        for row in session.execute(taken).all()
        if row.state == MessageState.SENDING
    ]


def requeue_expired(session: Session, policy: LanePolicy) -> None:
    """Those of a sender that was killed wait again, or are given up where the lane does not send twice."""
    gives_up = policy.uncertain == Uncertain.GIVE_UP
    over = (
        select(WechatNotice.id)
        .where(WechatNotice.state == MessageState.SENDING, WechatNotice.lease_until < func.clock_timestamp())
        .with_for_update(skip_locked=True)
    ).cte("over")
    back = update(WechatNotice).where(WechatNotice.id == over.c.id)
    session.execute(
        back.values(
            state=MessageState.GIVEN_UP if gives_up else MessageState.WAITING,
            last_error=DeliveryError.UNCERTAIN if gives_up else DeliveryError.NO_ANSWER,
            claim=None,
            lease_until=None,
        ).execution_options(synchronize_session=False)
    )


def pause_unfollowed(session: Session, outcomes: Sequence[Outcome], *, now: dt.datetime) -> None:
    """Pause the bindings whose owners do not follow the service account: the page says so, and nothing more is written."""
    gone = [blind_index(each.message.to, PURPOSE) for each in outcomes if each.error == DeliveryError.NOT_FOLLOWING]
    if gone:
        paused = update(WechatBinding).where(WechatBinding.openid_index.in_(gone), WechatBinding.paused_at.is_(None))
        session.execute(paused.values(paused_at=now).execution_options(synchronize_session=False))
