"""TRU05: the head of each day is on a public page, and its file is what `flask audit verify --against` compares with."""

import dataclasses
import json

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, text

from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit_chain import copies, heads, sealing
from enrollment.ground.operations import alarms
from enrollment.ground.operations.alarms import AlarmCode
from enrollment.ground.outbox import TextMessage
from portal.jobs.head_copy import HeadCopy
from portal.jobs.scheduler import Scheduler


@pytest.fixture
def trail(new_connections, client, portal_session, now):
    for number in range(5):
        audit.record(portal_session, "view", "application", number, by=SYSTEM, now=now)
    sealing.seal(portal_session)
    portal_session.commit()
    return portal_session


def cut_tail(session):
    """By the owner of the database, who puts an older head back as well."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text("DELETE FROM audit_entry WHERE link > 3"))
    session.execute(text("DELETE FROM audit_head"))
    session.commit()
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text("UPDATE audit_entry SET link = NULL, digest = NULL, seal_key = NULL"))
    session.commit()
    sealing.seal(session)
    session.commit()


def verify(app, *more):
    done = app.test_cli_runner().invoke(args=["audit", "verify", *more])
    return done.exit_code, done.output


def open_alarms(session) -> set[str]:
    return {alarm.code for alarm in alarms.open_alarms(session)}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_tru05_the_page_shows_the_head_of_each_day(trail, client, lang):
    head = heads.newest(trail)
    page = BeautifulSoup(client.get(f"/audit-heads?lang={lang}").text, "lxml")
    (row,) = page.select("main tbody tr")
    assert head.day in row.text
    assert head.digest in row.text
    assert client.get(f"/audit-heads/{head.day}.json").get_json() == json.loads(head.as_json())
    assert client.get("/audit-heads/2020-01-01.json").status_code == 404
    assert client.get("/audit-heads/yesterday.json").status_code == 404


def test_tru05_an_empty_trail_has_a_page(client):
    assert "还没有公布的链头" in client.get("/audit-heads").text


def test_tru05_a_published_head_finds_a_trail_that_was_put_back(app, trail, client, tmp_path):
    """The database alone agrees with itself; the file that somebody kept does not agree with it."""
    file = tmp_path / "head.json"
    file.write_text(client.get(f"/audit-heads/{heads.newest(trail).day}.json").text)
    assert verify(app, "--against", str(file))[0] == 0
    cut_tail(trail)
    code, output = verify(app, "--against", str(file))
    assert (code, "The trail disagrees with the copy of a head" in output) == (1, True)


def test_tru05_a_changed_file_is_not_a_head(app, trail, tmp_path):
    file = tmp_path / "head.json"
    file.write_text(heads.newest(trail).as_json().replace('"link": 5', '"link": 4'))
    assert "signature" in verify(app, "--against", str(file))[1]
    file.write_text("[]")
    assert "is not a head of the audit trail" in verify(app, "--against", str(file))[1]


def test_tru05_the_command_writes_the_head_and_never_an_older_one(app, trail, tmp_path):
    file = tmp_path / "head.json"
    runner = app.test_cli_runner()
    assert "5 sealed" in runner.invoke(args=["audit", "head", str(file)]).output
    assert copies.read_copy(file) == heads.newest(trail)
    cut_tail(trail)
    assert "does not continue" in runner.invoke(args=["audit", "head", str(file)]).output
    assert copies.read_copy(file).link == 5


def test_tru05_the_scheduler_copies_the_head_and_reports_a_trail_that_is_behind(
    app, client, trail, portal_engine, redis_url, tmp_path, caplog, now
):
    import redis

    file = tmp_path / "head.json"
    config = dataclasses.replace(
        app.extensions["services"].config,
        alarm_phones=("+8613900000001", "+8613900000002"),
        message_gateway="http://127.0.0.1:9",
    )
    with redis.Redis.from_url(redis_url) as queue:
        scheduler = Scheduler(portal_engine, queue, lambda _session: now, schedule=(), head_file=file, config=config)
        scheduler._housekeeping(1e9)
        assert AlarmCode.TRAIL_BROKEN not in open_alarms(trail)
        assert copies.read_copy(file) == heads.newest(trail)
        trail.rollback()
        cut_tail(trail)
        for number in range(9):  # and it grows beyond the copy
            audit.record(trail, "view", "application", number, by=SYSTEM, now=now)
        trail.commit()
        for turn in range(2, 6):
            scheduler._housekeeping(turn * 1e9)
            audit.record(trail, "view", "application", turn, by=SYSTEM, now=now)
            trail.commit()
        assert caplog.text.count("the audit trail does not continue its copied head") == 1
        assert AlarmCode.TRAIL_BROKEN in open_alarms(trail)
        told = [message.to for message in trail.scalars(select(TextMessage)) if "audit verify" in message.body]
        assert sorted(told) == list(config.alarm_phones), "once a phone"
        assert 'portal_alarm{code="trail_broken"} 1.0' in client.get("/metrics", inspect=False).text
    assert copies.read_copy(file).link == 5, "the copy stays as evidence"


def test_tru05_a_head_that_cannot_be_copied_is_said_once_and_again_when_it_can(trail, portal_engine, tmp_path, caplog):
    folder = tmp_path / "closed"
    copy = HeadCopy(portal_engine, folder / "head.json")
    for _second in range(3):
        copy.update(sealed=False)
    assert copy.faults == {AlarmCode.HEAD_NOT_COPIED}
    assert caplog.text.count("cannot be copied") == 1
    folder.mkdir()
    copy.update(sealed=False)
    assert copy.faults == set()
    assert caplog.text.count("copied to") == 2
    assert copies.read_copy(folder / "head.json") == heads.newest(trail)
