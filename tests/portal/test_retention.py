"""`flask retention run`, and the nightly retention job."""

import dataclasses
import json

import pytest
from sqlalchemy import func, select

from enrollment.applications.applications import Application
from enrollment.ground import audit, jobs
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit_chain import sealing
from enrollment.ground.audit_chain.verification import verify
from enrollment.ground.demo_clock import set_permit_clock
from enrollment.ground.jobs import Job
from enrollment.ground.maintenance_permits import MaintenancePermit
from enrollment.ground.operations.alarms import AlarmCode
from enrollment.maintenance import operation_figures
from portal.jobs import alarms, runner, scheduler
from portal.operations import doctor, overdue_work
from portal.web.unit_of_work import Services
from tests.support.permit_clock import stopped_permit_clock
from tests.support.town_season import at


@pytest.fixture
def long_over(new_connections, town, frozen_clock):
    """A season that ended a year and a day ago, since when nothing has happened."""
    town.drawn(town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)]))
    town.session.commit()
    frozen_clock.set(at(9, 1, year=2027))
    with stopped_permit_clock(town.session, frozen_clock.now):
        yield town


@pytest.fixture
def over(long_over):
    """The same in a portal that is in use."""
    audit.record(long_over.session, "view", "review_queue", 2027, by=SYSTEM, now=at(8, 29, year=2027))
    long_over.session.commit()
    return long_over


def left(town) -> int:
    town.session.rollback()
    return town.session.scalar(select(func.count()).select_from(Application))


def test_a_dry_run_counts_and_keeps_and_the_run_deletes_what_it_counted(app, over):
    def run(*more):
        done = app.test_cli_runner().invoke(args=["retention", "run", "--json", *more])
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    counted = run("--dry-run")
    assert counted["season"]["application"] == 1
    assert left(over) == 1
    assert over.session.scalar(select(func.count()).select_from(MaintenancePermit)) == 0
    assert run() == counted
    assert left(over) == 0
    assert not any(run().values()), "the second time there is nothing"
    said = app.test_cli_runner().invoke(args=["retention", "run", "--dry-run"]).output
    assert said.splitlines()[-1] == "0 rows would go; nothing was changed"


def test_the_scheduler_starts_it_nightly(app, over, portal_engine, frozen_clock):
    runner.load_handlers()
    assert "retention" in {tick.kind for tick in scheduler.SCHEDULE}
    job = jobs.enqueue(over.session, "retention", now=frozen_clock.now)
    over.session.commit()
    with app.app_context():
        assert runner.run(portal_engine, lambda _session: frozen_clock.now, job, "worker") == "done"
    assert left(over) == 0
    result = over.session.get(Job, job).result
    assert result["forgotten"]["season"]["application"] == 1
    sealing.seal(over.session)
    assert verify(over.session, demo=True).findings == []


def test_tru15_a_clock_that_jumped_ahead_by_a_year_deletes_nothing(
    app, long_over, portal_engine, frozen_clock, monkeypatch
):
    """Nothing happened in the year that the clock says has passed, so an operator looks at it first.  A portal that was switched off
    for so long deletes a day later."""
    config = dataclasses.replace(app.extensions["services"].config, demo=False)
    monkeypatch.setitem(app.extensions, "services", Services(config, app.extensions["services"].engine))
    runner.load_handlers()
    job = jobs.enqueue(long_over.session, "retention", now=frozen_clock.now)
    long_over.session.commit()
    with app.app_context():
        assert runner.run(portal_engine, lambda _session: frozen_clock.now, job, "worker") == "refused"
    done = app.test_cli_runner().invoke(args=["retention", "run"])
    assert done.exit_code == 1 and "has it jumped?" in done.output
    assert left(long_over) == 1
    figures = operation_figures.read(long_over.session, now=frozen_clock.now)
    assert AlarmCode.CLOCK_JUMPED in alarms.conditions(figures, config)
    audit.record(long_over.session, "view", "review_queue", 2027, by=SYSTEM, now=frozen_clock.now)
    long_over.session.commit()
    frozen_clock.move(hours=25)
    with stopped_permit_clock(long_over.session, frozen_clock.now):
        done = app.test_cli_runner().invoke(args=["retention", "run"])
    assert done.exit_code == 0, done.output
    assert left(long_over) == 0


def test_the_doctor_reports_overdue_retention(app, over):
    assert (
        "flask retention run"
        in doctor.finding("retention", lambda: overdue_work.retention(over.session, at(9, 4, year=2027))).fault
    )
    assert doctor.finding("retention", lambda: overdue_work.retention(over.session, at(9, 1, year=2027))).well


def test_the_doctors_command_looks_at_what_is_kept_and_at_the_keys(app, over):
    said = app.test_cli_runner().invoke(args=["doctor"]).output
    assert {line.split()[0] for line in said.splitlines()} >= {"database", "retention", "keys"}
    assert "keys       well" in said
    assert "permits    well" in said


def test_tru04_the_doctor_reports_a_moved_permit_clock_outside_the_demo(app, over):
    """`over` has stopped it."""
    moved = doctor.finding("permits", lambda: overdue_work.permit_clock(over.session, demo=False))
    assert "flask migrate" in moved.fault
    set_permit_clock(over.session, demo=False)
    assert doctor.finding("permits", lambda: overdue_work.permit_clock(over.session, demo=False)).well
