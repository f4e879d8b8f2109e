"""Test map tiles 测试底图: a stand-in for the gateway of 天地图, for tests.

It answers over real HTTP with a small grey picture, refuses a key that it does not know as 天地图 does, with a text, and notes
what was asked.
"""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NAME = "测试底图"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfz0AEYBxVSF+FAAhKDveksOjmAAAAAElFTkSuQmCC"
)


class TestTiles:
    """`key` is the one that it knows; `asked` are the layer, zoom, column and row of each request."""

    __test__ = False

    def __init__(self, key: str = "test"):
        self.key = key
        self.asked: list[tuple[str, int, int, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name=NAME)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "TestTiles":
        self._thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tiles = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                tiles.asked.append(
                    (asked["LAYER"], int(asked["TILEMATRIX"]), int(asked["TILECOL"]), int(asked["TILEROW"]))
                )
                known = asked["tk"] == tiles.key
                content, kind = (PICTURE, "image/png") if known else ('{"msg":"非法Key"}'.encode(), "application/json")
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: object) -> None:
                pass

        return Handler
