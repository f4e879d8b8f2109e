"""`make screenshots`: pages at 390 px and 1280 px, in Chinese and English, into var/screenshots.

    make screenshots                                        the pages that stand beside the design's drawings
    make screenshots PAGES="/ /coverage 13900000001:/parents clerk1:/staff"

`LOGIN:/path` is a page behind a sign-in; `{kindergarten}` and `{application}` in a path stand for the first one that is linked.  The portal of `make serve` is used if it runs on PORT; else one is started, with
its demo city, and ended afterwards.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.support.chromium import chromium, is_there, open_context
from tests.support.demo_visitor import sign_in

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "var" / "screenshots"
PAGES = (
    "/ /kindergartens /kindergartens?view=map /kindergartens/{kindergarten} /coverage /help /sign-in /offline "
    "13900000001:/parents 13900000002:/parents 13900000002:/parents/applications/{application}/wishes "
    "13900000002:/parents/applications/{application}/together 13900000002:/parents/applications/{application}/evidence "
    "clerk1:/staff clerk1:/staff/queue clerk1:/staff/places clerk1:/staff/arrivals clerk1:/staff/roll clerk1:/staff/reports "
    "area1:/officials city1:/officials"
)
FOUND = {"kindergarten": "/kindergartens", "application": "/parents"}
"""Braces in a path stand for the first one that this page links to."""


def answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        try:
            return urllib.request.urlopen(f"{url}/healthz", timeout=5).status == 200
        except urllib.error.HTTPError:
            return False
    return False


@contextlib.contextmanager
def portal(port: int) -> Iterator[str]:
    """The address of a portal with its demo city."""
    url = f"http://127.0.0.1:{port}"
    if answers(url):
        yield url
        return
    started = subprocess.Popen(
        [sys.executable, "-m", "portal.operations.serve", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        loading = False
        for line in started.stdout:
            print(line, end="", flush=True)
            loading = loading or "loading the demo city" in line
            if "demo city:" in line and "children, through" in line:
                break
            if not loading and "stop with" in line:
                break
        yield url
    finally:
        started.send_signal(signal.SIGINT)
        started.wait()


def name_of(page: str) -> str:
    login, _, path = page.rpartition(":")
    return f"{login}-{path}".strip("-").replace("/", "_").strip("_").replace("-_", "-") or "home"


def address(tab: Page, path: str) -> str:
    """The path with what its braces stand for."""
    for name, listed in FOUND.items():
        if f"{{{name}}}" in path:
            before = path.partition(f"{{{name}}}")[0]
            tab.goto(listed)
            links = tab.locator(f"main a[href^='{before}']").evaluate_all("all => all.map((each) => each.pathname)")
            path = path.replace(f"{{{name}}}", links[0].removeprefix(before).partition("/")[0])
    return path


def take(url: str, pages: list[str]) -> list[Path]:
    """Take each page four times; the files."""
    TARGET.mkdir(parents=True, exist_ok=True)
    taken = []
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        for phone, width in ((True, 390), (False, 1280)):
            for login in sorted({page.rpartition(":")[0] for page in pages}):
                context = open_context(browser, phone=phone, base_url=url)
                context.set_default_timeout(30_000)
                tab = context.new_page()
                if login:
                    sign_in(tab, login)
                for page in (page for page in pages if page.rpartition(":")[0] == login):
                    for language in ("zh-CN", "en"):
                        path = address(tab, page.rpartition(":")[2])
                        tab.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
                        file = TARGET / f"{name_of(page)}-{width}-{language}.png"
                        tab.screenshot(path=file, full_page=True)
                        taken.append(file)
                context.close()
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(prog="make screenshots")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("pages", nargs="*", default=(os.environ.get("PAGES") or PAGES).split())
    asked = parser.parse_args()
    if not is_there():
        print("make screenshots: Chromium is missing: sudo apt-get install -y chromium-headless-shell", file=sys.stderr)
        return 1
    with portal(asked.port) as url:
        for file in take(url, asked.pages):
            print(file.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
