"""A small HTTP server on a unix socket, for requests of the proxy in front, which has read and checked them."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

LARGEST_BODY = 256 * 1024
LARGEST_HEAD = 64 * 1024


@dataclass(frozen=True)
class Request:
    """`headers` have lower-case names; `body` is empty where it was larger than `LARGEST_BODY`, or of unknown size."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Answer:
    status: int = 200
    reason: str = "OK"
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def encoded(self, *, head: bool, close: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in self.headers)]
        if self.status != 204:
            lines.append(f"Content-Length: {len(self.body)}")
        if close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + (b"" if head else self.body)


Handler = Callable[[Request], Awaitable[Answer]]


async def serve(listener: socket.socket, handle: Handler) -> asyncio.Server:
    """Answer the connections of this listening socket until the server is closed."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            while await _serve_one(reader, writer, handle):
                pass
        writer.close()

    return await asyncio.start_unix_server(connected, sock=listener, limit=LARGEST_HEAD, backlog=1024)


async def _serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Handler) -> bool:
    """Serve a request; whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, version = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    size = int(headers.get("content-length", "0"))
    body = b""
    if size > LARGEST_BODY:
        await _throw_away(reader, size)
    elif size:
        body = await reader.readexactly(size)
    answer = await handle(Request(method, target, headers, body))
    # the end of a body of unknown size is not looked for
    close = "transfer-encoding" in headers or version == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
    writer.write(answer.encoded(head=method == "HEAD", close=close))
    await writer.drain()
    return not close


async def _throw_away(reader: asyncio.StreamReader, size: int) -> None:
    while size > 0:
        part = await reader.read(min(size, LARGEST_HEAD))
        if not part:
            raise asyncio.IncompleteReadError(b"", size)
        size -= len(part)
