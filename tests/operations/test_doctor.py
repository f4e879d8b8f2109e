"""Health checks find unhealthy parts, and `/healthz` reports them."""

import psycopg
import pytest
from sqlalchemy import text

from enrollment.ground import background_processes
from enrollment.ground.db import open_engine
from portal.app import create_app
from portal.config import Config
from portal.jobs.queue_entries import QUEUES
from portal.operations import doctor
from tests.support.keys import KEYS
from tests.support.servers import downgrade


def parts(answer):
    assert set(answer.json) == {"well", "parts"}
    assert set(answer.json["parts"]) == {"database", "queue", "worker", "clock", "sender", "gateway", "letters"}
    return answer.json["parts"]


def test_without_a_worker_the_portal_is_unhealthy(client, redis_url):
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert parts(answer)["database"]
    assert parts(answer)["queue"]
    assert not parts(answer)["worker"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_tru06_a_worker_lives_while_the_database_hears_it(client, portal_session, redis_url):
    background_processes.report(portal_session, "all.here.1", QUEUES)
    background_processes.report(portal_session, "scheduler.here.2", [background_processes.CLOCK])
    found = parts(client.get("/healthz"))
    assert found["worker"] and found["clock"]
    portal_session.execute(text("UPDATE background_process SET seen_at = now() - interval '50 s'"))
    found = parts(client.get("/healthz"))
    assert not found["worker"] and not found["clock"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody@127.0.0.1:1/nothing", "DATABASE_URL"),
        ("postgresql://nobody@/nothing?host=/nowhere", "DATABASE_URL"),
    ],
)
def test_a_database_that_does_not_answer(url, words):
    assert words in doctor.finding("database", lambda: doctor.database(url)).fault


def test_findings_contain_no_password():
    fault = doctor.finding("database", lambda: doctor.database("postgresql://me:hushhush@127.0.0.1:1/x")).fault
    assert "hushhush" not in fault


def test_an_empty_database_needs_its_tables(addresses):
    assert "flask migrate" in doctor.finding("database", lambda: doctor.database(addresses.database("postgres"))).fault


def test_a_migrated_database_is_healthy(real_database):
    assert doctor.finding("database", lambda: doctor.database(real_database)).well


@pytest.fixture
def commands(real_database, redis_url):
    """`flask …` of a portal on a database of this test's own."""
    config = Config(
        database_url=real_database,
        redis_url=redis_url,
        secret_key="for tests only, and nowhere else",
        keys=KEYS,
        demo=True,
        public_url="http://localhost",
        testing=True,
    )
    engine = open_engine(real_database)
    yield create_app(config, engine).test_cli_runner().invoke
    engine.dispose()


def revision_becomes(url, revision):
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])


def test_a_database_of_another_version_is_named_by_migrate_and_doctor(commands, real_database):
    revision_becomes(real_database, "0014")
    for command in ("migrate", "doctor"):
        said = commands(args=[command])
        assert said.exit_code == 1
        [line] = [line for line in said.output.splitlines() if "another version" in line]
        assert "0014" in line
        assert "make clean-data" in line
    with psycopg.connect(real_database) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0014",)


@pytest.mark.long
def test_earlier_tables_need_the_migrations(commands, real_database):
    engine = open_engine(real_database)
    downgrade(engine, "0008_draw")
    engine.dispose()
    assert "earlier version of the portal: run `flask migrate`" in commands(args=["doctor"]).output
    assert commands(args=["migrate"]).output == "the tables are up to date\n"
    assert doctor.finding("database", lambda: doctor.database(real_database)).well


def test_a_queue_that_does_not_answer():
    assert "REDIS_URL" in doctor.finding("queue", lambda: doctor.queue("redis://127.0.0.1:1/0")).fault


def test_letters_name_the_missing_packages(monkeypatch):
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None if "pango" in name else name)
    fault = doctor.finding("letters", doctor.letters).fault
    assert "libpango-1.0-0" in fault
    assert "libharfbuzz-subset0" not in fault
