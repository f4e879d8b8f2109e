"""Who holds a lease: a process, named so that another one of its host can tell for certain that it is dead; and one that dies
with its parent."""

import ctypes
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

BOOT, SPACE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


def own_name() -> str:
    return name_of(os.getpid())


def name_of(pid: int) -> str:
    """`host/boot/space/pid/start`: the start of the host, the space of its process ids (a container has its own), the id, and when
    the process began, because ids are used again.  Where a system tells nothing of it, host and id, of which nothing is certain.
    """
    host = socket.gethostname().replace("/", "_")
    found = _place(), _began(pid)
    return f"{host}/{found[0]}/{pid}/{found[1]}" if all(found) else f"{host}:{pid}"


def is_dead(name: str) -> bool:
    """Whether the process of this name certainly lives no more: it was one of this start of this host."""
    parts = name.split("/")
    if len(parts) != 5 or not parts[3].isdecimal() or "/".join(parts[1:3]) != _place():
        return False
    return _began(int(parts[3])) != parts[4]


def _place() -> str | None:
    try:
        return f"{BOOT.read_text().strip()}/{SPACE.stat().st_ino}"
    except OSError:
        return None


def _began(pid: int) -> str | None:
    """In ticks after the start of the host; None if there is no such process, or if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def die_with_parent(how: int, parent: int) -> Callable[[], None] | None:
    """A function for a child of the process `parent`: from its call on, Linux sends the child the signal `how` when the parent
    is dead.  A parent that died between the fork and the call tells nobody any more: the child ends at once.
    """
    if not sys.platform.startswith("linux"):
        return None
    set_option = ctypes.CDLL(None, use_errno=True).prctl

    def become_mortal() -> None:
        set_option(1, how)
        if os.getppid() != parent:
            os._exit(1)

    return become_mortal
