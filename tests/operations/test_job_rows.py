"""The job row: written once per key, held under a lease, finished only by the holder of the current fencing token."""

import datetime as dt

from enrollment.ground import jobs
from tests.support.prepared import prepared

LATER = jobs.LEASE + dt.timedelta(seconds=1)


@prepared
def job(session, now):
    return jobs.enqueue(session, "close_round", {"round": "r1"}, key="close:r1", now=now)


def state(session, job):
    return session.get(jobs.Job, job, populate_existing=True).state


def test_the_same_key_is_one_job(session, job, now):
    assert jobs.enqueue(session, "close_round", {"round": "r1"}, key="close:r1", now=now) == job
    assert jobs.enqueue(session, "close_round", now=now) != jobs.enqueue(session, "close_round", now=now)


def test_the_relay_takes_a_due_row_once(session, job, now):
    later = jobs.enqueue(session, "close_round", now=now, due=now + dt.timedelta(hours=1))
    assert jobs.queue_due(session, now=now) == [(job, "close_round")]
    assert jobs.queue_due(session, now=now) == []
    assert jobs.queue_due(session, now=now + dt.timedelta(hours=1)) == [(later, "close_round")]


def test_a_job_with_a_valid_lease_is_not_taken(session, job, now):
    assert jobs.take(session, job, owner="a", now=now).fence == 1
    assert jobs.take(session, job, owner="b", now=now) is None


def test_a_worker_without_its_lease_publishes_nothing(session, job, now):
    late = jobs.take(session, job, owner="a", now=now)
    other = jobs.take(session, job, owner="b", now=now + LATER)
    assert (other.fence, other.attempt) == (2, 2)
    assert not jobs.renew_lease(session, late, now=now + LATER)
    assert not jobs.lock_lease(session, late)
    assert not jobs.finish(session, late, now=now + LATER, result={"by": "a"})
    assert not jobs.fail(session, late, now=now + LATER, error="too late")
    assert jobs.finish(session, other, now=now + LATER, result={"by": "b"})
    assert session.get(jobs.Job, job, populate_existing=True).result == {"by": "b"}
    assert jobs.take(session, job, owner="c", now=now + 9 * LATER) is None, "a finished job starts no more"


def test_keeping_the_lease_keeps_others_away(session, job, now):
    lease = jobs.take(session, job, owner="a", now=now)
    assert jobs.renew_lease(session, lease, now=now + LATER / 2)
    assert jobs.take(session, job, owner="b", now=now + LATER) is None
    assert jobs.requeue_expired(session, now=now + LATER) == 0


def test_a_silent_workers_job_waits_again_and_fails_in_the_end(session, job, now):
    for _ in range(jobs.MOST_ATTEMPTS):
        assert state(session, job) == "waiting"
        jobs.take(session, job, owner="dies", now=now)
        now += LATER
        assert jobs.requeue_expired(session, now=now) == 1
    assert state(session, job) == "failed"
    assert session.get(jobs.Job, job).error == "worker_lost"


def test_a_fault_is_tried_again_with_growing_waits_and_then_failed(session, job, now):
    waits = []
    while state(session, job) == "waiting":
        due = session.get(jobs.Job, job).due_at
        waits.append(due - now)
        now = due
        jobs.fail(session, jobs.take(session, job, owner="a", now=now), now=now, error="ValueError")
    assert len(waits) == jobs.MOST_ATTEMPTS
    assert waits == sorted(waits)
    assert state(session, job) == "failed"


def test_a_row_that_the_queue_lost_waits_again(session, job, now):
    jobs.queue_due(session, now=now)
    assert jobs.overdue_in_queue(session, now=now) == []
    assert jobs.overdue_in_queue(session, now=now + LATER) == [job]
    jobs.extend_queue_time(session, [job], now=now + LATER)
    assert jobs.overdue_in_queue(session, now=now + LATER) == []
    jobs.requeue(session, [job])
    assert jobs.queue_due(session, now=now + LATER) == [(job, "close_round")]


def test_progress_is_read_from_the_row(session, job, now):
    lease = jobs.take(session, job, owner="a", now=now)
    assert jobs.report_progress(session, lease, done=3, of=10, step="reading")
    row = session.get(jobs.Job, job, populate_existing=True)
    assert (row.done_units, row.all_units, row.step) == (3, 10, "reading")
