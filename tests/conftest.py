"""What every test may ask for: a database, a frozen time, the portal and a client that inspects each page.

A test of the domain uses `session`, which is rolled back.  A test of pages also uses `client`: then `session` is on the
portal's database, what it holds is committed before each request, and all rows are deleted after the test.  A test with
threads, workers or servers asks for `real_database` and gets one of its own.
"""

import datetime as dt
import gc
import itertools
import os
import threading
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.db import open_engine
from portal.app import create_app
from portal.config import Config
from portal.text.catalogues import compile_stale
from tests.support.inspecting_client import InspectingClient, refuse_unsaved_work
from tests.support.keys import KEYS
from tests.support.prepared import Committed, InTransaction, Key, Setups, SharedSetup, key_of
from tests.support.servers import Addresses, Servers, empty

hypothesis.settings.register_profile("same-every-time", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same-every-time"))
# A check of a change tries the same examples each time: a fault that it finds came with the change.  `make explore` looks
# for others.

COLLECTED = pytest.StashKey[list[pytest.Item]]()
"""Every test that was found, those too that `-m` leaves out."""

NOW = dt.datetime(2026, 5, 22, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

_servers: Servers | None = None
_addresses: Addresses | None = None
_template: threading.Thread | None = None
_template_made: Path | None = None
"""In a worker: the file that tells it that it can make databases."""

_numbers = itertools.count()
_setups = Setups()


def _start_once() -> Servers:
    """Start the servers of this session; a thread of theirs migrates the database that others are made from."""
    global _servers, _template
    if _servers is None:
        _servers = Servers()
        _servers.start()
        _template = threading.Thread(target=_servers.make_template)
        _template.start()
    return _servers


def _wait_for_template(made: Path) -> None:
    ends = time.monotonic() + 300
    while not made.exists():
        assert time.monotonic() < ends, "the migrations have not come to an end"
        time.sleep(0.05)
    assert not (fault := made.read_text()), fault


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """The controlling process starts the servers and tells each worker where they are; workers collect while it migrates."""
    servers = _start_once()
    node.workerinput["addresses"] = servers.addresses.as_plain()
    node.workerinput["template_made"] = str(servers.template_made)


def pytest_configure(config):
    global _addresses, _template_made
    vault.unlock(KEYS)
    if hasattr(config, "workerinput"):
        _addresses = Addresses(**config.workerinput["addresses"])
        _template_made = Path(config.workerinput["template_made"])


def pytest_collection_modifyitems(config, items):
    """The slow files first: one that begins last keeps one core busy while the other has nothing left to do.

    In a file, tests that share their set-up stand together.
    """
    # before `-m` takes any away: a guard looks at what `make test` leaves to `make test-long`
    config.stash[COLLECTED] = list(items)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    files: dict[Path, int] = {}
    setups: dict[tuple[Path, Key], int] = {}
    for item in items:
        files.setdefault(item.path, len(files))
        setups.setdefault((item.path, key_of(item)), len(setups))
    items.sort(key=lambda item: (item.path not in slow, files[item.path], setups[item.path, key_of(item)]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """A shared set-up ends with its last test: no transaction stays open beside other tests."""
    result = yield
    if nextitem is None or key_of(nextitem) != key_of(item):
        _setups.discard()
    return result


def pytest_collection_finish(session):
    """What is loaded now stays until the end: it need not be looked through for garbage, again and again."""
    gc.freeze()


def pytest_unconfigure(config):
    if _servers is not None:
        _template.join()
        _servers.stop()


@pytest.fixture(scope="module", autouse=True)
def keys_of_the_tests():
    """A file that opens the vault with the keys of a served portal leaves them to no other file."""
    yield
    vault.unlock(KEYS)


@pytest.fixture(scope="session")
def addresses() -> Addresses:
    found, made = _addresses, _template_made
    if found is None:
        servers = _start_once()
        found, made = servers.addresses, servers.template_made
    _wait_for_template(made)
    return found


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
def session(request):
    """A session for the test's own rows; on the portal's database when the test opens pages."""
    if "app" in request.fixturenames:
        yield request.getfixturevalue("portal_session")
        return
    if setup := request.getfixturevalue("shared_setup"):
        yield setup.session
        return
    with request.getfixturevalue("engine").connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture
def shared_setup(request) -> SharedSetup | None:
    """The set-up by the test's `@prepared` fixtures, as it was when it was built; None if it has none."""
    if not key_of(request.node):
        return None
    if "app" in request.fixturenames:
        request.getfixturevalue("app")
        return _setups.take(request, Committed, request.getfixturevalue("portal_engine"))
    return _setups.take(request, InTransaction, request.getfixturevalue("engine"))


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


class FrozenClock:
    """The portal's time, of pages and of background work.  It stands until the test moves it."""

    def __init__(self, now: dt.datetime):
        self.now = now

    def move(self, **how_far) -> dt.datetime:
        """Go on by so many `days`, `hours`, `minutes` …; the new time."""
        self.now += dt.timedelta(**how_far)
        return self.now

    def set(self, now: dt.datetime) -> dt.datetime:
        self.now = now
        return now


@pytest.fixture(scope="session")
def clock_of_the_worker() -> FrozenClock:
    """One for all tests, because a function of a shared set-up may hold it."""
    return FrozenClock(NOW)


@pytest.fixture
def frozen_clock(monkeypatch, now, clock_of_the_worker) -> FrozenClock:
    clock = clock_of_the_worker
    clock.set(now)
    monkeypatch.setattr("portal.web.clock.real_now", lambda: clock.now)
    monkeypatch.setattr("portal.web.clock.database_now", lambda _session: clock.now)
    monkeypatch.setattr("portal.web.clock.of_epoch", lambda _microseconds: clock.now)
    return clock


@pytest.fixture(scope="session")
def portal_engine(addresses, worker_number):
    engine = open_engine(addresses.create(f"portal_{worker_number}"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def app_engine(portal_engine, addresses):
    """The same database as the portal sees it: with a role that owns nothing."""
    engine = open_engine(addresses.as_portal(portal_engine.url.render_as_string(hide_password=False)))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def whole_app(app_engine, portal_engine, addresses, worker_number):
    """The portal in demo mode, put together once for all tests of this worker."""
    compile_stale()
    config = Config(
        database_url=app_engine.url.render_as_string(hide_password=False),
        owner_database_url=portal_engine.url.render_as_string(hide_password=False),
        redis_url=addresses.queue(1 + worker_number % 15),
        secret_key="for tests only, and nowhere else",
        keys=KEYS,
        demo=True,
        public_url="http://localhost",
        testing=True,
    )
    app = create_app(config, app_engine)
    app.test_client_class = InspectingClient
    app.teardown_request(refuse_unsaved_work)
    return app


@pytest.fixture
def app(request, whole_app, portal_engine, frozen_clock):
    """The portal on a database that is empty again after the test, or has the rows of the shared set-up before the next."""
    yield whole_app
    if key_of(request.node):
        return
    with portal_engine.connect() as connection:
        empty(connection)


@pytest.fixture
def portal_session(app, portal_engine, shared_setup):
    if shared_setup:
        yield shared_setup.session
        return
    with Session(portal_engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def new_connections(portal_engine, app_engine):
    """A test that verifies the audit trail begins with new ones: the entries of other tests on the old ones are gone."""
    portal_engine.dispose()
    app_engine.dispose()


@pytest.fixture
def client(app, portal_session, shared_setup) -> InspectingClient:
    """A browser without a sign-in, which looks at every page that it opens."""
    if shared_setup and shared_setup.client:
        return shared_setup.client
    return new_client(app, portal_session)


@pytest.fixture
def another_client(app, portal_session):
    """A function that gives further browsers: another person, another tab with a session of its own."""
    return lambda: new_client(app, portal_session)


def new_client(app, session) -> InspectingClient:
    client = app.test_client()
    client.rows_of_the_test = session
    return client


@pytest.fixture
def town(request, now):
    """One obvious town; it stands in the portal's database when the test opens pages."""
    from tests.support.town import Town

    if setup := request.getfixturevalue("shared_setup"):
        return setup.town
    opens_pages = {"client", "app", "portal_session"} & set(request.fixturenames)
    return Town(request.getfixturevalue("portal_session" if opens_pages else "session"), now)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One Chromium for all tests of this worker."""
    from tests.support import chromium

    if not chromium.is_there():
        pytest.fail("Chromium is missing, so nothing was seen: sudo apt-get install -y chromium-headless-shell")
    with chromium.chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser
