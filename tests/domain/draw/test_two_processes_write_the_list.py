"""The list of a city is written by two processes: the same bytes as by one, and nothing at all when one of them dies."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
from sqlalchemy import func, select

from allocation.files import opening, opening_verification, public_reader
from enrollment.draw import market_builder, market_files, participants, run_files, second_process, snapshot
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.participants import FactBasis
from enrollment.draw.run_rows import Opening
from enrollment.draw.second_process import SecondProcessEnded
from enrollment.draw.snapshot import OF_A_CITY
from enrollment.ground import bulk_copy
from enrollment.results import family_files

SALTS = ("market.json", "salts.csv")  # are new in every snapshot


@pytest.fixture
def many(town, monkeypatch):
    """Families of every kind, read two at a time."""
    jinpingguo, mudan = town.kindergarten("金苹果", places=4), town.kindergarten("牡丹", places=3)
    town.pool(jinpingguo, "care", 1, ["policy_care"])
    town.open_registration()
    for number, name in enumerate("甲乙丙丁戊己庚辛壬"):
        town.child(f"安{name}", wishes=[mudan, jinpingguo] if number % 2 else [jinpingguo])
    town.child("翠翠", wishes=[jinpingguo], grounds={"policy_care": "soldier"})
    town.twins("方一", "方二", wishes=[jinpingguo, mudan])
    town.everyone_is_reviewed()
    monkeypatch.setattr(participants, "BATCH", 2)
    return town


def rows_of(frozen: Snapshot) -> dict[str, bytes]:
    return {name: content for name, content in market_files.unpack(frozen.market).items() if name not in SALTS}


def seconds() -> list[psutil.Process]:
    """The forks of this process that are alive, without servers and browsers that tests share."""
    own = psutil.Process().cmdline()
    return [each for each in psutil.Process().children() if each.is_running() and each.cmdline() == own]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_two_processes_write_what_one_writes(many, monkeypatch):
    assert OF_A_CITY > 10
    alone = rows_of(many.freeze())
    monkeypatch.setattr(snapshot, "OF_A_CITY", 1)
    assert rows_of(many.freeze(reason="again")) == alone
    market = participants.read(
        many.session, many.the_round, stages=participants.TAKES_PART, basis=FactBasis.VERIFIED, strict=True
    )
    files = market_builder.encode(market, {}).files()
    assert alone == {name: files[name] for name in alone}
    assert seconds() == []


def test_a_killed_second_process_leaves_no_list_and_the_freeze_can_be_repeated(many, monkeypatch):
    monkeypatch.setattr(snapshot, "OF_A_CITY", 1)
    many.close_registration()
    many.declare_form()
    read, killed = participants.stored_facts_of, []

    def kill_once(*args):
        if not killed:
            [second] = seconds()
            os.kill(second.pid, signal.SIGKILL)
            killed.append(second.pid)
        return read(*args)

    monkeypatch.setattr(participants, "stored_facts_of", kill_once)
    with pytest.raises(SecondProcessEnded), many.session.begin_nested():
        snapshot.freeze(many.session, many.the_round.id, by=many.city_pair()[0], now=many.now)
    assert killed and seconds() == []
    for table in (Snapshot, Draw):
        assert many.session.scalar(select(func.count()).select_from(table)) == 0
    many.session.expire_all()
    assert many.the_round.stage == "closed"
    assert many.freeze().children == 12
    assert seconds() == []


def test_an_error_of_the_second_process_is_raised_in_the_first():
    here = os.getpid()

    def fails_there(number: int) -> int:
        if os.getpid() != here:
            raise LookupError(f"no child {number}")
        return number

    with pytest.raises(LookupError, match="no child 0"), second_process.spread(fails_there) as each:
        list(each(range(5)))
    assert seconds() == []


def test_an_error_that_cannot_be_sent_is_told_by_its_name():
    here = os.getpid()

    class OfThisFunction(Exception):
        """It cannot be pickled."""

    def fails_there(number: int) -> int:
        if os.getpid() != here:
            raise OfThisFunction("a name")
        return number

    with (
        pytest.raises(RuntimeError, match="OfThisFunction in the second process"),
        second_process.spread(fails_there) as each,
    ):
        list(each(range(5)))


def test_large_parts_and_results_come_in_their_order():
    with second_process.spread(lambda part: part * 2) as each:
        made = list(each(bytes([number]) * 300_000 for number in range(20)))
    assert made == [bytes([number]) * 600_000 for number in range(20)]


def test_the_second_process_ends_when_the_first_is_killed():
    script = textwrap.dedent("""
        import multiprocessing, os, signal
        from enrollment.draw import second_process
        with second_process.spread(lambda part: part) as each:
            list(each(range(3)))
            print(multiprocessing.active_children()[0].pid, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    second = int(ended.stdout)
    limit = time.monotonic() + 30
    while is_alive(second):
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_openings_of_two_processes_prove_every_result(many, monkeypatch, tmp_path):
    monkeypatch.setattr(run_files, "OF_A_CITY", 1)
    monkeypatch.setattr(opening, "AT_ONCE", 2)
    run = many.drawn()
    public_file = tmp_path / "public.zip"
    public_file.write_bytes(run.public_file)
    public = public_reader.open_public(public_file)
    for child in many.everybody():
        told = json.loads(family_files.of_application(many.session, child, by=many.parent_of(child), now=many.now))
        assert told["facts"]["child"] == child.child_code
        assert opening_verification.verify_opening(public, told) == []
    assert seconds() == []


def test_a_killed_second_process_leaves_no_opening_and_the_run_can_be_repeated(many, monkeypatch):
    monkeypatch.setattr(run_files, "OF_A_CITY", 1)
    monkeypatch.setattr(opening, "AT_ONCE", 2)
    many.freeze()
    many.seed()
    copy, killed = bulk_copy.copy_rows, []

    def kill_once(session, table, columns, rows):
        if table == "opening" and not killed:
            [second] = seconds()
            os.kill(second.pid, signal.SIGKILL)
            killed.append(second.pid)
        return copy(session, table, columns, rows)

    monkeypatch.setattr(bulk_copy, "copy_rows", kill_once)
    with pytest.raises(SecondProcessEnded), many.session.begin_nested():
        many.run()
    assert killed and seconds() == []
    many.session.expire_all()
    assert many.session.scalar(select(func.count()).select_from(Opening)) == 0
    assert many.run().state == "checked"
    assert many.session.scalar(select(func.count()).select_from(Opening)) == 12
