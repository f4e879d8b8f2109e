"""A process that has loaded the portal and waits to go on as another one that was lost.

A master of pages, a worker or the sender imports a thousand modules before it works: two seconds of a processor, and on a busy
machine many seconds on the clock.  `python -m portal.operations.standby FD` has imported them.  Its supervisor tells it over a
socket which command it is from now on; then it needs as little as a fork, and the supervisor starts the next one.
"""

import contextlib
import ctypes
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import portal
from portal.operations import inherited_socket
from portal.operations.child_processes import Child

MODULE = "portal.operations.standby"
READY = b"r"
ROOM = 400
"""Characters of the longest command that `ps` can show of it."""

REST = 1.0
"""Seconds after which the next one is loaded: first the part that was lost needs the processor."""


@dataclass
class Standby(Child):
    """The supervisor's side.  `sockets` are those of the parts that it may become."""

    command: list[str] = field(default_factory=list, init=False)
    sockets: tuple[int, ...] = ()
    _control: socket.socket | None = field(default=None, init=False)

    def start(self) -> None:
        self._close()
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self.files = (*self.sockets, number)
            self.command = [sys.executable, "-m", MODULE, str(number), "-" * ROOM]
            super().start()
        self._control = ours

    def is_ready(self) -> bool:
        """Whether it has loaded the portal."""
        if not self.running or self._control is None:
            return False
        with contextlib.suppress(OSError):
            return self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == READY
        return False

    def go_on_as(self, child: Child) -> subprocess.Popen | None:
        """Make the process that waits the one of this child; None if there is none that is ready."""
        if not self.is_ready() or self._control is None:
            return None
        part = {"command": child.command[1:], "environ": child.env, "log": str(child.log)}
        try:
            self._control.sendall(json.dumps(part).encode() + b"\n")
        except OSError:
            return None
        process, self.process = self.process, None
        self._close()
        self.due = time.monotonic() + REST
        return process

    def _close(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None


def code_folder() -> str:
    """The folder of the code that a process would load now: the target of a link that a new version has turned, too."""
    return os.path.realpath(Path(portal.__file__).parent)


def newest_change(folder: str) -> int:
    """When a module under the folder was last written, in nanoseconds."""
    return max(path.stat().st_mtime_ns for path in Path(folder).rglob("*.py"))


def _version() -> tuple[str, int]:
    """The code that a process would load now."""
    folder = code_folder()
    return folder, newest_change(folder)


def show_command(words: list[str]) -> None:
    """Let `ps` and the tools of an operator show these words as the command of this process (Linux), as far as they fit."""
    with contextlib.suppress(OSError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        begins, ends = int(fields[45]), int(fields[46])
        told = b"\0".join(word.encode() for word in words)[: ends - begins - 1]
        ctypes.memmove(begins, told.ljust(ends - begins, b"\0"), ends - begins)


def _keep_first_descriptor(control: socket.socket) -> socket.socket:
    """A socket is handed over at a descriptor of its own (`inherited_socket.FIRST`), which nothing that is loaded may take."""
    if control.fileno() == inherited_socket.FIRST:
        moved = socket.socket(fileno=os.dup(control.fileno()))
        control.detach()
        os.dup2(os.open(os.devnull, os.O_RDONLY), inherited_socket.FIRST)
        return moved
    with contextlib.suppress(OSError):
        os.fstat(inherited_socket.FIRST)
        return control
    os.dup2(os.open(os.devnull, os.O_RDONLY), inherited_socket.FIRST)
    return control


def main(descriptor: int) -> None:
    """Load the portal, wait for the words of the supervisor, and go on as that part."""
    show_command([sys.executable, "-m", MODULE])
    control = _keep_first_descriptor(socket.socket(fileno=descriptor))
    loaded = _version()
    importlib.import_module("wsgi")
    importlib.import_module("portal.jobs.runner").load_handlers()  # it may become a worker
    show_command([sys.executable, "-m", MODULE, "ready"])
    control.sendall(READY)
    with control, control.makefile("r") as words:
        line = words.readline()
    if not line:  # the supervisor has no use for it any more
        return
    part = json.loads(line)
    command: list[str] = part["command"]
    os.environ.clear()
    os.environ.update(part["environ"])
    with open(part["log"], "ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if loaded != _version():  # a newer one is there: nobody goes on with the older one
        os.execv(sys.executable, [sys.executable, *command])  # noqa: S606
    show_command([sys.executable, *command])
    if command[:2] == ["-m", inherited_socket.__name__]:
        inherited_socket.hand_over(int(command[2]))
        command = command[3:]
    module, sys.argv = command[1], command[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
