"""The job row: written once per key, held under a lease, finished only by the holder of the current fencing token."""

import datetime as dt
import subprocess
import sys

from enrollment.ground import jobs
from portal.jobs import process_identity, runner
from tests.support.leases import end_lease
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
    assert jobs.take(session, job, owner="a").fence == 1
    assert jobs.take(session, job, owner="b") is None


def test_a_worker_without_its_lease_publishes_nothing(session, job, now):
    late = jobs.take(session, job, owner="a")
    end_lease(session, job)
    other = jobs.take(session, job, owner="b")
    assert (other.fence, other.attempt) == (2, 2)
    assert not jobs.renew_lease(session, late)
    assert not jobs.lock_lease(session, late)
    assert not jobs.finish(session, late, now=now + LATER, result={"by": "a"})
    assert not jobs.fail(session, late, now=now + LATER, error="too late")
    assert jobs.finish(session, other, now=now + LATER, result={"by": "b"})
    assert session.get(jobs.Job, job, populate_existing=True).result == {"by": "b"}
    assert jobs.take(session, job, owner="c") is None, "a finished job starts no more"


def test_keeping_the_lease_keeps_others_away(session, job, now):
    lease = jobs.take(session, job, owner="a")
    end_lease(session, job)
    assert jobs.renew_lease(session, lease)
    assert jobs.take(session, job, owner="b") is None
    assert jobs.requeue_expired(session, now=now) == 0


def test_a_silent_workers_job_waits_again_and_fails_in_the_end(session, job, now):
    for _ in range(jobs.MOST_ATTEMPTS):
        assert state(session, job) == "waiting"
        jobs.take(session, job, owner="dies")
        end_lease(session, job)
        assert jobs.requeue_expired(session, now=now) == 1
    assert state(session, job) == "failed"
    assert session.get(jobs.Job, job).error == "worker_lost"


def test_a_host_whose_clock_is_wrong_neither_keeps_a_job_nor_takes_it(session, job, now):
    """Its clock says when a job is due; whose lease is over is judged by the clock of the database alone."""
    hour = dt.timedelta(hours=1)
    assert jobs.queue_due(session, now=now + hour) == [(job, "close_round")]
    jobs.take(session, job, owner="ahead")
    assert jobs.requeue_expired(session, now=now + hour) == 0, "a sweeper that is ahead ends no lease"
    end_lease(session, job)
    assert jobs.requeue_expired(session, now=now - hour) == 1, "one that is behind ends it"


def test_the_job_of_a_dead_process_of_this_host_waits_for_no_lease(session, job, now):
    """R5: its name tells the process for certain; of other names nothing is known, and their leases end by themselves."""
    script = "from portal.jobs import process_identity; print(process_identity.own_name()); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        name = one.stdout.readline().strip()
        jobs.take(session, job, owner=name)
        assert runner.give_back_of_dead(session, now=now) == 0
        one.kill()
        one.wait()
    host, boot, space, pid, began = name.split("/")
    others = ["somebody", f"{host}/{boot}/1/{pid}/{began}", f"{host}/another start/{space}/{pid}/{began}"]
    assert [process_identity.is_dead(each) for each in others] == [False] * 3
    assert not process_identity.is_dead(process_identity.own_name())
    pauses = []
    while runner.give_back_of_dead(session, now=now) == 1 and state(session, job) == "waiting":
        pauses.append((session.get(jobs.Job, job).due_at - now).total_seconds())
        jobs.take(session, job, owner=name)
    assert pauses == [0, 2, 8, 18], "a process that dies at each try does not use up its attempts in a second"
    assert state(session, job) == "failed"


def test_a_fault_is_tried_again_with_growing_waits_and_then_failed(session, job, now):
    waits = []
    while state(session, job) == "waiting":
        due = session.get(jobs.Job, job).due_at
        waits.append(due - now)
        now = due
        jobs.fail(session, jobs.take(session, job, owner="a"), now=now, error="ValueError")
    assert len(waits) == jobs.MOST_ATTEMPTS
    assert waits == sorted(waits)
    assert state(session, job) == "failed"


def test_a_row_that_the_queue_lost_waits_again(session, job, now):
    jobs.queue_due(session, now=now)
    assert jobs.overdue_in_queue(session) == []
    end_lease(session, job)
    assert jobs.overdue_in_queue(session) == [job]
    jobs.extend_queue_time(session, [job])
    assert jobs.overdue_in_queue(session) == []
    jobs.requeue(session, [job])
    assert jobs.queue_due(session, now=now + LATER) == [(job, "close_round")]


def test_progress_is_read_from_the_row(session, job, now):
    lease = jobs.take(session, job, owner="a")
    assert jobs.report_progress(session, lease, done=3, of=10, step="reading")
    row = session.get(jobs.Job, job, populate_existing=True)
    assert (row.done_units, row.all_units, row.step) == (3, 10, "reading")
