"""TRU15: the few metrics that matter, who may read them, rules that name metrics which exist, and settings that PostgreSQL takes."""

import dataclasses
import re
import subprocess

import pytest
from sqlalchemy import text

from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from portal.operations.embedded import BINARIES
from portal.web.metrics.state import DESCRIPTIONS
from tests.operations.serving import ROOT
from tests.operations.test_deploy import read

ALERTS = (ROOT / "deploy" / "alerts.yml").read_text("utf-8")
METRIC = re.compile(r"\bportal_[a-z_]+\b")


@pytest.fixture
def scrape(client):
    def scrape() -> dict[str, float]:
        answer = client.get("/metrics", inspect=False)
        assert answer.status_code == 200
        lines = [line.rsplit(" ", 1) for line in answer.text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    return scrape


def test_tru15_only_this_machine_or_the_token_reads_the_metrics(app, client, monkeypatch):
    assert client.get("/metrics", inspect=False).status_code == 200
    assert client.get("/metrics", inspect=False, environ_overrides={"REMOTE_ADDR": "10.0.0.9"}).status_code == 403
    services = app.extensions["services"]
    config = dataclasses.replace(services.config, metrics_token="a token of sixteen")
    monkeypatch.setitem(app.extensions, "services", dataclasses.replace(services, config=config))
    assert client.get("/metrics", inspect=False).status_code == 403
    given = {
        "headers": {"Authorization": "Bearer a token of sixteen"},
        "environ_overrides": {"REMOTE_ADDR": "10.0.0.9"},
    }
    assert client.get("/metrics", inspect=False, **given).status_code == 200
    assert client.get("/metrics", inspect=False, headers={"Authorization": "Bearer é"}).status_code == 403


def test_tru15_what_happens_is_counted_and_what_waits_grows_old(scrape, town, portal_session, frozen_clock, client):
    town.area()
    jobs.enqueue(portal_session, "warm_engine", now=town.now)
    portal_session.execute(text("INSERT INTO audit_entry (at, act, subject, subject_id, details) "
                                "VALUES (now(), 'sign_in', 'account', 'x', '{}')"))  # fmt: skip
    portal_session.commit()
    pages = 'portal_request_seconds_count{desk="public",outcome="2xx"}'
    before = scrape().get(pages, 0)
    client.get("/")
    frozen_clock.move(minutes=10)
    found = scrape()
    assert found[pages] == before + 1
    assert found["portal_jobs_due"] == 1
    assert found["portal_oldest_job_seconds"] == 600
    assert found["portal_seal_lag_seconds"] > 0
    assert found['portal_up{part="database"}'] == found['portal_up{part="queue"}'] == 1
    assert "portal_backup_age_seconds" not in found, "there is none"
    assert not any(re.search("[一-鿿]", name) for name in found)


def test_tru15_without_the_database_the_metrics_say_so(app, client, monkeypatch):
    services = app.extensions["services"]
    away = open_engine("postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setitem(app.extensions, "services", dataclasses.replace(services, engine=away))
    answer = client.get("/metrics", inspect=False)
    assert answer.status_code == 200
    assert 'portal_up{part="database"} 0.0' in answer.text


def test_tru15_every_rule_names_metrics_that_the_portal_has(client, town, portal_session):
    town.area()
    portal_session.commit()
    client.get("/")
    told = client.get("/metrics", inspect=False).text
    # an age is left out where there is nothing to be old
    there = set(METRIC.findall(told)) | {metric for metric, _help in DESCRIPTIONS.values()}
    expressions = re.findall(r"^ +expr: (.+)$", ALERTS, re.MULTILINE)
    assert len(expressions) == ALERTS.count("- alert: ") > 15
    for expression in expressions:
        named = set(METRIC.findall(expression))
        assert named, expression
        assert named <= there, expression
    unwatched = {metric for metric, _help in DESCRIPTIONS.values()} - set(METRIC.findall(ALERTS))
    assert unwatched == {"portal_jobs_due", "portal_codes_due", "portal_notices_due"}, (
        "the age says it better than the number"
    )


def test_tru15_each_rule_says_what_to_do():
    assert (
        ALERTS.count("- alert: ") == ALERTS.count("summary: ") == ALERTS.count("action: ") == ALERTS.count("severity: ")
    )


def test_tru15_postgresql_knows_every_setting_of_deploy():
    wanted = (ROOT / "deploy" / "postgresql.conf").read_text("utf-8")
    names = re.findall(r"^(\w+) =", wanted, re.MULTILINE)
    assert {"synchronous_commit", "fsync", "log_rotation_size", "idle_in_transaction_session_timeout"} <= set(names)
    share = subprocess.run(
        [str(BINARIES / "postgres"), "--describe-config"], capture_output=True, text=True, check=True
    )
    known = {line.split("\t")[0] for line in share.stdout.splitlines()}
    assert set(names) <= known


def test_tru15_the_archive_of_wal_is_the_standby_that_the_settings_wait_for():
    unit = read(ROOT / "deploy" / "systemd" / "portal-wal.service")["Service"]["ExecStart"]
    assert "application_name=portal_wal" in unit
    assert "--synchronous" in unit
    assert "synchronous_standby_names = 'portal_wal'" in (ROOT / "deploy" / "postgresql.conf").read_text("utf-8")
