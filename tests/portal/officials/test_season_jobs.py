"""Jobs of the calendar, run by a worker."""

import pytest
from sqlalchemy import func, select

from enrollment.ground.jobs import Job
from enrollment.ground.outbox import Notice
from enrollment.season import calendar, rounds
from portal.jobs import runner
from tests.support.town_season import at


@pytest.fixture
def do(app, portal_engine, portal_session, frozen_clock):
    """Do every due job of a kind; returns what each run ended with."""
    runner.load_handlers()

    def _do(kind: str) -> list[str]:
        portal_session.commit()
        due = select(Job.id).where(Job.kind == kind, Job.state == "waiting", Job.due_at <= frozen_clock.now)
        ids = list(portal_session.scalars(due.order_by(Job.due_at)))
        done = [runner.run(portal_engine, lambda _session: frozen_clock.now, job_id, "worker") for job_id in ids]
        portal_session.expire_all()
        return done

    return _do


def test_a_round_closes_by_itself_at_its_deadline(town, do, frozen_clock):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    assert do("close_round") == []
    frozen_clock.set(found.closes_at)
    assert do("close_round") == ["done"]
    assert found.stage == "closed"


def test_the_job_of_the_old_deadline_does_nothing_after_an_extension(town, do, frozen_clock):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    rounds.extend(town.session, found.id, closes_at=at(5, 31), reason="系统维护", by=town.city_pair()[0], now=town.now)
    frozen_clock.set(at(5, 29, 18))
    assert do("close_round") == ["done"]
    assert found.stage == "open"
    frozen_clock.set(at(5, 31))
    assert do("close_round") == ["done"]
    assert found.stage == "closed"


def test_every_family_is_told_of_a_new_date_once(town, do, frozen_clock):
    apple = town.kindergarten("金苹果", places=2)
    for name in ("Ana", "Ben"):
        town.child(name, wishes=[apple])
    span = {"begins_at": at(6, 5), "ends_at": at(6, 13)}
    calendar.move_date(town.session, 2026, "result", reason="一", by=town.city_pair()[0], now=town.now, **span)
    assert do("tell_new_date") == ["done"]
    told = select(func.count()).select_from(Notice).where(Notice.kind == "new_date_result")
    assert town.session.scalar(told) == 2
    assert do("tell_new_date") == []
