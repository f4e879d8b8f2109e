"""What the stand-ins with a small HTTP server of their own share: its address, its start and its end."""

import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

POLL = 0.02
"""Seconds between two looks whether to end; the default of half a second is what each job would wait for at its end."""


class StandInServer(ABC):
    """Serves `handler()` on this machine while the `with` block runs; port 0 takes a free one."""

    __test__ = False

    def __init__(self, name: str, port: int = 0):
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,), daemon=True, name=name)

    @abstractmethod
    def handler(self) -> type[BaseHTTPRequestHandler]:
        """The class that answers one request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class StandInHandler(BaseHTTPRequestHandler):
    """Answers without a line in a log: requests hold identity numbers and tokens."""

    def say(self, status: int, content: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except BrokenPipeError:
            pass  # the client has closed the connection

    def log_message(self, *_args: object) -> None:
        """Nothing."""
