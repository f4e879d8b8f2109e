"""The threads of a lane: each sends one message at a time on a connection of its own."""

import datetime as dt
import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from enrollment.delivery.claims import Claimed
from enrollment.delivery.settlement import Outcome, Verdict
from enrollment.ground.outbox import DeliveryError
from portal.gateways.messages import Attempt, Connection
from portal.sender.breaker import Breaker
from portal.sender.pace import Pace

log = logging.getLogger(__name__)

LONGEST_IN_HAND = 1.0
"""Seconds from the check of the recipient to the attempt; a message that waited longer is put back and checked again."""

WHILE_DOWN = (3.0, 15.0)
"""A message that failed while the gateway was down waits for so many seconds, so that the next probe takes another one."""


@dataclass(frozen=True)
class Work:
    """A claimed message with its whole text.  `probe`: it is tried although the gateway is down."""

    message: Claimed
    body: str
    claimed: float
    probe: bool


class SenderThreads:
    """`sends_again`: a message that may have been sent is sent again."""

    def __init__(
        self,
        name: str,
        count: int,
        connect: Callable[[], Connection],
        breaker: Breaker,
        pace: Pace,
        *,
        sends_again: bool,
    ):
        self._connect, self._breaker, self._pace = connect, breaker, pace
        self._not_served = {Verdict.FAILED, Verdict.UNCERTAIN} if sends_again else {Verdict.FAILED}
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def give(self, work: Work) -> None:
        self._work.put(work)

    def take_outcomes(self, *, wait: float, gather: float) -> list[Outcome]:
        """What came to an end: waits for the first outcome, then `gather` seconds for others."""
        try:
            found = [self._outcomes.get(timeout=wait)]
        except queue.Empty:
            return []
        if gather:
            time.sleep(gather)
        try:
            while True:
                found.append(self._outcomes.get_nowait())
        except queue.Empty:
            return found

    def end(self) -> None:
        for _thread in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = self._connect()
        while (work := self._work.get()) is not None:
            try:
                self._outcomes.put(self._attempt(connection, work))
            except Exception:
                # the message keeps its claim until the lease is over; the thread must live, and so must the count
                log.exception("an attempt to send %s broke off", work.message.id)
                self._outcomes.put(Outcome(work.message, Verdict.UNCERTAIN, DeliveryError.NO_ANSWER))
        connection.close()

    def _attempt(self, connection: Connection, work: Work) -> Outcome:
        too_old = time.monotonic() - work.claimed > LONGEST_IN_HAND
        if too_old or self.stopping.is_set() or self._pace.is_paused or (self._breaker.is_down and not work.probe):
            return Outcome(work.message, Verdict.PUT_BACK)
        attempt = connection.send(str(work.message.id), work.message.to, work.body)
        if attempt.pause:
            seconds = self._pace.pause(attempt.pause)
            return Outcome(work.message, Verdict.PUT_BACK, attempt.error, wait=dt.timedelta(seconds=seconds))
        if attempt.down:
            self._breaker.failed(attempt.error)
        else:
            self._breaker.served()
            self._pace.served()
        return self._outcome(work, attempt)

    def _outcome(self, work: Work, attempt: Attempt) -> Outcome:
        not_served = attempt.verdict in self._not_served and self._breaker.is_down
        if attempt.verdict == Verdict.PUT_BACK or not_served:
            seconds = random.uniform(*WHILE_DOWN)
            return Outcome(work.message, Verdict.PUT_BACK, attempt.error, wait=dt.timedelta(seconds=seconds))
        return Outcome(work.message, attempt.verdict, attempt.error, attempt.provider_id)
