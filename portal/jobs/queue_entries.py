"""What the queue carries: ids of job rows, and nothing that a worker would believe.

RQ stores the name of a function, its arguments, callbacks and addresses to call in an entry, by default as a pickle:
whoever may write to the queue could run anything as the worker, which holds the keys.  Here an entry is an id.  The worker
runs its one function with it, reads the rest from the database, and takes a foreign entry from the queue unread.
"""

import uuid
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import decode_redis_hash

QUEUES = ("hour", "quick", "steady", "bulk")
"""Names of the queues, the most urgent first: openings of results, short jobs that a person waits for, single jobs, long
batches."""

PERFORM = "portal.jobs.worker.perform"
"""The function that runs a job of this id, the only one that a worker runs."""

LONGEST = 6 * 3600
"""Seconds after which a worker ends any job."""

KEPT_FOR_INSPECTION = 3600
"""Seconds that RQ keeps the entry of a job that failed."""

BELIEVED = frozenset(
    ["created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat", "origin", "status", "worker_name"]
)
"""The fields of an entry that a worker reads: times and states, with which RQ keeps its own books."""


class QueuedJob(Job):
    """An entry of the queue as a worker takes it: an id that stands for a row, whatever else the entry says."""

    def restore(self, raw_data: Any) -> None:
        """Raises NoSuchJobError, with which RQ drops an entry, where it cannot be one of ours."""
        entry = decode_redis_hash(raw_data)
        try:
            uuid.UUID(self.id)
            super().restore({key: value for key, value in entry.items() if key in BELIEVED} | {"data": b""})
            self.timeout = min(int(entry.get("timeout", LONGEST)), LONGEST)
        except (ValueError, TypeError, AttributeError) as error:
            raise NoSuchJobError(f"no entry of ours: {self.id}") from error
        self.result_ttl, self.failure_ttl = 0, KEPT_FOR_INSPECTION

    def _deserialize_data(self) -> None:
        self._func_name, self._instance, self._args, self._kwargs = PERFORM, None, (self.id,), {}


def open_queue(name: str, connection: Redis) -> Queue:
    """The queue of this name, one of `QUEUES`."""
    return Queue(name, connection=connection, job_class=QueuedJob, serializer=JSONSerializer)


def put(queue: Queue, job_id: uuid.UUID, *, timeout: int) -> None:
    """Enqueue the id of a job row.  A worker ends the job after `timeout` seconds."""
    queue.enqueue_call(
        PERFORM, args=(str(job_id),), job_id=str(job_id), timeout=timeout, result_ttl=0, failure_ttl=KEPT_FOR_INSPECTION
    )
