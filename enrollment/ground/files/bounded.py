"""Runs a function over somebody's bytes in a fork with bounds: what it takes too much of, and what it raises, ends the fork alone.

A fork, unlike a new process, has loaded everything and costs some milliseconds.  It returns what can be written as JSON, and
ends without the clean-up of the process that it is a copy of, whose connections it never uses.
"""

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 3
"""How many times the seconds of a processor may pass on the clock: others may have the machine."""


class OutOfBounds(Exception):
    """It took too much, or raised."""


def run(function: Callable[[], Any], *, memory: int, seconds: int) -> Any:
    """What the function returns, if it needs at most `memory` more bytes and `seconds` of a processor.  Raises OutOfBounds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(function, writing, memory, seconds)
    os.close(writing)
    try:
        answer = _read(reading, time.monotonic() + PATIENCE * seconds)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not answer:
        raise OutOfBounds
    return json.loads(answer)


def _work(function: Callable[[], Any], writing: int, memory: int, seconds: int) -> None:
    try:
        most = _address_space() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(writing, json.dumps(function()).encode())
    finally:
        os._exit(0)  # also after an exception: nothing of the copied process is cleaned up twice


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _read(reading: int, limit: float) -> bytes:
    """Everything until the other end is closed; nothing if that takes too long."""
    found = b""
    while (left := limit - time.monotonic()) > 0:
        if not select.select([reading], [], [], left)[0]:
            break
        part = os.read(reading, 65536)
        if not part:
            return found
        found += part
    return b""
