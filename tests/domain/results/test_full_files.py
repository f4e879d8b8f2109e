"""DRW03: the full file goes to a named recipient whom two officials agree on, and every copy names who had it."""

import datetime as dt
import io
import json
import zipfile

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from allocation import verify
from enrollment.draw.run_rows import Run
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain import sealing
from enrollment.ground.errors import NotFound, Refused
from enrollment.results import full_files
from enrollment.results.full_files import GrantState
from tests.support.prepared import prepared


@prepared
def run(town):
    garden = town.kindergarten("锦官园", places=1)
    for name in ("安娜", "本本"):
        town.child(name, wishes=[garden])
    return town.drawn()


@prepared
def officials(town):
    return town.city_pair()


def asked(town, run, by):
    return full_files.ask(
        town.session, run.id, kind="notary", recipient="王敏，公证处", reason="核验", by=by, now=town.now
    )


def opened(town, run, officials):
    grant = asked(town, run, officials[0])
    full_files.approve(town.session, run.id, grant.id, by=officials[1], now=town.now)
    return grant


def marks_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read("issued.json"))


def test_one_official_alone_gives_it_to_nobody(town, run, officials):
    grant = asked(town, run, officials[0])
    with pytest.raises(Refused, match="signed_already"):
        full_files.approve(town.session, run.id, grant.id, by=officials[0], now=town.now)
    with pytest.raises(Refused, match="full_file_is_over"):
        full_files.new_code(town.session, run.id, grant.id, by=officials[0], now=town.now)
    with pytest.raises(NotFound):
        full_files.issue(town.session, grant.id, now=town.now)
    with pytest.raises(IntegrityError), town.session.begin_nested():
        town.session.execute(
            text("UPDATE full_file_grant SET approved_by = asked_by, approved_at = now(), ends_at = now()")
        )


def test_a_reason_and_a_recipient_are_needed_and_a_published_run(town, run, officials):
    for missing, code in (({"recipient": " "}, "recipient_missing"), ({"reason": ""}, "say_why"), ({"kind": "press"}, "recipient_missing")):  # fmt: skip
        given = {"kind": "auditor", "recipient": "审计局", "reason": "审计"} | missing
        with pytest.raises(Refused, match=code):
            full_files.ask(town.session, run.id, **given, by=officials[0], now=town.now)


def test_each_copy_has_its_own_mark_and_is_right_for_every_check(town, run, officials, tmp_path):
    grant = opened(town, run, officials)
    code = full_files.new_code(town.session, run.id, grant.id, by=officials[0], now=town.now)
    assert full_files.code_is_right(town.session, grant.id, code.lower(), now=town.now)
    copies = [full_files.issue(town.session, grant.id, now=town.now) for _ in range(full_files.MOST_DOWNLOADS)]
    told = [marks_of(copy) for copy in copies]
    assert len({each["mark"] for each in told}) == 3 and {each["recipient"] for each in told} == {"王敏，公证处"}
    for number, copy in enumerate(copies):
        (tmp_path / f"{number}.zip").write_bytes(copy)
        assert verify(tmp_path / f"{number}.zip") == []
    with zipfile.ZipFile(io.BytesIO(copies[0])) as copy, zipfile.ZipFile(io.BytesIO(run.bundle)) as stored:
        assert {name: copy.read(name) for name in stored.namelist()} == {n: stored.read(n) for n in stored.namelist()}
    with pytest.raises(NotFound):
        full_files.issue(town.session, grant.id, now=town.now)
    assert full_files.of_run(town.session, run.id, now=town.now)[0].state == GrantState.ENDED
    found = select(AuditEntry.act).where(AuditEntry.act.like("%full_file%")).order_by(AuditEntry.number)
    acts = town.session.scalars(found).all()
    assert acts == ["ask_full_file", "grant_full_file", "code_of_full_file"] + ["issue_full_file"] * 3
    sealing.seal(town.session)
    assert "王敏" not in str([row.details for row in town.session.scalars(select(AuditEntry))])


def test_wrong_codes_close_the_link_until_a_new_code(town, run, officials):
    grant = opened(town, run, officials)
    code = full_files.new_code(town.session, run.id, grant.id, by=officials[0], now=town.now)
    for _ in range(full_files.MOST_WRONG_CODES):
        assert not full_files.code_is_right(town.session, grant.id, "CCCC-CCCC-CCCC", now=town.now)
    assert not full_files.code_is_right(town.session, grant.id, code, now=town.now), "the right one comes too late"
    fresh = full_files.new_code(town.session, run.id, grant.id, by=officials[1], now=town.now)
    assert full_files.code_is_right(town.session, grant.id, fresh, now=town.now)
    assert not full_files.code_is_right(town.session, grant.id, code, now=town.now)


def test_time_and_revocation_end_it(town, run, officials):
    grant = opened(town, run, officials)
    code = full_files.new_code(town.session, run.id, grant.id, by=officials[0], now=town.now)
    later = town.now + full_files.VALID + dt.timedelta(seconds=1)
    assert not full_files.code_is_right(town.session, grant.id, code, now=later)
    assert full_files.code_is_right(town.session, grant.id, code, now=town.now)
    full_files.revoke(town.session, run.id, grant.id, by=officials[1], now=town.now)
    assert not full_files.code_is_right(town.session, grant.id, code, now=town.now)
    with pytest.raises(Refused, match="full_file_is_over"):
        full_files.revoke(town.session, run.id, grant.id, by=officials[1], now=town.now)


def test_nobody_else_may(town, run, officials):
    grant = opened(town, run, officials)
    area = town.area_official("510104")
    for act in (
        lambda: asked(town, run, area),
        lambda: full_files.new_code(town.session, run.id, grant.id, by=area, now=town.now),
        lambda: full_files.revoke(town.session, run.id, grant.id, by=area, now=town.now),
    ):
        with pytest.raises((Refused, NotFound)):
            act()
    assert town.session.get_one(Run, run.id).bundle
