"""An HTTP/1.1 connection that is kept open, for small requests by the thousand.

`http.client` reads the headers of an answer with the parser of e-mails, which takes a third of the time of a message.  What every
gateway answers, a status with `Content-Length`, is read here; anything else (chunks, no length, an interim answer, HTTP/1.0)
is left to `http.client` from its first byte on.
"""

import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from portal.gateways.deadline import Deadline, TimedReader, receive, send_all

LONGEST_HEAD = 64 * 1024
AT_ONCE = 16 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in small letters."""


class KeptConnection:
    """Posts to one address; `headers` are those of every request.  `largest` is as much of an answer as is read.  An exchange takes
    `timeout` seconds at most, or until the deadline that is given.

    Methods raise OSError, HTTPException or ValueError; the connection has to be closed then.
    """

    def __init__(self, address: str, headers: Mapping[str, str], *, timeout: float, largest: int):
        parts = urlsplit(address)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "Accept-Encoding: identity"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "".join(f"{checked(line)}\r\n" for line in lines).encode("latin-1")
        self._place = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout, self._largest = timeout, largest
        self.socket: socket.socket | None = None

    def connect(self, deadline: Deadline | None = None) -> None:
        deadline = deadline or Deadline(self._timeout)
        plain = socket.create_connection(self._place, deadline.left())
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = plain
        if self._context is not None:
            plain.settimeout(deadline.left())
            self.socket = self._context.wrap_socket(plain, server_hostname=self._place[0])

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def post(self, content: bytes, name: str, value: str, deadline: Deadline | None = None) -> Answer:
        """Send the content with one more header, and read the answer.  Closes the connection where it cannot be used again."""
        if self.socket is None:
            raise http.client.NotConnected
        head = checked(f"{name}: {value}\r\nContent-Length: {len(content)}", lines=2)
        deadline = deadline or Deadline(self._timeout)
        send_all(self.socket, b"%s%s\r\n\r\n%s" % (self._head, head.encode("latin-1"), content), deadline)
        return self._read(self.socket, deadline)

    def _read(self, connection: socket.socket, deadline: Deadline) -> Answer:
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > LONGEST_HEAD or not (part := receive(connection, AT_ONCE, deadline)):
                return self._read_otherwise(connection, bytes(data), deadline)
            data += part
        first, *lines = data[:end].decode("latin-1").split("\r\n")
        headers = {key.lower(): text.strip() for key, _colon, text in (line.partition(":") for line in lines)}
        length, status = headers.get("content-length", ""), first[9:12]
        plain = (
            first.startswith("HTTP/1.1 ") and status.isdecimal() and status[0] != "1" and status not in ("204", "304")
        )
        if not (plain and length.isdecimal() and "transfer-encoding" not in headers):
            return self._read_otherwise(connection, bytes(data), deadline)
        content, wanted = data[end + 4 :], min(int(length), self._largest)
        while len(content) < wanted:
            part = receive(connection, AT_ONCE, deadline)
            if not part:
                raise http.client.IncompleteRead(bytes(content), wanted - len(content))
            content += part
        is_last = headers.get("connection", "").lower() == "close"
        if is_last or int(length) > wanted or len(content) > wanted:
            self.close()  # more than anybody needs, or than was asked for
        return Answer(int(status), bytes(content[:wanted]), headers)

    def _read_otherwise(self, connection: socket.socket, began: bytes, deadline: Deadline) -> Answer:
        answer = http.client.HTTPResponse(_Begun(connection, began, deadline), method="POST")  # type: ignore[arg-type]
        answer.begin()
        content = answer.read(self._largest)
        if answer.will_close or not answer.isclosed():
            self.close()
        return Answer(answer.status, content, {name.lower(): value for name, value in answer.headers.items()})


def checked(line: str, *, lines: int = 1) -> str:
    """The line of a request, which must not hold others.  Raises ValueError."""
    if len(line.splitlines()) != lines:
        raise ValueError("a header of several lines")
    return line


class _Begun:
    """The socket of an answer whose first bytes were read, as far as `http.client` knows one."""

    def __init__(self, connection: socket.socket, began: bytes, deadline: Deadline):
        self._reader = TimedReader(connection, deadline, began)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reader)
