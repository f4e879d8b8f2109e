"""How busy the page processes of families are, learnt by asking them through the queue in which every visitor waits."""

import asyncio
import contextlib
import json
import statistics
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from portal.web.front.lane import PROBE

PATIENCE = 2.0
"""Seconds after which a question counts as unanswered; a delay of this length says: full."""

QUESTION = f"GET {PROBE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
SMOOTHING = 0.05
"""The part of each answer in the cost, which so follows within about four seconds.  Those who came in together ask for cheap pages first
and for dear ones later: a cost of the last second would let in few while they are at the dear ones and many when they leave, so that
the next ones come in together as well."""


@dataclass
class Load:
    """`delays` are what visitors waited before a page process looked at them, in seconds; `busy` the share of time in which the
    processes work; `cost` the mean seconds of a request; `requests` how many were served since the start."""

    workers: int
    delays: deque[float] = field(default_factory=lambda: deque(maxlen=5))
    busy: float = 0.0
    cost: float = 0.03
    requests: int = 0
    open_questions: set[float] = field(default_factory=set)
    """When the questions were asked that have no answer yet."""
    _seen: dict[int, tuple[float, float, int]] = field(default_factory=dict)
    _shares: dict[int, tuple[float, float]] = field(default_factory=dict)

    def delay_at(self, now: float) -> float:
        """As the last answers say, and at least as long as the oldest question is open: a full queue is seen at once."""
        answered = statistics.median(self.delays) if self.delays else 0.0
        return max([answered, *(now - asked for asked in self.open_questions)])

    @property
    def capacity(self) -> float:
        """Requests a second that the processes can serve when they do nothing else."""
        return self.workers / self.cost

    def answered(self, delay: float, process: int, busy: float, requests: int, now: float) -> None:
        """A process has answered after `delay` seconds: seconds of work and requests since its start."""
        self.delays.append(delay)
        before = self._seen.get(process)
        self._seen[process] = (now, busy, requests)
        if before is None or now <= before[0]:
            return
        spent, served = busy - before[1], requests - before[2]
        self._shares[process] = (now, min(1.0, spent / (now - before[0])))
        if served > 0:
            self.learn(spent / served)
            self.requests += served
        self._shares = {pid: share for pid, share in self._shares.items() if now - share[0] < 3 * PATIENCE}
        self.busy = sum(share for _, share in self._shares.values()) / max(self.workers, len(self._shares))

    def learn(self, cost: float) -> None:
        """The requests of an answer took so many seconds each."""
        self.cost += SMOOTHING * (cost - self.cost)

    def unanswered(self) -> None:
        self.delays.append(PATIENCE)


async def ask(socket: Path, load: Load) -> None:
    """Ask once.  A refused connection counts as no answer."""
    began = time.monotonic()
    load.open_questions.add(began)
    writer = None
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            writer.write(QUESTION)
            answer = await reader.read()
        said = json.loads(answer.partition(b"\r\n\r\n")[2])
        now = time.monotonic()
        load.answered(now - began, said["process"], said["busy"], said["requests"], now)
    except (OSError, ValueError, TimeoutError):
        load.unanswered()
    finally:
        load.open_questions.discard(began)
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
