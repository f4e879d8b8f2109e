"""The process of `flask line`: asks the page processes how busy they are, and answers the proxy, until SIGTERM."""

import asyncio
import contextlib
import dataclasses
import signal
import socket
import time
from pathlib import Path

import structlog
from flask import Flask

from portal.line.http_server import Answer, Request, serve
from portal.line.line import Line
from portal.line.load import PATIENCE, Load, ask
from portal.line.numbers import Numbers
from portal.line.pages import Pages
from portal.web.front.visits import Visits

log = structlog.get_logger()

CHECK = "/_line/check"
STEP = 0.2
"""Seconds between two looks at the page processes."""

RENEWAL = 60
"""Seconds between two looks at the telephone of the season."""

FULL_AGAIN = 4
"""Seconds until somebody who has been let in, but met full page processes, looks again."""


class Door:
    """Answers the proxy: who comes in, and the page for whom does not."""

    def __init__(self, line: Line, numbers: Numbers, pages: Pages, visits: Visits):
        self.line, self.numbers, self.pages, self.visits = line, numbers, pages, visits

    async def handle(self, request: Request) -> Answer:
        reason = request.headers.get("x-front-reason")
        if request.target.partition("?")[0] == CHECK:  # the proxy leaves the query of the visitor's address
            return self._check(request)
        if reason in ("full", "pause") and "x-original-method" in request.headers:
            request = dataclasses.replace(request, method=request.headers["x-original-method"])
        # the pages of a desk, and what all pages ask alike, have no line
        if reason == "pause" or (reason == "full" and min(self.line.load.delays, default=0.0) >= PATIENCE):
            return self.pages.pause(request, FULL_AGAIN)
        return await self._waiting(request, full=reason == "full")

    def _check(self, request: Request) -> Answer:
        """Whether this visitor comes in: with a cookie of its visit, or told to wait."""
        value = self.visits.found(request.headers.get("cookie", "")) or ""
        number = self._number(value)
        if self.line.may_enter(number):
            return Answer(204, "No Content", [("Set-Cookie", self.visits.entrance())])
        return Answer(204, "No Content", [("X-Line", "wait")])

    def _number(self, value: str) -> int | None:
        number = self.visits.number(value)
        return number if number is not None and self.line.knows(number) else None

    async def _waiting(self, request: Request, *, full: bool) -> Answer:
        value = self.visits.found(request.headers.get("cookie", "")) or ""
        number = self._number(value)
        fresh = number is None
        if number is None:
            # who is in, but met full page processes, keeps the visit
            age = self.visits.age(value)
            if full and age is not None:
                return self.pages.full(request, FULL_AGAIN)
            number = await self.numbers.next(self.line.last)
            # others have got numbers meanwhile; nothing is awaited between this look at the last one and the next number
            if number is None:
                number = self.line.last + 1
            self.line.last = max(self.line.last, number)
        answer = self.pages.waiting(request, self.line.place(number, time.monotonic()))
        if fresh:
            answer.headers.append(("Set-Cookie", self.visits.place(number)))
        return answer


async def watch(line: Line, numbers: Numbers, families: Path) -> None:
    """Ask the page processes, and move the line, five times a second."""
    before = time.monotonic()
    asked: set[asyncio.Task[None]] = set()
    while True:
        # the next question does not wait for the answer of the one before, which may take its whole time
        if len(asked) < 5:
            question = asyncio.create_task(ask(families, line.load))
            asked.add(question)
            question.add_done_callback(asked.discard)
        now = time.monotonic()
        seconds, before = max(0.001, now - before), now
        steps, present = line.advance(seconds, now)
        last, turn = await numbers.advance(line.last, line.turn, steps)
        line.moved(last, turn, present, seconds)
        await asyncio.sleep(STEP)


async def renew(pages: Pages) -> None:
    """Look for another telephone of the season, away from the loop that answers."""
    while True:
        await asyncio.sleep(RENEWAL)
        try:
            await asyncio.to_thread(pages.renew)
        except OSError as error:  # the disk is full: the pages stay as they are
            log.warning("the pages of the line could not be written", error=str(error))


async def _run(app: Flask, listener: socket.socket, families: Path, workers: int, folder: Path) -> None:
    config = app.extensions["services"].config
    line, numbers = Line(Load(workers)), Numbers(config.redis_url)
    pages = Pages(app, folder)
    door = Door(line, numbers, pages, Visits(config.secret_key, secure=config.https))
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = await serve(listener, door.handle)
    watching = asyncio.create_task(watch(line, numbers, families))
    renewing = asyncio.create_task(renew(pages))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({watching, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    watching.cancel()
    renewing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    await numbers.close()


def run(app: Flask, listener: socket.socket, families: Path, workers: int, folder: Path) -> None:
    """Keep the line in front of the page processes behind the socket `families` until SIGTERM.

    The pages that the proxy sends by itself are written to `folder`.
    """
    asyncio.run(_run(app, listener, families, workers, folder))
