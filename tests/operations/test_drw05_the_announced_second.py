"""DRW05: real workers commit a result in its announced second, and nobody reads anything of it before."""

import datetime as dt
import subprocess
import sys
import time
import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.draw.publication import preparation
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Run
from enrollment.ground.db import open_engine
from enrollment.ground.outbox import Notice
from enrollment.offers.offers import Offer
from portal.operations import doctor
from portal.web.clock import real_now
from tests.conftest import NOW
from tests.operations.serving import ROOT, environment, eventually
from tests.operations.test_background import kill_all_of
from tests.support.keys import KEYS
from tests.support.town import Town

AHEAD = dt.timedelta(seconds=12)


@pytest.fixture
def engine(real_database):
    engine = open_engine(real_database)
    yield engine
    engine.dispose()


def a_signed_run(engine) -> tuple[uuid.UUID, dt.datetime]:
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        garden = town.kindergarten("金苹果", places=2)
        for name in ("安娜", "本本", "翠翠"):
            town.child(name, wishes=[garden])
        town.everyone_is_reviewed()
        town.freeze()
        town.seed()
        run = town.run()
        town.now = real_now()
        hour = town.now + AHEAD
        town.announce_hour(hour)
        town.sign(run)
        session.commit()
        return run.id, hour


def read(engine, run_id) -> tuple[int, int, str]:
    """Offers, messages and the state of the run, as one moment has them."""
    with Session(engine) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        offers = session.scalar(select(func.count()).select_from(Offer)) or 0
        notices = session.scalar(select(func.count()).where(Notice.kind == "result_published")) or 0
        return offers, notices, session.get_one(Run, run_id).state


@pytest.mark.slow
@pytest.mark.long
def test_drw05_everybody_reads_the_result_in_the_announced_second(engine, tmp_path, real_database, redis_url):
    keys = tmp_path / "keys.json"
    KEYS.write_over(keys)
    environ = environment(
        tmp_path, DATABASE_URL=real_database, REDIS_URL=redis_url, SECRET_KEY="demo-test", KEY_FILE=str(keys), DEMO="1"
    )
    started = []
    for what in (["clock"], ["worker", "hour"]):
        command = [sys.executable, "-m", "tests.operations.background_process", *what]
        with (tmp_path / f"{what[0]}.log").open("a") as log:
            started.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log))
    seen = []
    try:
        eventually(lambda: doctor.serving(real_database) >= {"clock", "hour"}, 90)
        run_id, hour = a_signed_run(engine)
        while real_now() < hour + dt.timedelta(seconds=20) and (not seen or seen[-1][1][2] != "published"):
            began = real_now()
            seen.append((began, read(engine, run_id), real_now()))
            time.sleep(0.05)
    finally:
        for process in started:
            kill_all_of(process)
    early = [what for _began, what, ended in seen if ended < hour]
    assert len(early) > 20 and set(early) == {(0, 0, "signed")}
    assert seen[-1][1] == (2, 3, "published")
    assert seen[-1][0] - hour < dt.timedelta(seconds=2)
    with Session(engine) as session:
        opened = session.get_one(Publication, run_id)
        assert hour <= opened.opened_at < hour + dt.timedelta(seconds=1)
        assert set(session.scalars(select(Offer.made_at))) == {hour}
    eventually(lambda: prepared(engine, run_id) == 0)


def prepared(engine, run_id) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).where(preparation.PreparedOffer.run_id == run_id)) or 0
