"""Processor time of one process for one page, without gunicorn and the network: `python -m bench.web.in_process [--calls FOLDER] [--only status]`.

It is steadier than rates on a busy machine: the least of many short rounds, and the calls of Python functions, which are the same in each run.
PostgreSQL's time is that of all its processes over all rounds, as the kernel counts it.  `--calls` writes a profile of each path that `pstats` reads.

Acts start from drafts, or from offers, that are put back as often as needed, outside the measurement.  With `--results`, the city has a
published result, and the paths are its page and the confirmation.
"""

import argparse
import contextlib
import cProfile
import itertools
import os
import pstats
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil

from bench.web import families as people
from bench.web import paths
from bench.web.families import Family
from bench.web.ground import Ground
from bench.web.load import Request

AGAIN = " again"
PAGES = {
    "status": "/parents/applications/{id}",
    "status again": "/parents/applications/{id}",
    "task list": "/parents/applications/{id}/tasks",
    "task list again": "/parents/applications/{id}/tasks",
    "home signed in": "/parents",
    "home signed in again": "/parents",
    "messages": "/parents/messages",
    "front page signed in": "/",
    "check": "/parents/applications/{id}/check",
    "finder, words of many": "/kindergartens?q=%E7%AC%AC%E4%B8%80",
    "finder, words of one": "/kindergartens?q={unlike}",
}
ROUNDS, IN_ROUND, WARM = 30, 8, 40
Each = Iterator[dict[str, Any]]


class WithoutServer(Ground):
    """The database of a measured city; the portal runs in this process."""

    def serve(self, app: str, **more: str) -> Any:
        os.environ.update(self.environ | more)


def environ(address: str, cookie: str) -> dict[str, Any]:
    path, _mark, query = address.partition("?")
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1", "HTTP_ACCEPT_LANGUAGE": "zh-CN", "HTTP_COOKIE": cookie,
        "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "wsgi.input": BytesIO(), "wsgi.errors": BytesIO(), "wsgi.multithread": False,
        "wsgi.multiprocess": True, "wsgi.run_once": False, "wsgi.version": (1, 0),
    }  # fmt: skip


def requests(name: str, readers: list[Family]) -> Iterator[dict[str, Any]]:
    """The page of one family after another; what is public, without a session.

    A page that is looked at again within the minute is the page of one family alone.
    """
    for number, family in enumerate(itertools.cycle(readers[:1] if name.endswith(AGAIN) else readers)):
        yield environ(
            PAGES[name].format(id=family.application, unlike=paths.written_unlike(number)),
            "" if name.startswith("finder") else f"session={family.browser.cookie}",
        )


def posted(request: Request) -> dict[str, Any]:
    """A form of the measured paths, as a server hands it to the application."""
    head, _mark, body = request.raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    form = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": headers["Content-Type"], "CONTENT_LENGTH": str(len(body))}
    return environ(first.split(" ")[1], headers["Cookie"]) | form | {"wsgi.input": BytesIO(body)}


def acts(put_back: Callable[[], None], requests_of_all: Callable[[], Iterator[Request]]) -> Each:
    """The act of one family after another; when all have acted, their rows are put back."""
    while True:
        put_back()
        yield from map(posted, requests_of_all())


def fetch(app: Any, request: dict[str, Any]) -> None:
    said: list[str] = []
    led_to: list[str] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        said.append(status[:3])
        led_to.extend(value for name, value in headers if name == "Location")

    answer = app(request, start)
    for _part in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()
    # a form that is refused leads back to its own page
    wanted = "200" if request["REQUEST_METHOD"] == "GET" else "303"
    if said != [wanted] or request["PATH_INFO"] in led_to:
        raise RuntimeError(f"{request['PATH_INFO']} was answered with {said} {led_to}")


def spent_by_server(postmaster: int) -> float:
    """Seconds of processor time of PostgreSQL's processes that still run; the kernel counts them in nanoseconds here."""
    spent = 0
    for process in psutil.Process(postmaster).children():
        with contextlib.suppress(OSError):
            spent += int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])
    return spent / 1e9


def measured(app: Any, postmaster: int, each: Each, calls: Path | None) -> tuple[float, float, int]:
    """Milliseconds for one request: of this process, the least of the rounds, and of PostgreSQL.  Calls of functions for one."""
    for _n in range(WARM):
        fetch(app, next(each))
    best, server = float("inf"), 0.0
    for _round in range(ROUNDS):
        batch = [next(each) for _n in range(IN_ROUND)]
        before, began = spent_by_server(postmaster), time.process_time()
        for request in batch:
            fetch(app, request)
        best = min(best, (time.process_time() - began) / IN_ROUND)
        server += spent_by_server(postmaster) - before
    batch = [next(each) for _n in range(IN_ROUND)]
    profile = cProfile.Profile()
    profile.enable()
    for request in batch:
        fetch(app, request)
    profile.disable()
    if calls is not None:
        profile.dump_stats(calls)
    each_calls = pstats.Stats(profile).total_calls // IN_ROUND  # type: ignore[attr-defined]
    return best * 1000, server * 1000 / ROUNDS / IN_ROUND, each_calls


def of_registration(ground: Ground) -> Iterator[tuple[str, Each]]:
    readers = people.signed_in(ground)
    for name in PAGES:
        yield name, requests(name, readers)
    # last: it leaves drafts
    yield "submit", acts(lambda: people.as_drafts(ground, readers), lambda: paths.submissions(readers))


def of_results(ground: Ground) -> Iterator[tuple[str, Each]]:
    families = people.signed_in(
        ground, "unit IS NULL AND id IN (SELECT application_id FROM offer WHERE state = 'offered')"
    )
    yield "result page", (got(request) for request in paths.result_pages(ground, families, "1 minute"))
    yield "confirm", acts(people.remember_offers(ground), lambda: paths.confirmations(ground, families))


def got(request: Request) -> dict[str, Any]:
    head = request.raw.decode().split("\r\n")
    cookie = next(line.removeprefix("Cookie: ") for line in head if line.startswith("Cookie: "))
    return environ(head[0].split(" ")[1], cookie)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=300)
    parser.add_argument("--calls", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument(
        "--results", action="store_true", help="the page of a result and its confirmation, in a city of their own"
    )
    options = parser.parse_args()
    ground = WithoutServer(options.children, "results" if options.results else "registration")
    try:
        each_path = of_results(ground) if options.results else of_registration(ground)
        from wsgi import app  # after the settings are in the environment

        for name, each in each_path:
            if options.only in name:
                kept = None if options.calls is None else options.calls / f"{name.replace(' ', '_')}.prof"
                spent, server, calls = measured(app, ground.postmaster, each, kept)
                print(f"{name:22} {spent:6.2f} ms {server:6.2f} ms of PostgreSQL {calls:7} calls", flush=True)
    finally:
        ground.stop()


if __name__ == "__main__":
    main()
