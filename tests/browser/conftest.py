"""Fixtures for browser tests: the portal on a port with its own database, and workers on request.

    def test_…(site, workers, phone): the site answers, background work gets done, `phone` is a page at 390 px

A browser test fails when Chromium is missing: it never passes unseen.

Before the command of a test, `LATE_SCRIPTS=400` sends every script so many milliseconds late, and `HALF_PAGES=300` the second
half of every page: a test that acts on a page before its scripts listen, or takes what has not come yet for gone, fails then each
time, and not only on a busy machine.
"""

import contextlib
import datetime as dt
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from enrollment.delivery import sender_status
from enrollment.delivery.lanes import Lane
from enrollment.ground.db import open_engine
from enrollment.ground.demo_clock import DemoClock
from portal.app import create_app
from portal.config import Config, SingleSignOn
from portal.gateways.stand_ins.single_sign_on import TestProvider
from portal.operations.child_processes import end_session
from portal.text.catalogues import compile_stale
from portal.web.clock import real_now
from tests.browser.another_page import PATIENCE
from tests.operations.serving import ROOT, environment, free_port
from tests.support import chromium
from tests.support.findings import finding_of
from tests.support.keys import KEYS, write_key_file
from tests.support.servers import empty

SECRET = "demo-for-browser-tests-only"
LATE_SCRIPTS = int(os.environ.get("LATE_SCRIPTS", "0")) / 1000
HALF_PAGES = int(os.environ.get("HALF_PAGES", "0")) / 1000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    """Of the tests in the browser, `make test` runs those marked `smoke` and the first form of each test of a finding."""
    seen = set()
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            test = item.nodeid.partition("[")[0]
            if item.get_closest_marker("smoke") is None and (finding_of(item) is None or test in seen):
                item.add_marker(pytest.mark.long)
            seen.add(test)


class Site:
    """The running portal of one test.  `url` is its address; `engine` and `session()` access its rows."""

    def __init__(self, url: str, engine, environ: dict[str, str]):
        self.url, self.engine, self.environ = url, engine, environ

    def session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)

    def set_time(self, moment: dt.datetime) -> None:
        """Set the city's time to `moment` for pages, workers and the scheduler; it continues to run."""
        with self.session() as session, session.begin():
            session.execute(delete(DemoClock))
            session.add(DemoClock(ahead=moment - real_now()))


def slowly(app):
    """The portal, whose scripts come `LATE_SCRIPTS` seconds late and second halves of pages `HALF_PAGES` seconds after the first."""

    def answer(environ, start_response):
        if environ["PATH_INFO"].endswith(".js"):
            time.sleep(LATE_SCRIPTS)
        said = []

        def start(status, headers, *fault):
            said.extend(headers)
            return start_response(status, headers, *fault)

        parts = app(environ, start)
        is_page = any(name.lower() == "content-type" and value.startswith("text/html") for name, value in said)
        return in_halves(parts) if HALF_PAGES and is_page else parts

    return answer if LATE_SCRIPTS or HALF_PAGES else app


def in_halves(parts):
    whole = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    yield whole[: len(whole) // 2]
    time.sleep(HALF_PAGES)
    yield whole[len(whole) // 2 :]


@pytest.fixture(scope="session")
def whole_site(addresses, worker_number, tmp_path_factory):
    """The running portal, built once for all tests of this worker."""
    compile_stale()
    folder = tmp_path_factory.mktemp("site")
    database = addresses.create(f"site_{worker_number}")
    as_portal = addresses.as_portal(database)
    queue = addresses.queue(1 + worker_number % 15)
    engine = open_engine(database)
    key_file = write_key_file(folder / "keys.json")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    sign_on = TestProvider(f"{url}/sign-in/sso/back")
    app_config = Config(
        database_url=as_portal,
        redis_url=queue,
        secret_key=SECRET,
        keys=KEYS,
        demo=True,
        public_url=url,
        single_sign_on=SingleSignOn(sign_on.issuer, sign_on.client_id, sign_on.client_secret),
        testing=True,
    )
    app = create_app(app_config, open_engine(as_portal))
    server = make_server("127.0.0.1", port, slowly(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    environ = environment(
        folder,
        DATABASE_URL=as_portal,
        REDIS_URL=queue,
        SECRET_KEY=SECRET,
        KEY_FILE=str(key_file),
        DEMO="1",
        PUBLIC_URL=url,
    )
    with sign_on:
        yield Site(url, engine, environ)
    server.shutdown()
    thread.join()
    engine.dispose()


@pytest.fixture
def site(whole_site, redis_url, now):
    """The running portal with rows and a queue of this test only."""
    whole_site.set_time(now)
    yield whole_site
    with whole_site.engine.connect() as connection:
        empty(connection)


def wait_for_senders(site: Site, log_file: Path) -> None:
    """A person waits 20 s for a code; the start of three processes beside other tests is not part of that."""
    for _ in range(240):
        with site.session() as session:
            if sender_status.of_lane(session, Lane.CODES) is not None:
                return
        time.sleep(0.25)
    raise AssertionError(f"no sender started:\n{log_file.read_text()[-4000:]}")


@pytest.fixture
def workers(site, tmp_path):
    """A real worker and a real scheduler, each in its own process, on the site's database."""
    log_file = tmp_path / "background.log"
    with log_file.open("a") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", *command],
                cwd=ROOT,
                env=site.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            for command in (("worker", "all"), ("scheduler",), ("sender",))
        ]
    wait_for_senders(site, log_file)
    yield started
    for process in started:
        process.terminate()
    for process in started:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        end_session(process.pid)
        process.wait()


@pytest.fixture
def new_page(browser, site):
    """A function that opens another person's browser: `new_page(phone=True, language="en")`.

    What a page writes to its console as an error, a blocked script among them, fails the test; so does a form that was sent
    and whose answer the test did not wait for: whether it arrives is chance.  `busy`: the test gives answers of a portal that has no
    time, which the browser notes.
    """
    contexts, faults = [], []

    def open_page(*, phone: bool = False, language: str = "zh-CN", worker: bool = False, busy: bool = False):
        def note(message):
            if is_fault(message) and not (busy and "the server responded with a status of 50" in message.text):
                faults.append(f"{page.url}: {message.text}")

        context = chromium.open_context(browser, phone=phone, language=language, base_url=site.url, worker=worker)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("requestfailed", lambda request: faults.append(f"not awaited: {request.url}") if cut(request) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


def is_fault(message) -> bool:
    # an answer of 4xx is a page of ours, which the test looks at; the browser notes it as an error too, and so it notes
    # a request without a network, which a test has cut
    known = ("the server responded with a status of 4", "net::ERR_INTERNET_DISCONNECTED", "net::ERR_CONNECTION_REFUSED")
    return message.type == "error" and not any(text in message.text for text in known)


def cut(request) -> bool:
    """Whether a form was sent and its answer was not awaited."""
    return request.method == "POST" and request.is_navigation_request() and request.failure == "net::ERR_ABORTED"


@pytest.fixture
def phone(new_page):
    return new_page(phone=True)


@pytest.fixture
def desk(new_page):
    return new_page(phone=False)
