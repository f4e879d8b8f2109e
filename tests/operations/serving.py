"""A real `make serve` for tests: started, listened to, and ended by its process id."""

import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
LONGEST = 120


PORTS = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections: one of these could take a port before its server has started."""

_given: set[int] = set()


def free_port() -> int:
    """A port on which nobody listens, which no other worker of the tests gets, and which is given once."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ours = PORTS[worker % 16 :: 16]
    for port in random.SystemRandom().sample(ours, len(ours)):
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            _given.add(port)
            return port
    raise AssertionError("no port is free")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A plain environment: nothing of the test session's own settings reaches the portal."""
    ours = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "KEY_FILE", "DEMO", "PUBLIC_URL", "PORT"}
    plain = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("PYTEST")}
    return plain | {"PORTAL_DATA": str(folder)} | more


class Serving:
    """`python -m portal.operations.serve` in a data folder.  Its lines are read as they come."""

    def __init__(self, folder: Path, port: int | None = None, *, city: bool = False, **environ: str):
        self.port = port or free_port()
        self.lines: list[str] = []
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "portal.operations.serve",
                "--port",
                str(self.port),
                *([] if city else ["--without-city"]),
            ],
            cwd=ROOT,
            env=environment(folder, **environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._heard = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            with self._heard:
                self.lines.append(line.rstrip())
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()

    def hear(self, pattern: str, seconds: float = LONGEST) -> str:
        """Wait for a matching line and return it."""
        limit = time.monotonic() + seconds
        with self._heard:
            while True:
                for line in self.lines:
                    if re.search(pattern, line):
                        return line
                left = limit - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self._heard.wait(1)):
                    raise AssertionError(f"never said {pattern!r}:\n" + "\n".join(self.lines))
                self._heard.wait(min(left, 1))

    def get(self, path: str = "/healthz") -> tuple[int, str]:
        visit = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(visit):
            visit.request("GET", path)
            answer = visit.getresponse()
            return answer.status, answer.read().decode()

    def health(self) -> dict:
        return json.loads(self.get()[1])

    def family(self) -> list[psutil.Process]:
        """Every process that it started, and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, words: str) -> psutil.Process:
        """The direct child whose command has these words."""
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if words in " ".join(process.cmdline()):
                    return process
        raise AssertionError(f"no child with {words!r}")

    def has_another(self, words: str, than: psutil.Process) -> bool:
        """Whether a direct child with these words runs that is not `than`."""
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):
                if process.pid != than.pid and words in " ".join(process.cmdline()):
                    return True
        return False

    def end(self, number: int = signal.SIGINT) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(LONGEST)

    def make_sure(self, family: list[psutil.Process]) -> None:
        """After a failed test too, nothing of this start stays behind."""
        for process in [psutil.Process(self.process.pid)] if self.process.poll() is None else []:
            family = [*family, *process.children(recursive=True), process]
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.process.stdout.close()


def refusal(folder, *, port=None, **environ) -> str:
    """Start it; it must end with exit code 1 and one line.  That line."""
    ended = subprocess.run(
        [sys.executable, "-m", "portal.operations.serve", "--without-city", "--port", str(port or free_port())],
        cwd=ROOT,
        env=environment(folder, **environ),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("make serve: ")
    return lines[0]


@contextlib.contextmanager
def serving(folder: Path, **options):
    portal = Serving(folder, **options)
    try:
        yield portal
    finally:
        if portal.process.poll() is None:
            family = portal.family()
            portal.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                portal.process.wait(30)
            portal.make_sure(family)


def eventually(what, seconds: float = 90):
    """Wait until `what()` is true; asked again and again, within a bound."""
    limit = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < limit, f"not within {seconds} s"
        time.sleep(0.05)
    return answer


def living(processes: list[psutil.Process]) -> list[str]:
    """The commands of those that have not ended."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
    return found


def all_end(processes: list[psutil.Process], seconds: float = 30) -> None:
    """Wait until none of these processes lives; who does in the end is told."""
    limit = time.monotonic() + seconds
    while living(processes) and time.monotonic() < limit:
        time.sleep(0.05)
    assert living(processes) == []
