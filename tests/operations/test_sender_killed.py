"""`kill -9` of the real sender process while the gateway is slow and unsteady: no message is lost, none is sent twice."""

import contextlib
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy.orm import Session

from enrollment.delivery import sender_status
from enrollment.delivery.lanes import Lane
from enrollment.ground import vault
from enrollment.ground.db import open_engine
from enrollment.ground.vault import Keys
from portal.gateways.stand_ins.messages import Mood, TestGateway
from portal.operations import doctor
from tests.operations.serving import ROOT, environment, eventually
from tests.support.keys import KEYS
from tests.support.sender import Outbox, number


@pytest.fixture
def engine_of_sender(real_database):
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


@pytest.fixture
def key_file(tmp_path):
    """The sender process and the test seal with the same keys."""
    keys = tmp_path / "keys.json"
    Keys.write_new(keys, "demo-test")
    vault.unlock(Keys.from_file(keys))
    yield keys
    vault.unlock(KEYS)


@pytest.fixture
def start(tmp_path, real_database, redis_url, key_file):
    started: list[subprocess.Popen] = []

    def start(gateway: str) -> subprocess.Popen:
        environ = environment(
            tmp_path, DATABASE_URL=real_database, REDIS_URL=redis_url, SECRET_KEY="demo-test", KEY_FILE=str(key_file),
            DEMO="1", MESSAGE_GATEWAY=gateway,
        )  # fmt: skip
        with (tmp_path / "sender.log").open("a") as log:
            command = [sys.executable, "-m", "flask", "--app", "wsgi", "sender"]
            started.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.long
def test_tru02_a_killed_sender_loses_no_message_and_sends_none_twice(start, engine_of_sender, real_database):
    outbox = Outbox(engine_of_sender)
    ids = outbox.add_notices(*map(number, range(400))) + outbox.add_codes(*map(number, range(500, 510)))
    with TestGateway(delay=0.13, unsteady=0.03) as gateway:
        for _kill in range(2):
            sender = start(gateway.url)
            before = gateway.calls.total()
            eventually(lambda before=before: gateway.calls.total() > before + 60, 60)
            sender.kill()
            sender.wait()
        assert "sending" in outbox.states(ids), "it was killed in the middle"
        sender = start(gateway.url)
        eventually(lambda: set(outbox.states(ids)) == {"sent"}, 90)
        assert all(gateway.delivered[str(each)].times == 1 for each in ids)
        assert doctor.finding("sender", lambda: doctor.sender(real_database)).well
        began = time.monotonic()
        gateway.mood = Mood.FAULTY
        more = outbox.add_notices(*map(number, range(600, 612)))
        eventually(lambda: not doctor.finding("gateway", lambda: doctor.gateway(real_database)).well, 20)
        assert set(outbox.states(more)) <= {"waiting", "sending"}
        sender.send_signal(signal.SIGTERM)
        assert sender.wait(20) == 0
        assert time.monotonic() - began < 40
    assert set(outbox.states(more)) == {"waiting"}, "SIGTERM leaves no claim behind"


def test_a_sender_that_is_silent_is_found(real_database, engine_of_sender, now):
    """Its sign of life is a row, which an emptied queue does not lose (TRU06)."""
    assert "start `flask sender`" in doctor.finding("sender", lambda: doctor.sender(real_database)).fault
    with Session(engine_of_sender) as session, session.begin():
        sender_status.report(session, Lane.CODES, seen_at=now, down_since=None, error=None)
    assert "codes and notices" in doctor.finding("sender", lambda: doctor.sender(real_database)).fault
