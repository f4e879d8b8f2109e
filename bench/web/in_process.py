"""Processor time of one process for one page, without gunicorn and the network: `python -m bench.web.in_process [--calls FOLDER] [--only status]`.

It is steadier than rates on a busy machine: the least of many short rounds, and the calls of Python functions, which are the same in each run.
`--calls` writes a profile of each path that `pstats` reads.
"""

import argparse
import cProfile
import itertools
import os
import pstats
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from bench.web import families as people
from bench.web.families import Family
from bench.web.ground import Ground

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
    "finder, words of one": "/kindergartens?q=%E7%AC%AC%E4%B8%80&unlike={id}",
}
ROUNDS, IN_ROUND, WARM = 30, 8, 40


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
    for family in itertools.cycle(readers[:1] if name.endswith(AGAIN) else readers):
        yield environ(
            PAGES[name].format(id=family.application),
            "" if name.startswith("finder") else f"session={family.browser.cookie}",
        )


def fetch(app: Any, request: dict[str, Any]) -> None:
    said: list[str] = []
    answer = app(request, lambda status, headers, exc_info=None: said.append(status))
    for _part in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()
    if said[0][:3] != "200":
        raise RuntimeError(f"{request['PATH_INFO']} was answered with {said[0]}")


def measured(app: Any, each: Iterator[dict[str, Any]], calls: Path | None) -> tuple[float, int]:
    """Milliseconds of this process for one request, the least of the rounds, and calls of functions for one."""
    for _n in range(WARM):
        fetch(app, next(each))
    best = float("inf")
    for _round in range(ROUNDS):
        batch = [next(each) for _n in range(IN_ROUND)]
        began = time.process_time()
        for request in batch:
            fetch(app, request)
        best = min(best, (time.process_time() - began) / IN_ROUND)
    profile = cProfile.Profile()
    profile.enable()
    for _n in range(IN_ROUND):
        fetch(app, next(each))
    profile.disable()
    if calls is not None:
        profile.dump_stats(calls)
    return best * 1000, pstats.Stats(profile).total_calls // IN_ROUND  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=300)
    parser.add_argument("--calls", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    ground = WithoutServer(options.children)
    try:
        readers = people.signed_in(ground)
        from wsgi import app  # after the settings are in the environment

        for name in PAGES:
            if options.only in name:
                kept = None if options.calls is None else options.calls / f"{name.replace(' ', '_')}.prof"
                spent, calls = measured(app, requests(name, readers), kept)
                print(f"{name:22} {spent:6.2f} ms {calls:7} calls", flush=True)
    finally:
        ground.stop()


if __name__ == "__main__":
    main()
