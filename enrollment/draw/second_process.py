"""A second process for long arithmetic on parts of a city: a fork that works on parts while this process reads the next ones.

The fork has what this process had in memory when it began.  It reads no database and writes nothing: it gets parts and gives
results through a pipe.  It ends when its pipe is closed, and therefore also when this process is killed.
"""

import gc
import multiprocessing
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

AT_ONCE = 2
"""Parts that wait for the second process or are worked on there; this process works on the next one itself."""

LONGEST_END = 10
"""Seconds until a second process that does not end by itself is killed."""


class SecondProcessEnded(RuntimeError):
    """The second process has ended before its work was done: it was killed, or had no memory."""


@contextmanager
def spread(
    work: Callable[[Part], Result], *, alone: bool = False
) -> Iterator[Callable[[Iterable[Part]], Iterator[Result]]]:
    """Gives a function like `map` for `work`, which is done here and in a fork by turns; the results come in the order of the parts.

    Parts and results are pickled.  An error in the second process is raised here; SecondProcessEnded if it ends.  `alone` works
    without a fork, which is dearer than a small work.
    """
    if alone:
        yield lambda parts: map(work, parts)
        return
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(work, ours, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="second process") as lane:
            yield lambda parts: _by_turns(work, parts, lambda part: lane.submit(_ask, ours, part))
    finally:
        ours.close()
        process.join(LONGEST_END)
        if process.is_alive():
            process.kill()
            process.join()


def _by_turns(
    work: Callable[[Part], Result], parts: Iterable[Part], ask: Callable[[Part], "Future[Result]"]
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for part in parts:
        if sum(not each.done() for each in waiting) < AT_ONCE:
            waiting.append(ask(part))
        else:
            waiting.append(_done(work(part)))
        while waiting and waiting[0].done():
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _done(result: Result) -> "Future[Result]":
    future: Future[Result] = Future()
    future.set_result(result)
    return future


def _ask(pipe: Connection, part: Any) -> Any:
    try:
        pipe.send(part)
        worked, answer = pipe.recv()
    except (EOFError, OSError) as fault:
        raise SecondProcessEnded("the second process has ended before its work was done") from fault
    if not worked:
        raise answer
    return answer


def _serve(work: Callable[[Any], Any], ours: Connection, theirs: Connection) -> None:
    """The loop of the second process."""
    ours.close()  # or it would never see that the other end is closed
    gc.freeze()  # what it has from the other process stays shared
    while True:
        try:
            part = theirs.recv()
        except EOFError:
            return
        try:
            answer: tuple[bool, Any] = True, work(part)
        except Exception as fault:
            answer = False, _sendable(fault)
        try:
            theirs.send(answer)
        except BrokenPipeError:
            return


def _sendable(fault: Exception) -> Exception:
    """The error itself, or its name where it cannot be sent; its values may be personal."""
    try:
        pickle.loads(pickle.dumps(fault))  # noqa: S301 (our own bytes)
    except Exception:
        return RuntimeError(f"{type(fault).__name__} in the second process")
    return fault
