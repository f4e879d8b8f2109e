"""IMP05: `kill -9` of the worker in every phase of an import of 20,000 children writes nothing half, and the job goes on."""

import subprocess
import sys
import uuid

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bench.imports import CHILDREN_OF_A_CLASS, CLASSES_OF_A_KINDERGARTEN, fill, workbook
from enrollment.ground import jobs
from enrollment.ground.audit import AuditEntry
from enrollment.ground.db import open_engine
from enrollment.places.imports import uploads
from enrollment.places.imports.uploaded_files import ImportState
from enrollment.places.roll import RollChild, RollClass
from portal.web.clock import real_now
from tests.operations.serving import ROOT, eventually
from tests.support.leases import end_lease

ROWS = 20_000


class Worker:
    """Does jobs in processes of its own, each of which can be killed; the lease ends with each death."""

    def __init__(self, url: str, engine):
        self.url, self.engine = url, engine

    def start(self, job: uuid.UUID) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.support.job_process", self.url, str(job)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def kill_when(self, job: uuid.UUID, reached) -> None:
        """Start the job, kill its process as soon as `reached()` holds, and let its lease end."""
        process = self.start(job)
        try:
            eventually(lambda: reached() or process.poll() is not None, 240)
            assert process.poll() is None, "it ended before it could be killed"
        finally:
            process.kill()
            process.wait()
        eventually(lambda: not self.is_writing(), 20)  # the server has noticed
        with Session(self.engine) as session, session.begin():
            end_lease(session, job)
            assert jobs.requeue_expired(session, now=real_now()) == 1

    def finish(self, job: uuid.UUID) -> str:
        return self.start(job).communicate(timeout=300)[0].strip()

    def step(self, job: uuid.UUID) -> str | None:
        with Session(self.engine) as session:
            return session.get_one(jobs.Job, job).step

    def is_writing(self) -> bool:
        """Whether a connection is in the middle of copying the children."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE 'COPY \"roll_child\"%'"
        with self.engine.connect() as connection:
            return bool(connection.execute(text(query)).scalar_one())


@pytest.fixture
def worker(real_database):
    engine = open_engine(real_database)
    yield Worker(real_database, engine)
    engine.dispose()


@pytest.mark.slow
@pytest.mark.long
def test_imp05_a_killed_import_writes_nothing_half_and_goes_on(worker):
    engine = worker.engine
    with Session(engine) as session, session.begin():
        owner = fill(session, -(-ROWS // (CHILDREN_OF_A_CLASS * CLASSES_OF_A_KINDERGARTEN)))
    with Session(engine) as session, session.begin():
        file = uploads.store(session, "roll", "名册.xlsx", workbook(ROWS), by=owner, now=real_now(), year=2026)
        file_id, check = file.id, file.job_id

    def state() -> str:
        with Session(engine) as session:
            return uploads.own(session, file_id, by=owner, now=real_now()).state

    def on_roll() -> tuple[int, int, int]:
        with Session(engine) as session:
            imported = select(func.count()).where(AuditEntry.act == "import")
            counts = [select(func.count()).select_from(table) for table in (RollClass, RollChild)]
            return tuple(session.scalar(each) for each in (*counts, imported))

    for phase in ("reading", "comparing"):
        worker.kill_when(check, lambda phase=phase: worker.step(check) == phase)
        assert state() == ImportState.WAITING
    assert worker.finish(check) == "done"
    assert state() == ImportState.CHECKED
    with Session(engine) as session, session.begin():
        apply = uploads.confirm(session, file_id, by=owner, now=real_now(), overwrite=()).job_id
    for phase in ("reading", "comparing", "writing", "copying"):
        worker.kill_when(
            apply, lambda phase=phase: worker.is_writing() if phase == "copying" else worker.step(apply) == phase
        )
        assert (state(), on_roll()) == (ImportState.APPLYING, (0, 0, 0))
    assert worker.finish(apply) == "done"
    assert state() == ImportState.DONE
    assert on_roll() == (ROWS // CHILDREN_OF_A_CLASS, ROWS, 1)
    assert worker.finish(apply) == "not_free", "and never a second time"


def test_imp05_an_import_whose_worker_died_too_often_says_so(worker):
    with Session(worker.engine) as session, session.begin():
        owner = fill(session, 1)
        file = uploads.store(session, "roll", "名册.xlsx", workbook(10), by=owner, now=real_now(), year=2026)
        job = file.job_id
    for death in range(jobs.MOST_ATTEMPTS):
        with Session(worker.engine) as session, session.begin():
            assert jobs.take(session, job, owner=f"worker {death}") is not None
            end_lease(session, job)
            jobs.requeue_expired(session, now=real_now())
    with Session(worker.engine) as session:
        found = session.get_one(jobs.Job, job)
        assert (uploads.has_failed(found), found.error) == (True, "worker_lost")
