"""A real proxy with the portal's configuration, in front of small servers that tell what reaches them."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from portal.operations import start
from portal.operations.proxy.front import Front, Sockets
from portal.operations.proxy.process import find_proxy, open_files, proxy_child, system_user

KINDS = ["caddy", "nginx"]


def has(kind: str) -> bool:
    return kind == "caddy" or bool(shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"))


class Teller(BaseHTTPRequestHandler):
    """Answers with what it was asked, after it has read all of it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        chunked = "Transfer-Encoding" in self.headers
        body = self.chunks() if chunked else self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name, held = self.server.name, self.server.held
        self.server.seen.append(self.path)
        if self.path.startswith("/held"):
            held.wait(30)
        headers = {key.lower(): value for key, value in self.headers.items()}
        said = {"lane": name, "method": self.command, "path": self.path, "size": len(body), "headers": headers}
        text = self.headers.get("X-Long", "")
        answer = json.dumps(said | {"text": text * 50}).encode()
        is_check = self.path.partition("?")[0] == "/_line/check"
        if is_check and self.server.check_held:
            held.wait(30)
        verdict = self.server.verdict if is_check else {}
        status, more = (204, {}) if is_check else self.server.answers
        self.send_response(status)
        for key, value in (verdict | more).items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        if not is_check:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if not is_check and self.command != "HEAD":
            self.wfile.write(answer)

    do_POST = do_HEAD = do_GET

    def chunks(self) -> bytes:
        """A body of unknown size.  Raises ConnectionError where it breaks off."""
        found = b""
        while line := self.rfile.readline():
            size = int(line, 16)
            found += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return found
        raise ConnectionError

    def address_string(self) -> str:
        return "unix"

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


class Backend(socketserver.UnixStreamServer):
    """One request at a time, as a sync worker of gunicorn does."""

    request_queue_size = 1024

    def __init__(self, path: Path, name: str):
        super().__init__(str(path), Teller)
        self.name, self.seen, self.verdict = name, [], {"Set-Cookie": "visit=in.test; Path=/"}
        self.held, self.check_held = threading.Event(), False
        self.answers: tuple[int, dict[str, str]] = (200, {})
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.held.set()
        self.shutdown()
        self.server_close()


class ThreadedBackend(socketserver.ThreadingMixIn, Backend):
    daemon_threads = True


class Proxied:
    """`families`, `desks` and `line` stand behind the proxy at `port`."""

    def __init__(self, folder: Path, kind: str, *, proxies: int = 0, workers: int = 4, certificate: Path | None = None):
        sockets = Sockets(folder)
        self.families = ThreadedBackend(sockets.families, "families")
        self.desks, self.line = ThreadedBackend(sockets.desks, "desks"), ThreadedBackend(sockets.line, "line")
        self.listener = start.listen("127.0.0.1", 0)
        self.port = self.listener.getsockname()[1]
        sockets.pages.mkdir()
        for name in ("large", "often", "pause"):
            (sockets.pages / f"{name}-zh-normal.html").write_text(f"{name} page, zh")
        front = Front(
            f"127.0.0.1:{self.port}",
            sockets,
            folder / "proxy",
            workers,
            proxies=proxies,
            listener=self.listener.fileno(),
            user=system_user(),
            open_files=open_files(),
            certificate=certificate,
        )
        kind, program = find_proxy({"PATH": os.environ["PATH"], "PROXY": kind})
        self.child = proxy_child(kind, program, front, folder / "proxy.log", dict(os.environ))
        self.child.start()

    def ask(self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str):
        """The answer, and its body as the backend told it (None where the body is no JSON)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            content = answer.read()
        self.last = content.decode(errors="replace")
        try:
            return answer, json.loads(content)
        except ValueError:
            return answer, None

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def end(self) -> None:
        for each in (self.families, self.desks, self.line):
            each.held.set()
        self.child.terminate()
        self.child.kill_after(time.monotonic() + 10)
        for each in (self.families, self.desks, self.line):
            each.end()
        self.listener.close()


@contextlib.contextmanager
def proxied(folder: Path, kind: str, **options):
    if not has(kind):
        pytest.skip("nginx is not on this machine; the other proxy was tested")
    proxy = Proxied(folder, kind, **options)
    try:
        yield proxy
    finally:
        proxy.end()
