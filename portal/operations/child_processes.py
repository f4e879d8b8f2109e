"""Child processes, each in its own process session, so that its descendants can be found and ended."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from portal.jobs.process_identity import die_with_parent

STOP_TIMEOUT = 10.0
"""Seconds between the end signal and SIGKILL."""

SHORTEST_WAIT, LONGEST_WAIT, STEADY = 0.25, 4.0, 10.0
"""Seconds before a restart: the wait doubles with each crash, and is reset after `STEADY` seconds of running.  Even the
longest leaves a second for the start itself: a killed process is back within five."""

LARGEST_LOG = 20 * 2**20
"""Bytes of a log at which it is put aside."""

OLD_LOGS = 3
"""How many logs that were put aside are kept, as `name.log.1`, the newest, and so on."""


def _open_log(path: Path) -> BinaryIO:
    """The log, to append to it; nothing is logged where the disk lets no file be made, rather than nothing started."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")


class Successor(Protocol):
    """A process that may go on as a child that was lost (`portal.operations.standby`)."""

    def go_on_as(self, child: "Child") -> subprocess.Popen | None: ...


@dataclass
class Child:
    """A child process.  `end_signal` ends it; `user` is its system user (None: the current one); `files` stay open in it.
    `successor` goes on as it after a crash, if it is ready.
    """

    name: str
    command: list[str]
    log: Path
    end_signal: int = signal.SIGTERM
    env: dict[str, str] | None = None
    user: str | None = None
    files: tuple[int, ...] = ()
    folder: Path | None = None
    successor: Successor | None = None
    process: subprocess.Popen | None = field(default=None, init=False)
    started: float = field(default=0.0, init=False)
    wait: float = field(default=SHORTEST_WAIT, init=False)
    due: float = field(default=0.0, init=False)
    ended_killed: bool = field(default=False, init=False)

    def start(self) -> None:
        with _open_log(self.log) as log:
            self.process = subprocess.Popen(  # noqa: S603
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                start_new_session=True,
                pass_fds=self.files,
                cwd=self.folder,
                preexec_fn=die_with_parent(self.end_signal, parent=os.getpid()),
            )
        self.started = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Whether it ended by SIGKILL: by a hand, or by a system without memory, and by no fault of its own."""
        return self.ended_killed if self.process is None else self.process.poll() == -signal.SIGKILL

    def restart_if_due(self, now: float, say: Callable[[str], None]) -> None:
        """Restart it if it has crashed and the wait is over."""
        if self.running:
            return
        if self.process is not None:
            code = self.process.returncode
            if now - self.started > STEADY:
                self.wait = SHORTEST_WAIT
            why = f"{exit_description(code)}: {last_line(self.log)}" if code > 0 else exit_description(code)
            end_session(self.process.pid)
            self.process, self.due = self.successor.go_on_as(self) if self.successor else None, now + self.wait
            after = (
                f"it starts again in {self.wait:g} s"
                if self.process is None
                else "a process that was ready goes on as it"
            )
            say(f"{self.name} ended ({why}); {after} (whole log: {self.log})")
            self.wait = min(self.wait * 2, LONGEST_WAIT)
            if self.process is not None:
                self.started = now
                return
        if now >= self.due:
            self.start()

    def rotate_log(self, largest: int = LARGEST_LOG) -> None:
        """Put the log aside if it is large.  The child goes on writing at its new end, because it opened it to append."""
        if not self.log.exists() or self.log.stat().st_size <= largest:
            return
        names = [self.log, *(self.log.with_name(f"{self.log.name}.{number + 1}") for number in range(OLD_LOGS))]
        for older, newer in zip(reversed(names[2:]), reversed(names[1:-1]), strict=True):
            if newer.exists():
                newer.replace(older)
        try:
            shutil.copyfile(self.log, names[1])
        except OSError:  # the disk is full: what was in the log is given up, and the supervisor goes on
            names[1].unlink(missing_ok=True)
        os.truncate(self.log, 0)

    def terminate(self) -> None:
        if self.process is not None and self.running:
            self.process.send_signal(self.end_signal)

    def kill_after(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic), then kill it and its descendants."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        self.ended_killed = self.was_killed
        if self.running:
            self.process.kill()
            self.process.wait()
        end_session(self.process.pid)
        self.process = None


def exit_description(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def end_session(leader: int) -> None:
    """Kill the remaining processes of the session of `leader`, such as worker processes whose parent has ended."""
    for pid in members_of(leader):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    # they are children of init now; wait until their ports and locks are free
    limit = time.monotonic() + 5
    while members_of(leader) and time.monotonic() < limit:
        time.sleep(0.02)


def members_of(leader: int) -> list[int]:
    """The ids of the running processes of a session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            fields = entry.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.parent.name))
    return found


def last_line(text: str | Path) -> str:
    """The last line that reports an error, else the last line."""
    if isinstance(text, Path):
        text = text.read_text(errors="replace")[-4000:] if text.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "rror", "No space"))]
    return (telling or lines or ["no message"])[-1]
