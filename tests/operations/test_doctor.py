"""Health checks find unhealthy parts, and `/healthz` reports them."""

import pytest

from portal.operations import doctor


def parts(answer):
    assert set(answer.json) == {"well", "parts"}
    assert set(answer.json["parts"]) == {"database", "queue", "worker", "clock", "letters"}
    return answer.json["parts"]


def test_without_a_worker_the_portal_is_unhealthy(client, redis_url):
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert parts(answer)["database"]
    assert parts(answer)["queue"]
    assert not parts(answer)["worker"]
    assert answer.headers["Cache-Control"] == "no-store"


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


def test_a_queue_that_does_not_answer():
    assert "REDIS_URL" in doctor.finding("queue", lambda: doctor.queue("redis://127.0.0.1:1/0")).fault


def test_letters_name_the_missing_packages(monkeypatch):
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None if "pango" in name else name)
    fault = doctor.finding("letters", doctor.letters).fault
    assert "libpango-1.0-0" in fault
    assert "libharfbuzz-subset0" not in fault
