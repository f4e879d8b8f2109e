"""A test gateway 测试短信网关: a stand-in for the message gateway, for tests and measurements.

It implements the protocol of `docs/messages.md` over real HTTP, with delivery receipts.  It can be slow, wrong, refusing,
down, hanging or dripping; it can ask for a pause; it can lose its answer after it delivered, and ignore idempotency keys.

    python -m portal.gateways.stand_ins.messages --port 8090 --delay 0.13

then serves until it is ended; `GET /` tells how many messages came.
"""

import argparse
import asyncio
import contextlib
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from portal.gateways.stand_ins.receipts import ReceiptSender

NAME = "测试短信网关"


class Mood(StrEnum):
    """`FORGETFUL` delivers and closes the connection without an answer; `WRONG` answers with the page of a proxy; `DRIPPING` delivers
    and answers one byte at a time."""

    WELL = "well"
    WRONG = "wrong"
    FAULTY = "faulty"
    HANGING = "hanging"
    DRIPPING = "dripping"
    FORGETFUL = "forgetful"
    CLOSING = "closing"
    TOO_FAST = "too_fast"
    NOT_AUTHORISED = "not_authorised"


BAD_MOODS = (Mood.WRONG, Mood.FAULTY, Mood.FORGETFUL, Mood.CLOSING, Mood.TOO_FAST)
"""What `unsteady` chooses from."""

REASONS = {
    400: "Bad Request",
    200: "OK",
    401: "Unauthorized",
    422: "Unprocessable",
    429: "Too Many",
    503: "Unavailable",
}


@dataclass
class Delivered:
    """A message that reached the phone, with the number of times that it did."""

    number: int
    to: str
    text: str
    at: float
    times: int = 1


@dataclass
class TestGateway:
    """`refused` maps numbers to the codes of their refusal; `faulty_numbers` fail each time; `unsteady` is the share of
    requests that get a bad mood; `knows_keys`: it sends once for each idempotency key.  `drip` are the seconds between two
    bytes of a dripping answer.  Texts with `too_fast_for` are answered `429` with `retry_after` seconds."""

    __test__ = False

    delay: float = 0.0
    mood: Mood = Mood.WELL
    unsteady: float = 0.0
    knows_keys: bool = True
    port: int = 0
    drip: float = 4.0
    too_fast_for: str | None = None
    retry_after: float = 0.3
    refused: dict[str, str] = field(default_factory=dict)
    faulty_numbers: set[str] = field(default_factory=set)
    delivered: dict[str, Delivered] = field(default_factory=dict)
    receipts: ReceiptSender | None = None
    calls: Counter[str] = field(default_factory=Counter)
    began: float = 0.0
    _last: float = 0.0
    _twice: int = 0
    _requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ready: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._random = random.Random(7)
        self._thread = threading.Thread(target=self._serve, daemon=True, name=NAME)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages"

    def __enter__(self) -> "TestGateway":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_fault: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        asyncio.run_coroutine_threadsafe(self._end_talks(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def go_down(self) -> None:
        """Refuse connections, and break those that are open."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()

    def come_up(self) -> None:
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._connections):
                writer.transport.abort()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 2)
            self._server = None

    async def _end_talks(self) -> None:
        talks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            pass  # the client has closed the connection
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        if head.startswith("GET"):
            await self._say(writer, 200, json.dumps(self.summary()).encode())
            return True
        if self.delay:
            await asyncio.sleep(self.delay)
        status, answer = self._take(headers.get("idempotency-key", ""), json.loads(content))
        if status == 0:
            if answer == b"drip":
                await self._drip(writer)
            if answer == b"hang":
                await asyncio.sleep(3600)
            return False
        await self._say(writer, status, answer)
        return True

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(self.drip)

    async def _say(self, writer: asyncio.StreamWriter, status: int, content: bytes) -> None:
        extra = f"Retry-After: {self.retry_after}\r\n" if status == 429 else ""
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Length: {len(content)}\r\n{extra}\r\n"
        writer.write(head.encode() + content)
        await writer.drain()

    def _take(self, key: str, message: dict[str, str]) -> tuple[int, bytes]:
        """The answer to one message: status and content; status 0 is none."""
        to = message["to"]
        with self._lock:
            self.began = self.began or time.monotonic()
            self.calls[key] += 1
            self._requests += 1
            mood = self.mood
            if self._random.random() < self.unsteady:
                mood = self._random.choice(BAD_MOODS)
            if mood == Mood.FAULTY or to in self.faulty_numbers:
                return 503, b""
            if mood == Mood.HANGING:
                return 0, b"hang"
            if mood == Mood.CLOSING:
                return 0, b""
            if mood == Mood.TOO_FAST or (self.too_fast_for is not None and self.too_fast_for in message["text"]):
                return 429, b""
            if mood == Mood.NOT_AUTHORISED:
                return 401, b""
            if to in self.refused:
                return 422, json.dumps({"error": self.refused[to]}).encode()
            if mood == Mood.WRONG:
                return 200, b"<!doctype html><title>Sign in to the network</title>"
            number = self._deliver(key, to, message["text"])
            if mood == Mood.DRIPPING:
                return 0, b"drip"
            return (0, b"") if mood == Mood.FORGETFUL else (200, json.dumps({"id": f"m{number}"}).encode())

    def _deliver(self, key: str, to: str, text: str) -> int:
        known = self.delivered.get(key)
        if known is None:
            self._last = time.monotonic()
            known = self.delivered[key] = Delivered(len(self.delivered) + 1, to, text, self._last)
            if self.receipts is not None:
                self.receipts.delivered(key, to, known.number)
        elif not self.knows_keys:
            known.times += 1
            self._twice += known.times == 2
        return known.number

    def summary(self) -> dict[str, float]:
        """How many requests and messages came, how many came twice, and the seconds from the first to the last."""
        with self._lock:
            return {
                "requests": self._requests,
                "delivered": len(self.delivered),
                "twice": self._twice,
                "seconds": max(self._last - self.began, 0.0),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds for each message")
    parser.add_argument("--unsteady", type=float, default=0.0, help="the share of requests that go wrong")
    parser.add_argument("--down-every", type=float, help="refuse connections for five seconds, each time after so many")
    parser.add_argument("--receipts", help="the address of the portal for receipts (…/gateway/receipts)")
    parser.add_argument("--secret", default="", help="the secret that signs the receipts")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        sender = None
        if options.receipts:
            sender = stack.enter_context(ReceiptSender(options.receipts, options.secret))
        gateway = TestGateway(delay=options.delay, unsteady=options.unsteady, port=options.port, receipts=sender)
        stack.enter_context(gateway)
        print(gateway.url, flush=True)
        while True:
            time.sleep(options.down_every or 3600)
            if options.down_every:
                gateway.go_down()
                time.sleep(5)
                gateway.come_up()


if __name__ == "__main__":
    main()
