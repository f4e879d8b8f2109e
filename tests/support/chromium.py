"""Debian's Chromium for tests and screenshots, with a Chinese font, without background requests."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

PROGRAMS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
"""Programs of Debian in order of preference; the first one has no window."""

FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=zh-CN", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1280, "height": 900}}
LANGUAGE = {"zh-CN": {"locale": "zh-CN"}, "en": {"locale": "en-GB"}}


def program() -> str | None:
    return next(filter(shutil.which, PROGRAMS), None)


def is_there() -> bool:
    return program() is not None


def give_it_fonts(data_home: Path) -> None:
    """Provide the fonts of the PDF letters: without a Chinese font, screenshots show empty boxes."""
    fonts = data_home / "fonts"
    fonts.mkdir(parents=True, exist_ok=True)
    for font in files("pylopdf_fonts_zh_cn").iterdir():
        if font.name.endswith(".otf") and not (fonts / font.name).exists():
            (fonts / font.name).symlink_to(str(font))


_running: list[Playwright] = []


@contextlib.contextmanager
def _playwright() -> Iterator[Playwright]:
    """The Playwright of this process, which can have one only: whoever needs it first starts and ends it."""
    if _running:
        yield _running[0]
        return
    with sync_playwright() as started:
        _running.append(started)
        try:
            yield started
        finally:
            _running.clear()


@contextlib.contextmanager
def chromium(folder: Path, *flags: str) -> Iterator[Browser]:
    """A running Chromium with its profile in `folder`, and with these flags beside the usual ones."""
    give_it_fonts(folder)
    with _playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program(), args=[*FLAGS, *flags], env=os.environ | {"XDG_DATA_HOME": str(folder)}
        )
        yield browser
        browser.close()


def open_context(
    browser: Browser, *, phone: bool, language: str = "zh-CN", base_url: str | None = None, worker: bool = False
) -> BrowserContext:
    """`worker`: with the worker of the page without a network; a test cannot cut or change the requests that it makes."""
    shape = PHONE if phone else DESK
    workers = "allow" if worker else "block"
    return browser.new_context(
        **shape, **LANGUAGE[language], timezone_id="Asia/Shanghai", base_url=base_url, service_workers=workers
    )
