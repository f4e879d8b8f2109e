"""A failed start prints one line that says how to correct it, and leaves no process."""

import re
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from portal.operations import start
from portal.operations.child_processes import Child
from portal.operations.data_folder import Folder
from portal.operations.embedded import NOT_DURABLE, Postgres
from portal.operations.start_faults import Fault, ServerLost
from tests.operations.serving import LONGEST, refusal, serving
from tests.support.keys import write_key_file


def test_a_busy_port(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        line = refusal(tmp_path / "var", port=port)
    assert f"port {port} is in use" in line
    assert f"make serve PORT={port + 1}" in line


@pytest.mark.long
def test_a_port_that_does_not_exist(tmp_path):
    assert "make serve PORT=8000" in refusal(tmp_path / "var", port=70000)


def test_a_folder_that_cannot_be_written():
    line = refusal("/proc/portal")
    assert "cannot write" in line
    assert "PORTAL_DATA" in line


@pytest.mark.long
def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "var").write_text("")
    assert "cannot write" in refusal(tmp_path / "var")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 40 MB; only root can make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here (it needs root)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.long
def test_a_full_disk(small_disk):
    line = refusal(small_disk / "var")
    assert "disk" in line
    assert re.search(r"\d+ MB free, \d+ MB needed", line)
    assert "free some space" in line


def test_a_database_that_cannot_be_reached(tmp_path):
    line = refusal(tmp_path / "var", DATABASE_URL="postgresql://me:hushhush@127.0.0.1:1/portal")
    assert "DATABASE_URL" in line
    assert "unset DATABASE_URL" in line
    assert "hushhush" not in line


@pytest.mark.long
def test_a_queue_that_cannot_be_reached(tmp_path, addresses, real_database):
    line = refusal(tmp_path / "var", DATABASE_URL=real_database, REDIS_URL="redis://127.0.0.1:1/0")
    assert "unset REDIS_URL" in line


def test_no_keys_are_made_beside_named_ones(tmp_path):
    """They would be taken for the keys of the data as soon as the others are not named."""
    assert (
        start.settings(Folder(tmp_path), {"KEY_FILE": "/elsewhere/keys.json"}, 8000)["KEY_FILE"]
        == "/elsewhere/keys.json"
    )
    assert not (tmp_path / "keys" / "demo-keys.json").exists()
    made = start.settings(Folder(tmp_path), {}, 8000)["KEY_FILE"]
    assert made == str(tmp_path / "keys" / "demo-keys.json")
    assert Path(made).exists()


@pytest.mark.long
def test_a_broken_database_folder(tmp_path):
    folder = tmp_path / "var" / "postgres"
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").write_text("18\n")
    line = refusal(tmp_path / "var")
    assert "keys/demo-keys.json is gone" in line
    assert "put back its copy" in line
    line = refusal(tmp_path / "var", KEY_FILE=str(write_key_file(tmp_path / "keys.json")))
    assert "PostgreSQL did not start" in line
    assert "make clean-data" in line


@pytest.mark.long
def test_an_older_data_folder(tmp_path):
    """The embedded database of a version whose migrations were numbered 0001 to 0014."""
    server = Postgres(tmp_path / "var" / "postgres", tmp_path / "postgres.log", NOT_DURABLE)
    server.start()
    try:
        server.ensure_database("portal")
        with psycopg.connect(server.url("portal")) as connection:
            connection.execute("CREATE TABLE alembic_version AS SELECT CAST('0014' AS varchar(32)) AS version_num")
    finally:
        server.stop()
    line = refusal(tmp_path / "var", KEY_FILE=str(write_key_file(tmp_path / "keys.json")))
    assert "another version" in line
    assert "0014" in line
    assert "make clean-data" in line


@pytest.mark.long
def test_a_database_of_another_version(tmp_path, real_database, redis_url):
    with psycopg.connect(real_database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_tomorrow'")
    line = refusal(tmp_path / "var", DATABASE_URL=real_database, REDIS_URL=redis_url)
    assert "another version" in line
    assert "from_tomorrow" in line


def test_incomplete_production_settings(tmp_path, real_database, redis_url):
    line = refusal(tmp_path / "var", DATABASE_URL=real_database, REDIS_URL=redis_url, DEMO="0")
    assert "SECRET_KEY is not set" in line


@pytest.mark.long
@pytest.mark.parametrize("words", ["bin/postgres", "valkey-server"])
def test_a_start_whose_server_is_killed_begins_anew(tmp_path, words):
    with serving(tmp_path / "var") as portal:
        limit = time.monotonic() + LONGEST
        while True:
            try:
                portal.child(words).send_signal(signal.SIGKILL)
                break
            except AssertionError:
                assert time.monotonic() < limit
                time.sleep(0.01)
        portal.hear("was lost while the portal started: the start begins anew")
        portal.hear("ready at")


def test_what_a_start_takes_for_lost():
    cut = psycopg.errors.AdminShutdown("terminating connection due to administrator command")
    gone = psycopg.OperationalError("server closed the connection unexpectedly")
    for error in (cut, gone):
        with pytest.raises(ServerLost), start.noticing_lost(lambda: [Child("PostgreSQL", [], Path())]):
            raise Fault("the tables could not be brought to this version") from error
    for error in (psycopg.errors.LockNotAvailable("locked"), psycopg.OperationalError("no such file"), None):
        with pytest.raises(Fault) as raised, start.noticing_lost(lambda: [Child("PostgreSQL", [], Path())]):
            raise Fault("the tables could not be brought to this version") from error
        assert type(raised.value) is Fault
    with pytest.raises(Fault) as raised, start.noticing_lost(list):  # a database that others run is theirs to start
        raise Fault("the tables could not be brought to this version") from cut
    assert type(raised.value) is Fault
