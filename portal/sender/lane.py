"""One lane of the sender: claims a few messages, gives them to its threads, and stores what each came to.

The lane has a database connection and threads of its own, so that nothing of the other lane delays it.  Each cycle is one
transaction: outcomes are stored and new messages are claimed together.
"""

import datetime as dt
import functools
import logging
import threading
import time
import uuid
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.delivery import claims, sender_status, settlement, wechat
from enrollment.delivery.claims import Claimed, ClaimedText, ClaimedWechat
from enrollment.delivery.lanes import Lane, LanePolicy, Uncertain
from enrollment.delivery.settlement import Outcome, Verdict
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.outbox import DeliveryError
from portal.config import Config
from portal.gateways.messages import open_connection
from portal.gateways.wechat import AccessToken, WechatConnection
from portal.sender.breaker import Breaker
from portal.sender.pace import Pace
from portal.sender.threads import SenderThreads, Work
from portal.text.messages import ASKS, link_of, notice_words, signed, wechat_body
from portal.web import clock
from portal.web.clock import real_now
from portal.web.logs import fault_trace

log = logging.getLogger(__name__)

IDLE = {Lane.CODES: 0.2, Lane.NOTICES: 0.5, Lane.WECHAT: 1.0}
"""Seconds between two looks at an empty queue.  There is no NOTIFY: with it PostgreSQL commits one transaction at a time."""

GATHER = {Lane.CODES: 0.0, Lane.NOTICES: 0.01, Lane.WECHAT: 0.01}
"""Seconds for which outcomes are gathered before they are stored, so that many are stored at once."""

UPKEEP_INTERVAL = 2.0
"""Seconds between two signs of life, searches for expired claims, and removals of expired codes."""

AFTER_A_FAULT = 1.0
"""Seconds without the database."""


AHEAD = 0.2
"""Seconds of work that are claimed ahead: longer than a cycle takes, far less than `threads.LONGEST_IN_HAND`."""

MOST_AHEAD = 12
"""Messages in hand for each thread, at most."""


class LaneSender:
    """`threads` messages are sent at the same time; as many more are claimed, or what the gateway takes in `AHEAD`, so that no
    thread waits for the database."""

    def __init__(self, config: Config, engine: Engine, policy: LanePolicy, breaker: Breaker, pace: Pace, threads: int):
        self._config, self._engine, self._policy, self._breaker, self._pace = config, engine, policy, breaker, pace
        self._token = uuid.uuid4()
        self._count, self._rate, self._ended_at = threads, 0.0, time.monotonic()
        self._in_hand = 0
        self._outcomes: list[Outcome] = []
        self._upkeep_due = 0.0
        self._fails = False
        self._claimed_at = ""
        connect: Callable = lambda: open_connection(config, engine, self._now)  # noqa: E731
        if policy.lane == Lane.WECHAT and config.wechat is not None:
            connect = functools.partial(WechatConnection, config.wechat, AccessToken(config.wechat))
        sends_again = policy.uncertain == Uncertain.SEND_AGAIN
        self._threads = SenderThreads(policy.lane, threads, connect, breaker, pace, sends_again=sends_again)

    def _now(self, session: Session) -> dt.datetime:
        return clock.now(session, demo=self._config.demo)

    def run(self, stopping: threading.Event) -> None:
        """Send until `stopping` is set; then finish what is in hand."""
        while not stopping.is_set() or self._in_hand or self._outcomes:
            if stopping.is_set():
                self._threads.stopping.set()
            if self.cycle(claim=not stopping.is_set()) == 0 and not self._in_hand:
                stopping.wait(IDLE[self._policy.lane])
        self._threads.end()

    def cycle(self, *, claim: bool = True) -> int:
        """Store outcomes and claim messages; returns how many messages were claimed or ended."""
        if self._in_hand:
            self._outcomes += self._threads.take_outcomes(wait=0.2, gather=GATHER[self._policy.lane])
        ended = len(self._outcomes)
        if not self._fails:  # else these are those of the last cycle
            self._note_rate()
        free = self._allowance(self._in_hand - ended) if claim else 0
        try:
            with Session(self._engine) as session, session.begin():
                claimed = self._transaction(session, free)
        except Exception as fault:
            # the lane goes on: outcomes are kept, and what is claimed is claimed again when its lease is over
            if not self._fails:
                log.warning("%s: a cycle failed: %s", self._policy.lane, "; ".join(fault_trace(fault)))
            self._fails = True
            time.sleep(AFTER_A_FAULT)
            return 0
        self._fails = False
        self._outcomes.clear()
        self._in_hand -= ended
        self._dispatch(claimed)
        return len(claimed) + ended

    def _allowance(self, in_hand: int) -> int:
        """How many messages may be claimed now, beside those in hand."""
        return self._breaker.allowance(self._pace.allowance(self._capacity - in_hand, in_hand=in_hand))

    @property
    def _capacity(self) -> int:
        """How many messages this lane has in hand at most."""
        return max(2 * self._count, min(int(self._rate * AHEAD), MOST_AHEAD * self._count))

    def _note_rate(self) -> None:
        """How many messages a second the gateway takes: those that were tried since the last cycle, with those before."""
        tried = sum(each.verdict != Verdict.PUT_BACK for each in self._outcomes)
        if tried:
            moment = time.monotonic()
            self._rate += 0.3 * (tried / max(moment - self._ended_at, 0.001) - self._rate)
            self._ended_at = moment

    def _transaction(self, session: Session, free: int) -> list[Claimed]:
        now = self._now(session)
        self._claimed_at = now.astimezone(CHENGDU).strftime("%Y-%m-%d %H:%M")
        if self._outcomes:
            settlement.settle(session, self._policy, self._outcomes, token=self._token, now=now)
            if self._policy.lane == Lane.WECHAT:
                wechat.pause_unfollowed(session, self._outcomes, now=now)
        moment = time.monotonic()
        if moment >= self._upkeep_due:
            self._upkeep_due = moment + UPKEEP_INTERVAL
            requeue = wechat.requeue_expired if self._policy.lane == Lane.WECHAT else claims.requeue_expired
            requeue(session, self._policy)
            if self._policy.lane == Lane.CODES:
                claims.expire_codes(session, now=now)
            sender_status.report(
                session,
                self._policy.lane,
                seen_at=real_now(),
                down_since=self._breaker.down_since,
                error=self._breaker.error,
            )
        if free <= 0 or not claims.has_due(session, self._policy.lane, now=now):
            return []
        if self._policy.lane == Lane.WECHAT:
            return list(wechat.claim(session, self._policy, free, token=self._token, now=now))
        return claims.claim(session, self._policy, free, token=self._token, now=now)

    def _dispatch(self, claimed: list[Claimed]) -> None:
        probe = self._breaker.is_down
        if claimed and probe:
            self._breaker.probe_taken()
        moment = time.monotonic()
        self._in_hand += len(claimed)
        for message in claimed:
            text = self._text_or_nothing(message)
            if not text or not message.to:
                self._outcomes.append(Outcome(message, Verdict.FAILED, DeliveryError.NO_TEXT))
            elif not isinstance(message, ClaimedWechat) and not self._config.can_text(message.to):
                self._outcomes.append(Outcome(message, Verdict.REFUSED, DeliveryError.NO_NUMBER))
            else:
                self._threads.give(Work(message, text, moment, probe))

    def _text_or_nothing(self, message: Claimed) -> str:
        """A message without words is tried again, after a correction perhaps; it does not hold up the others."""
        try:
            return self._text(message)
        except Exception as fault:
            log.error("the message %s has no text: %s", message.id, "; ".join(fault_trace(fault)))
            return ""

    def _text(self, message: Claimed) -> str:
        """The whole text; a notice is in the language of its receiver."""
        if isinstance(message, ClaimedText):
            return message.body
        if isinstance(message, ClaimedWechat):
            return wechat_body(message.id, message.code, self._claimed_at, self._config, message.language)
        words = notice_words(message.code, message.params, in_language=message.language, season=message.season)
        if message.code in ASKS:
            words = f"{words} {link_of(message.id, self._config)}"
        return signed(words, self._config, in_language=message.language)
