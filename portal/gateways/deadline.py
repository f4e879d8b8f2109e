"""One deadline for a whole exchange with another system.

The timeout of a socket is one for each `recv`: an answer of which one byte comes every four seconds never exceeds five.  Here
connecting, asking and reading have one time together.
"""

import http.client
import io
import socket
import ssl
import time
import urllib.request
from typing import Any


class Deadline(float):
    """The seconds of an exchange, counted from now on.  As a number it is the timeout that libraries know."""

    ends: float

    def __new__(cls, seconds: float) -> "Deadline":
        made = super().__new__(cls, seconds)
        made.ends = time.monotonic() + seconds
        return made

    def left(self) -> float:
        """The seconds that remain.  Raises TimeoutError at the end."""
        seconds = self.ends - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the exchange took too long")
        return seconds


class TimedReader(io.RawIOBase):
    """Reads from a socket until the deadline; `began` is what was read before."""

    def __init__(self, connection: socket.socket, deadline: Deadline, began: bytes = b""):
        self._connection, self._deadline, self._began = connection, deadline, began

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        part = self._began[: len(buffer)] or receive(self._connection, len(buffer), self._deadline)
        self._began = self._began[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def receive(connection: socket.socket, size: int, deadline: Deadline) -> bytes:
    """As `recv`, until the deadline.  Raises TimeoutError."""
    connection.settimeout(deadline.left())
    return connection.recv(size)


def send_all(connection: socket.socket, content: bytes, deadline: Deadline) -> None:
    """As `sendall`, until the deadline, over TLS as well.  Raises TimeoutError."""
    rest = memoryview(content)
    while rest:
        connection.settimeout(deadline.left())
        rest = rest[connection.send(rest) :]


class _TimedSocket:
    """The socket of one exchange, as far as `http.client` knows one."""

    def __init__(self, connection: socket.socket, deadline: Deadline):
        self._connection, self._deadline = connection, deadline
        self._is_read = False

    def sendall(self, content: bytes) -> None:
        send_all(self._connection, content, self._deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._is_read = True
        return io.BufferedReader(_ClosingReader(self._connection, self._deadline))

    def close(self) -> None:
        """`urllib` closes the socket before it reads the answer, whose reader closes the connection then."""
        if not self._is_read:
            self._connection.close()


class _ClosingReader(TimedReader):
    def close(self) -> None:
        if not self.closed:
            self._connection.close()
        super().close()


class _TimedHTTP(http.client.HTTPConnection):
    def connect(self) -> None:
        deadline: Deadline = self.timeout  # type: ignore[assignment]
        self.timeout = deadline.left()
        super().connect()
        self.sock = _TimedSocket(self.sock, deadline)


class _TimedHTTPS(http.client.HTTPSConnection):
    def connect(self) -> None:
        deadline: Deadline = self.timeout  # type: ignore[assignment]
        self.timeout = deadline.left()
        super().connect()
        self.sock = _TimedSocket(self.sock, deadline)


class _HTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_TimedHTTP, req)


class _HTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_TimedHTTPS, req, context=_CONTEXT)


_CONTEXT = ssl.create_default_context()


def build_opener(*handlers: Any) -> urllib.request.OpenerDirector:
    """An opener for `open_within`, with further handlers."""
    return urllib.request.build_opener(_HTTPHandler, _HTTPSHandler, *handlers)


OPENER = build_opener()


def open_within(
    seconds: float, request: urllib.request.Request | str, *, opener: urllib.request.OpenerDirector = OPENER
) -> http.client.HTTPResponse:
    """As `urlopen`; redirects and the reading of the answer end with the same deadline.  Raises what `urlopen` raises, and TimeoutError
    also while the answer is read."""
    answer: http.client.HTTPResponse = opener.open(request, timeout=Deadline(seconds))
    return answer
