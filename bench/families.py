"""Families of a rehearsal: each is a browser with its own cookies, address and patience, on one asyncio loop."""

import asyncio
import contextlib
import gzip
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from lxml import html as lxml_html

TIMEOUT = 30.0
MOST_LOOKS = 400
ADDRESSES = 6
"""Addresses that all families share, as behind the gateways of a carrier."""


@dataclass(frozen=True)
class Seen:
    """One request: what it was for, when it began (seconds since the start), how long it took, how it ended.

    `waited` says that a page of the waiting line came, `new` that the family came with it: no cookie was sent.
    """

    kind: str
    at: float
    seconds: float
    status: int
    waited: bool
    new: bool = False


@dataclass
class Tally:
    """Everything that the families saw, on one clock."""

    began: float = field(default_factory=time.monotonic)
    seen: list[Seen] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    """The applications whose submission was answered with a receipt."""
    finished: int = 0
    abandoned: int = 0
    failed: list[str] = field(default_factory=list)
    entered: list[float] = field(default_factory=list)
    """Seconds from the first request until the home page stood there."""

    def now(self) -> float:
        return time.monotonic() - self.began


@dataclass
class Page:
    status: int
    headers: dict[str, str]
    body: bytes
    wire: int
    """Bytes of the answer as it came, compressed and with its headers."""

    @property
    def location(self) -> str:
        found = urlsplit(self.headers.get("location", ""))
        return found.path + (f"?{found.query}" if found.query else "")


class Browser:
    """Keeps cookies and one connection."""

    def __init__(self, port: int, tally: Tally, chance: random.Random):
        self.port, self.tally, self.chance = port, tally, chance
        self.cookies: dict[str, str] = {}
        self.address = f"127.0.0.{2 + chance.randrange(ADDRESSES)}"
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None

    async def ask(self, kind: str, path: str, form: list[tuple[str, str]] | None = None) -> Page:
        """A page, after as much waiting in the line as it takes.  A request without an answer is sent again, up to three times."""
        for _ in range(MOST_LOOKS):
            page = await self._tried(kind, path, form)
            again = page.headers.get("refresh") or page.headers.get("retry-after")
            if page.status != 503 or again is None:
                return page
            await asyncio.sleep(float(again))
        raise TimeoutError(f"{path}: still in the line")

    async def _tried(self, kind: str, path: str, form: list[tuple[str, str]] | None) -> Page:
        for attempt in range(4):
            at, new = self.tally.now(), not self.cookies
            try:
                async with asyncio.timeout(TIMEOUT):
                    page = await self._exchange(path, form)
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
                self.close()
                self.tally.seen.append(Seen(kind, at, self.tally.now() - at, 0, waited=False, new=new))
                if attempt == 3:
                    raise
                await asyncio.sleep(1 + self.chance.random())
                continue
            waited = page.status == 503 and "retry-after" in page.headers
            self.tally.seen.append(Seen(kind, at, self.tally.now() - at, page.status, waited, new))
            return page
        raise AssertionError("unreachable")

    async def _exchange(self, path: str, form: list[tuple[str, str]] | None) -> Page:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.address, 0))
        reader, writer = self.streams
        body = urlencode(form or []).encode()
        lines = [
            f"{'GET' if form is None else 'POST'} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Accept-Encoding: gzip",
        ]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if form is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
            lines.append(f"Referer: http://127.0.0.1:{self.port}{path}")
        writer.write("\r\n".join([*lines, "\r\n"]).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.rstrip("\r\n").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(": ") for line in rest):
            if name.lower() == "set-cookie":
                self._keep(value)
            headers[name.lower()] = value
        content = await _content(reader, headers)
        wire = len(head) + len(content)
        if headers.get("connection") == "close":
            self.close()
        if headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        return Page(int(first.split(" ")[1]), headers, content, wire)

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        if value and "Max-Age=0" not in cookie:
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)


async def _content(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if headers.get("transfer-encoding") != "chunked":
        return b""
    parts = []
    while size := int((await reader.readline()).strip(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


def fields_of(page: Page) -> list[tuple[str, str]]:
    """What a browser would send of the page's form."""
    for form in lxml_html.fromstring(page.body).xpath("//main//form[@method='post']"):
        return [(name, value) for name, value in form.form_values() if name]
    raise ValueError("a page without a form")


@dataclass
class Family:
    """A family with a filled-in form: signs in, saves a page, checks, submits, looks at its receipt and its status."""

    phone: str
    application: str
    codes: Callable[[str], str | None]
    think: float

    async def visit(self, port: int, tally: Tally, chance: random.Random) -> None:
        browser = Browser(port, tally, chance)
        try:
            if await self._journey(browser, tally, chance):
                tally.finished += 1
            else:
                tally.abandoned += 1
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as fault:
            tally.failed.append(f"{type(fault).__name__}: {fault}")
        finally:
            browser.close()

    async def _journey(self, browser: Browser, tally: Tally, chance: random.Random) -> bool:
        """False for a family that gives up on the way."""
        began = tally.now()
        form_path = f"/parents/applications/{self.application}"

        async def thinks() -> None:
            await asyncio.sleep(chance.expovariate(1 / self.think) if self.think else 0)

        await browser.ask("home", "/")
        await thinks()
        page = await browser.ask("sign-in page", "/sign-in")
        await thinks()
        entered = [
            (name, self.phone.removeprefix("+86") if name == "phone" else value) for name, value in fields_of(page)
        ]
        _expect(await browser.ask("ask for a code", "/sign-in", entered), 303)
        page = await browser.ask("code page", "/sign-in/code")
        code = await self._code()
        await thinks()
        entered = [(name, code if name == "code" else value) for name, value in fields_of(page)]
        _expect(await browser.ask("enter the code", "/sign-in/code", entered), 303)
        await browser.ask("own home", "/parents")
        tally.entered.append(tally.now() - began)
        await thinks()
        page = await browser.ask("form page", f"{form_path}/household")
        await thinks()
        _expect(await browser.ask("save the form", f"{form_path}/household", fields_of(page)), 303)
        page = await browser.ask("check page", f"{form_path}/check")
        if chance.random() < 0.05:
            return False
        await thinks()
        sent = [*(each for each in fields_of(page) if each[0] != "true"), ("true", "y")]
        receipt = await self._submit(browser, tally, chance, f"{form_path}/check", sent)
        await browser.ask("receipt", receipt)
        await thinks()
        _expect(await browser.ask("status", form_path), 200)
        return True

    async def _submit(
        self, browser: Browser, tally: Tally, chance: random.Random, path: str, sent: list[tuple[str, str]]
    ) -> str:
        """The address of the receipt.  One family in five clicks twice: the first answer is not looked at."""
        if chance.random() < 0.2:
            first = Browser(browser.port, tally, chance)
            first.cookies = dict(browser.cookies)
            click = asyncio.create_task(first.ask("first of two clicks", path, sent))
            page = await browser.ask("submit", path, sent)
            with contextlib.suppress(OSError, TimeoutError, ValueError):
                await click
            first.close()
        else:
            page = await browser.ask("submit", path, sent)
        _expect(page, 303)
        if "/receipts/" not in page.location:
            raise ValueError(f"submitted, and sent to {page.location}")
        tally.acknowledged.add(self.application)
        return page.location

    async def _code(self) -> str:
        for _ in range(600):
            if code := self.codes(self.phone):
                return code
            await asyncio.sleep(0.1)
        raise TimeoutError("no code came")


def _expect(page: Page, status: int) -> None:
    if page.status != status:
        raise ValueError(f"answered {page.status}")
