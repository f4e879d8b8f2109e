"""Serves the browser verifier (the second implementation) with an empty page around it."""

import contextlib
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERIFIER = Path(__file__).parents[2] / "portal" / "static" / "verify"


class Quiet(SimpleHTTPRequestHandler):
    """Serves the verifier's files, an empty page, and under /bundles/ those of `folder`; says nothing."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def __init__(self, *args, folder: Path | None = None, **more):
        self.folder = folder
        super().__init__(*args, directory=str(VERIFIER), **more)

    def log_message(self, *_):
        pass

    def translate_path(self, path: str) -> str:
        if self.folder is not None and path.startswith("/bundles/"):
            return str(self.folder / Path(path).name)
        return super().translate_path(path)

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        return self.wfile.write(b"<!doctype html><title>verifier</title>")


@contextlib.contextmanager
def served(folder: Path | None = None) -> Iterator[str]:
    """The address of the verifier's files while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, folder=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
