"""One process that owns all others: starts them, restarts what crashes, and leaves none behind."""

import signal
import time
from collections.abc import Callable

from portal.operations.child_processes import PATIENCE, Child


class Supervisor:
    """`layers` are started in order and ended in the opposite order: servers first, what uses them after."""

    def __init__(self, say: Callable[[str], None]):
        self.say = say
        self.layers: list[list[Child]] = []
        self.tasks: list[Child] = []  # children that run once, beside the others; their end is no crash
        self.stopping = False

    def take_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame) -> None:
        self.stopping = True

    def add_layer(self, *children: Child, started: bool = False) -> None:
        """`started` children are watched from now on; the others are started here."""
        self.layers.append(list(children))
        if not started:
            for child in children:
                child.start()

    def watch(self, each_turn: Callable[[], None] = lambda: None) -> None:
        """Until a signal asks to stop: look after the children four times a second."""
        while not self.stopping:
            now = time.monotonic()
            for layer in self.layers:
                for child in layer:
                    child.revive(now, self.say)
            each_turn()
            time.sleep(0.25)

    def end(self) -> None:
        """End everything, the last started first.  A second signal during the wait changes nothing."""
        for layer in [self.tasks, *reversed(self.layers)]:
            deadline = time.monotonic() + PATIENCE
            for child in layer:
                child.ask_to_end()
            for child in layer:
                child.make_end(deadline)
