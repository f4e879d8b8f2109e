"""TRU02: each exchange with another system has one deadline, also where the answer comes byte by byte."""

import contextlib
import socket
import socketserver
import ssl
import threading
import time

import pytest

from portal.config import SingleSignOn
from portal.gateways import deadline, wechat
from portal.gateways.deadline import Deadline, open_within
from portal.gateways.kept_connection import KeptConnection
from portal.gateways.map_tiles import MapTiles, TileUnavailable, column_and_row
from portal.gateways.registers import Registers, RegisterUnavailable
from portal.gateways.single_sign_on import Provider, SignOnFault, Trouble

PATIENCE = 0.3
DRIP = 0.05
HEAD = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "status": HEAD,
    "headers": HEAD + b"X-Long: " + b"a" * 200,
    "content": HEAD + b"Content-Length: 200\r\n\r\n" + b" " * 200,
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 50,
    "without length": HEAD + b"\r\n" + b" " * 200,
    "refused": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 200\r\n\r\n" + b" " * 200,
}
AT_ONCE = {"headers": len(HEAD), "content": len(HEAD) + 23, "chunks": len(HEAD) + 30, "without length": len(HEAD) + 2}
"""The first bytes come at once, so that the fault begins where the name says."""


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    kind = "status"


class Talk(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.recv(65536)
            answer, first = ANSWERS[self.server.kind], AT_ONCE.get(self.server.kind, 0)
            self.request.sendall(answer[:first])
            for byte in answer[first:] + b" " * 100:
                time.sleep(DRIP)
                self.request.sendall(bytes([byte]))


@pytest.fixture(scope="module")
def server():
    with Server(("127.0.0.1", 0), Talk) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(params=ANSWERS)
def address(server, request):
    server.kind = request.param
    return f"http://127.0.0.1:{server.server_address[1]}"


@contextlib.contextmanager
def in_time(patience: float = PATIENCE):
    began = time.monotonic()
    yield
    assert time.monotonic() - began < patience + 1


def test_tru02_a_kept_connection_gives_a_dripping_answer_up(address):
    connection = KeptConnection(address, {}, timeout=PATIENCE, largest=1000)
    connection.connect()
    with in_time(), pytest.raises(TimeoutError):
        connection.post(b"{}", "Idempotency-Key", "k")
    connection.close()


def test_tru02_no_client_of_another_system_waits_longer_than_its_deadline(address, monkeypatch):
    monkeypatch.setattr(wechat, "TIMEOUT", PATIENCE)
    with in_time(), pytest.raises(wechat.WechatUnavailable):
        wechat.ask(address, {})
    column, row = column_and_row(104.0657, 30.6595, 15)
    with in_time(), pytest.raises(TileUnavailable):
        MapTiles("key", url=address, timeout=PATIENCE).fetch("vec", 15, column, row)
    provider = Provider(SingleSignOn(address, "portal", "secret"), f"{address}/back", patience=PATIENCE)
    with in_time(), pytest.raises(SignOnFault) as fault:
        provider.metadata()
    assert fault.value.trouble == Trouble.DOWN
    with in_time(), pytest.raises(RegisterUnavailable):
        Registers(address, timeout=PATIENCE)._post("household", [])


def test_tru02_an_upload_that_the_other_side_does_not_read_ends():
    """Sending has the same deadline as reading."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        connection = KeptConnection(f"http://127.0.0.1:{deaf.getsockname()[1]}", {}, timeout=PATIENCE, largest=1000)
        connection.connect()
        with in_time(), pytest.raises(TimeoutError):
            connection.post(b"x" * 50_000_000, "Idempotency-Key", "k")
        connection.close()


def test_tru02_a_deadline_is_one_for_all_redirects_and_an_answer_in_time_is_whole(server):
    ends = Deadline(0.05)
    assert 0 < ends.left() <= float(ends) == 0.05
    time.sleep(0.06)
    with pytest.raises(TimeoutError):
        ends.left()
    server.kind = "content"
    with pytest.raises((OSError, ssl.SSLError)):
        deadline.OPENER.open(f"http://127.0.0.1:{server.server_address[1]}", timeout=ends)
    with open_within(30, f"http://127.0.0.1:{server.server_address[1]}") as answer:
        assert answer.read(4) == b" " * 4
