"""TRU02: the connection to a gateway reads every answer as `http.client` does, and stays open for the same ones."""

import contextlib
import http.client
import socket
import socketserver
import threading
import time

import pytest

from portal.gateways.kept_connection import KeptConnection

LARGEST = 1000
ANSWERS = {
    "plain": b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-Two: a: b\r\n\r\n{"id": "m"}',
    "empty": b"HTTP/1.1 202 Accepted\r\ncontent-length:0\r\n\r\n",
    "refused": b"HTTP/1.1 429 Too Many\r\nRetry-After: 0.3\r\nContent-Length: 2\r\n\r\n{}",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
    "last": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n3\r\n  \n\r\n0\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "without length": b"HTTP/1.1 200 OK\r\n\r\n{} until the end",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "large": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
    "no answer": b"",
    "no http": b"SSH-2.0-OpenSSH\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
}
ENDS = ("without length", "cut short", "no answer", "no http", "half a head", "old", "last")
"""After these the server closes the connection."""


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    answer, ends, in_parts = b"", False, False
    asked: list[bytes]


class Talk(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while self._answer():
                pass

    def _answer(self) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (part := self.request.recv(65536)):
                return False
            data += part
        length = int(data.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(data.split(b"\r\n\r\n", 1)[1]) < length:
            data += self.request.recv(65536)
        self.server.asked.append(data)
        step = 7 if self.server.in_parts else 1 << 20
        for start in range(0, len(self.server.answer), step):
            self.request.sendall(self.server.answer[start : start + step])
            time.sleep(0.0005 if self.server.in_parts else 0)
        return not self.server.ends


@pytest.fixture(scope="module")
def server():
    with Server(("127.0.0.1", 0), Talk) as running:
        running.asked = []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def by_the_library(port: int) -> tuple[object, ...]:
    """Status, content, the wait that is asked for and whether the connection is open; or the kind of fault."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/messages?a=1", b"{}", {"Idempotency-Key": "k1"})
        answer = connection.getresponse()
        content = answer.read(LARGEST)
        stays_open = connection.sock is not None and answer.isclosed()
        return answer.status, content, answer.headers.get("Retry-After"), stays_open
    except (OSError, http.client.HTTPException, ValueError) as fault:
        return (type(fault),)
    finally:
        connection.close()


def by_ours(port: int) -> tuple[object, ...]:
    connection = KeptConnection(f"http://127.0.0.1:{port}/messages?a=1", {}, timeout=5, largest=LARGEST)
    try:
        connection.connect()
        answer = connection.post(b"{}", "Idempotency-Key", "k1")
        return answer.status, answer.content, answer.headers.get("retry-after"), connection.socket is not None
    except (OSError, http.client.HTTPException, ValueError) as fault:
        return (type(fault),)
    finally:
        connection.close()


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("kind", ANSWERS)
def test_tru02_every_answer_is_read_as_the_library_reads_it(server, kind, in_parts):
    server.answer, server.ends, server.in_parts = ANSWERS[kind], kind in ENDS, in_parts
    port = server.server_address[1]
    expected, found = by_the_library(port), by_ours(port)
    if kind == "cut short":  # the library gives what came where a length was asked for; half a receipt is none
        assert (expected[1], found) == (b"{}", (http.client.IncompleteRead,))
    else:
        assert found == expected
    first, *lines = server.asked[-1].split(b"\r\n\r\n")[0].split(b"\r\n")
    library_first, *library_lines = server.asked[-2].split(b"\r\n\r\n")[0].split(b"\r\n")
    assert (first, sorted(lines)) == (library_first, sorted(library_lines)), "and asks as the library does"


def test_tru02_one_connection_serves_many_messages_and_none_takes_the_answer_of_another(server):
    server.ends = server.in_parts = False
    connection = KeptConnection(f"http://127.0.0.1:{server.server_address[1]}/", {}, timeout=5, largest=LARGEST)
    connection.connect()
    opened = connection.socket
    for kind in ("plain", "chunked", "refused", "empty") * 5:
        server.answer = ANSWERS[kind]
        answer = connection.post(b"{}", "Idempotency-Key", "k")
        assert answer.status == int(ANSWERS[kind][9:12])
        assert connection.socket is opened
    server.answer = ANSWERS["plain"] * 2
    assert connection.post(b"{}", "Idempotency-Key", "k").status == 200
    assert connection.socket is None, "an answer that nobody asked for ends the connection"


@pytest.mark.parametrize(("name", "value"), [("Idempotency-Key", "k\r\nX: y"), ("A\nB", "k")])
def test_tru02_no_header_is_smuggled_in(server, name, value):
    connection = KeptConnection(f"http://127.0.0.1:{server.server_address[1]}/", {}, timeout=5, largest=LARGEST)
    connection.connect()
    before = len(server.asked)
    with pytest.raises(ValueError, match="several lines"):
        connection.post(b"{}", name, value)
    assert len(server.asked) == before
    connection.close()
    with pytest.raises(ValueError, match="several lines"):
        KeptConnection("http://127.0.0.1/", {"Authorization": "Bearer a\r\nb: c"}, timeout=5, largest=LARGEST)


def test_tru02_a_silent_gateway_is_given_up(server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = KeptConnection(f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, timeout=0.2, largest=LARGEST)
        connection.connect()
        with pytest.raises(TimeoutError):
            connection.post(b"{}", "Idempotency-Key", "k")
        connection.close()
