"""A closed-loop client, and the processor time that each part of the machine takes in the meantime."""

import contextlib
import itertools
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import psutil

from bench import machine

CONNECTIONS, MANY_CONNECTIONS = 16, 64
"""At once: in the rounds of a path, and where the time of the slowest hundredth is compared with its goal."""
LONGEST = 20
"""Seconds that an answer may pause; the client then counts it as status 0."""


@dataclass
class Answers:
    """What a run of the client got: the number of answers by status, their bytes, and the seconds that each took."""

    statuses: Counter[int] = field(default_factory=Counter)
    bytes: int = 0
    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    targets: Counter[str] = field(default_factory=Counter)
    """The paths of `Location` without ids, so that a wrong redirect is seen."""

    def note(self, status: int, size: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.bytes += size
        self.seconds.append(seconds)

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.elapsed if self.elapsed else 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass(frozen=True)
class Request:
    """`done` is called with the status, so that a path can remember the new version of what it saved."""

    raw: bytes
    done: Callable[[int], None] | None = None


def get(path: str, cookie: str = "") -> Request:
    return Request(_head("GET", path, cookie) + b"\r\n")


def post(path: str, body: str, cookie: str, done: Callable[[int], None] | None = None) -> Request:
    """A form, as a browser sends it."""
    content = body.encode()
    head = _head("POST", path, cookie)
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(content)
    return Request(head + content, done)


def _head(method: str, path: str, cookie: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "Accept-Language: zh-CN"]
    if cookie:
        lines.append(f"Cookie: session={cookie}")
    return ("\r\n".join(lines) + "\r\n").encode()


def send(port: int, request: Request) -> tuple[int, bytes]:
    """The status and the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as visit:
        visit.sendall(request.raw)
        parts = []
        while part := visit.recv(262144):
            parts.append(part)
    answer = b"".join(parts)
    return int(answer[9:12] or 0), answer


def _answered(port: int, request: Request) -> tuple[int, bytes]:
    """The same, and status 0 where there is no answer."""
    try:
        return send(port, request)
    except OSError:
        return 0, b""


def run(port: int, requests: Iterable[Request], seconds: float, connections: int = CONNECTIONS) -> Answers:
    """Send the requests over so many connections at once, until the time is over or none is left."""
    answers, waiting, lock = Answers(), iter(requests), threading.Lock()
    began = time.perf_counter()

    def client() -> None:
        while time.perf_counter() - began < seconds:
            with lock:
                request = next(waiting, None)
            if request is None:
                return
            sent = time.perf_counter()
            status, answer = _answered(port, request)
            took = time.perf_counter() - sent
            with lock:
                answers.note(status, len(answer), took)
                if request.done is not None:
                    request.done(status)

    threads = [threading.Thread(target=client) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.elapsed = time.perf_counter() - began
    return answers


def at_rate(port: int, requests: Iterator[Request], a_second: float, seconds: float, connections: int = 200) -> Answers:
    """Send so many a second however the server is doing; an answer's time counts from the moment at which it was due."""
    answers, lock, numbers = Answers(), threading.Lock(), itertools.count()
    began = time.perf_counter()

    def client() -> None:
        while True:
            with lock:
                due = began + next(numbers) / a_second
                request = next(requests)
            if due >= began + seconds:
                return
            time.sleep(max(0.0, due - time.perf_counter()))
            status, answer = _answered(port, request)
            took = time.perf_counter() - due
            with lock:
                answers.note(status, len(answer), took)

    threads = [threading.Thread(target=client) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.elapsed = time.perf_counter() - began
    return answers


@dataclass
class Spent:
    """Seconds of processor time: of the page processes, of PostgreSQL, of the client, and of everybody else."""

    python: float = 0.0
    postgres: float = 0.0
    client: float = 0.0
    others: float = 0.0
    elapsed: float = 0.0

    @property
    def portal(self) -> float:
        return self.python + self.postgres

    @property
    def share_of_others(self) -> float:
        """The part of all processor time of the machine that went to other processes."""
        return self.others / (self.elapsed * (os.cpu_count() or 1)) if self.elapsed else 0.0


@contextlib.contextmanager
def watched(pages: Callable[[], Iterable[int]], postgres: int) -> Iterator[Spent]:
    """Measure while the block runs.  `pages` gives the ids of the page processes."""
    spent = Spent()
    busy, began = machine.busy(), time.perf_counter()
    python, database, client = _of(pages()), machine.of_server(postgres), machine.own()
    yield spent
    spent.elapsed = time.perf_counter() - began
    spent.python = _of(pages()) - python
    spent.postgres = machine.of_server(postgres) - database
    spent.client = machine.own() - client
    spent.others = max(machine.busy() - busy - spent.python - spent.postgres - spent.client, 0.0)


def _of(pids: Iterable[int]) -> float:
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
