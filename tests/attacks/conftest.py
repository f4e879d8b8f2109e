"""Fixtures for attacks: the portal with production settings, and concurrent transactions on a real database."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys
from portal.app import create_app
from portal.config import Config
from portal.web.rate_limits import limiter
from tests.support.keys import KEYS
from tests.support.town import Town

LOCKS_ROWS = re.compile(r"\bFOR (NO KEY )?UPDATE\b")
WAITS_FOR_A_LOCK = 0.5
"""Seconds after which an act with its first lock continues, because the others wait for this lock, as they should."""


@pytest.fixture(scope="session")
def production(portal_engine, addresses, worker_number):
    """The portal with production settings: https, no demo, no testing mode; on the database of this worker."""
    was = limiter.enabled, limiter.initialized
    config = Config(
        database_url=portal_engine.url.render_as_string(hide_password=False),
        redis_url=addresses.queue(1 + worker_number % 15),
        secret_key="a secret of a city that is long enough to be one",
        keys=Keys(KEYS.sealing, KEYS.current, KEYS.index),
        public_url="https://admission.example",
        message_gateway="https://messages.example/send",
    )
    app = create_app(config, portal_engine)
    limiter.enabled, limiter.initialized = was
    return app


@pytest.fixture
def race(real_database) -> Iterator["Race"]:
    engine = open_engine(real_database, pool_size=20)
    yield Race(engine)
    engine.dispose()


class Race:
    """Acts that start at the same time, each in its own transaction."""

    def __init__(self, engine):
        self.engine = engine

    def town(self, now) -> Town:
        return Town(Session(self.engine, expire_on_commit=False), now)

    def at_once(self, *acts: Callable[[Session], object]) -> list[object]:
        """What each act returned, or the fault that it raised, in the order of the acts."""
        start, results = threading.Barrier(len(acts)), [None] * len(acts)

        def run(place: int, act: Callable[[Session], object]) -> None:
            with Session(self.engine, expire_on_commit=False) as session:
                start.wait()
                try:
                    results[place] = act(session)
                    session.commit()
                except Exception as fault:
                    session.rollback()
                    results[place] = fault

        threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        return results

    def crossing(self, *acts: Callable[[Session], object]) -> list[object]:
        """The same, but each act pauses after its first lock until the others hold theirs, or a timeout.

        Two acts that lock the same rows in different orders then deadlock, and PostgreSQL aborts one of them.
        """
        met, arrived = threading.Barrier(len(acts)), threading.local()

        def pause(connection, cursor, statement, *rest) -> None:
            if LOCKS_ROWS.search(statement) and not hasattr(arrived, "yes"):
                arrived.yes = True
                with contextlib.suppress(threading.BrokenBarrierError):
                    met.wait(WAITS_FOR_A_LOCK)

        event.listen(self.engine, "after_cursor_execute", pause)
        try:
            return self.at_once(*acts)
        finally:
            event.remove(self.engine, "after_cursor_execute", pause)
