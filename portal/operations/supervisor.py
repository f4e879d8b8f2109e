"""The supervisor process: starts the children, restarts them after a crash, and ends all of them."""

import signal
import time
from collections.abc import Callable
from types import FrameType

from portal.operations.child_processes import STOP_TIMEOUT, Child


class Supervisor:
    """`layers` are started in order and ended in reverse order: first the servers, then their clients."""

    def __init__(self, say: Callable[[str], None]):
        self.say = say
        self.layers: list[list[Child]] = []
        self.tasks: list[Child] = []  # children that run once; their end is not a crash
        self.stopping = False

    def take_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def add_layer(self, *children: Child, started: bool = False) -> None:
        """Watch these children; start them unless `started`."""
        self.layers.append(list(children))
        if not started:
            for child in children:
                child.start()

    def children(self) -> list[Child]:
        """All children of the layers."""
        return [child for layer in self.layers for child in layer]

    def watch(self, poll: Callable[[], None] = lambda: None) -> None:
        """Check the children four times a second until a signal arrives."""
        while not self.stopping:
            now = time.monotonic()
            for layer in self.layers:
                for child in layer:
                    child.restart_if_due(now, self.say)
                    child.rotate_log()
            poll()
            time.sleep(0.25)

    def end(self) -> None:
        """End all children, the last started first.  A second signal during the wait has no effect."""
        for layer in [self.tasks, *reversed(self.layers)]:
            deadline = time.monotonic() + STOP_TIMEOUT
            for child in layer:
                child.terminate()
            for child in layer:
                child.kill_after(deadline)
