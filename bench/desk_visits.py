"""A clerk who opens her queue each second while families come: whether the desks can work meanwhile."""

import asyncio
import contextlib
import random
import secrets
import uuid

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.families import Browser, Seen, Tally
from enrollment.ground.sign_in import WebSession
from portal.web.clock import real_now
from portal.web.sessions import digest_of

QUEUE = "/staff/queue"
EVERY = 1.0
"""Seconds between two looks; a look begins whether the one before was answered or not."""

ADDRESS = "127.0.0.200"
"""Of the kindergarten's line, which no family shares."""


def sign_in(engine: Engine, account: uuid.UUID) -> str:
    """The key of a session of this member of staff, who has just given the second factor."""
    key, moment = secrets.token_urlsafe(32), real_now()
    later = moment.replace(year=moment.year + 1)
    content = {"_user_id": str(account), "_fresh": True, "second_factor_at": later.isoformat()}
    with Session(engine) as session, session.begin():
        session.add(WebSession(
            digest=digest_of(key), account_id=account, data=content, created_at=moment, seen_at=moment, expires_at=later,
        ))  # fmt: skip
    return key


class Desk:
    """Looks at the queue until `stop`; what it saw is in `seen`, on the clock of the families."""

    def __init__(self, port: int, key: str):
        self.port, self.key, self.tally = port, key, Tally()
        self._chance, self._stopped = random.Random(1), asyncio.Event()

    async def work(self, began: float) -> None:
        self.tally.began = began
        async with asyncio.TaskGroup() as looks:
            while not self._stopped.is_set():
                looks.create_task(self._look())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), EVERY)

    def stop(self) -> None:
        self._stopped.set()

    async def _look(self) -> None:
        browser = Browser(self.port, self.tally, self._chance)
        browser.address = ADDRESS
        browser.cookies["session"] = self.key
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            await browser.ask("queue", QUEUE)
        browser.close()

    @property
    def seen(self) -> list[Seen]:
        return self.tally.seen
