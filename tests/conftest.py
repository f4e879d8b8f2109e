"""What every test may ask for: a database, a frozen time, the portal and a client that inspects each page.

`session` and `client` share one transaction that is rolled back after the test.  A test whose rows must really be
committed (threads, workers, servers) asks for `real_database` and gets one of its own.
"""

import datetime as dt
import itertools
import os
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.db import open_engine
from tests.support.keys import KEYS
from tests.support.servers import Addresses, Servers

NOW = dt.datetime(2026, 5, 22, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

_servers: Servers | None = None
_addresses: Addresses | None = None
_numbers = itertools.count()


def _start_once() -> Addresses:
    global _servers, _addresses
    if _addresses is None:
        _servers = Servers()
        _addresses = _servers.start()
    return _addresses


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """The controlling process starts the servers and tells each worker where they are."""
    node.workerinput["addresses"] = _start_once().as_plain()


def pytest_configure(config):
    global _addresses
    vault.unlock(KEYS)
    if hasattr(config, "workerinput"):
        _addresses = Addresses(**config.workerinput["addresses"])


def pytest_unconfigure(config):
    if _servers is not None:
        _servers.stop()


@pytest.fixture(scope="session")
def addresses() -> Addresses:
    return _start_once()


@pytest.fixture(scope="session")
def worker_number() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def engine(addresses, worker_number):
    """An engine on this worker's database.  Nothing is ever committed there, so it stays as the migrations left it."""
    engine = open_engine(addresses.create(f"worker_{worker_number}"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine):
    with engine.connect() as connection:
        outer = connection.begin()
        yield connection
        outer.rollback()


@pytest.fixture
def session(connection):
    """A session whose commits are kept until the end of the test and then undone."""
    with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        yield session


@pytest.fixture
def real_database(addresses, worker_number):
    """The address of a fresh, migrated database of this test's own, where commits are commits."""
    name = f"test_{worker_number}_{next(_numbers)}"
    yield addresses.create(name)
    addresses.drop(name)


@pytest.fixture
def redis_url(addresses, worker_number):
    """An empty queue of this worker's own."""
    import redis

    url = addresses.queue(1 + worker_number % 15)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def now() -> dt.datetime:
    """The time at which every test stands unless it says otherwise: a morning in the week of registration."""
    return NOW
