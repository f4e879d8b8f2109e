"""A test register 测试登记库: a stand-in for the registers of other departments, for the demo and tests.

It implements the protocol of `docs/registers.md` over real HTTP.  Its data are invented: for a person not in `truths`, a
digest of the identity number decides whether it agrees, differs or does not know, always with the same result.  It can
simulate slow, invalid or missing responses.
"""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = "测试登记库"
AGREES, CONTRADICTS = 92, 97
"""Thresholds in percent: below `AGREES` it agrees, below `CONTRADICTS` it differs, else it does not know."""

OTHERWISE: dict[str, Any] = {
    "hukou_kind": "elsewhere",
    "children_in_family": 1,
    "vaccination": None,
}
STREETS = ("府青路街道", "龙舟路街道", "双桥路街道")
AREAS = ("510104", "510105", "510106", "510107", "510108")


class TestRegisters:
    """`truths` maps an identity number to facts that the register has for it; `mood` is well, slow, wrong or down."""

    __test__ = False

    def __init__(self, truths: Mapping[str, Mapping[str, Any]] | None = None, port: int = 0):
        self.truths = dict(truths or {})
        self.mood = "well"
        self.delay = 0.0
        self.asked: list[tuple[str, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name=NAME)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "TestRegisters":
        self._thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The register's answer to one question."""
        fact, claimed, number = question["fact"], question["claimed"], question["child"]["id_number"]
        known = self.truths.get(number)
        if known is not None:
            return self._from_truth(question["ref"], claimed, known, fact)
        of_hundred = int.from_bytes(hashlib.sha256(f"{number}|{fact}".encode()).digest()[:4], "big") % 100
        if of_hundred < AGREES or fact == "born":
            return {"ref": question["ref"], "answer": "matches"}
        if of_hundred < CONTRADICTS:
            return {"ref": question["ref"], "answer": "differs", "value": _otherwise(fact, claimed)}
        return {"ref": question["ref"], "answer": "unknown"}

    @staticmethod
    def _from_truth(ref: str, claimed: Any, known: Mapping[str, Any], fact: str) -> dict[str, Any]:
        if fact not in known:
            return {"ref": ref, "answer": "unknown"}
        if known[fact] == claimed:
            return {"ref": ref, "answer": "matches"}
        return {"ref": ref, "answer": "differs", "value": known[fact]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(200, f"<!doctype html><title>{NAME}</title><h1>{NAME}</h1>".encode(), "text/html")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                registers.asked.append((self.path.rsplit("/", 1)[-1], len(body["questions"])))
                if registers.mood == "down":
                    self._send(503, b"")
                    return
                if registers.mood == "slow":
                    time.sleep(registers.delay)
                if registers.mood == "wrong":
                    self._send(200, b'{"answers": [{"ref": 0, "answer": "perhaps"}], "source": 7')
                    return
                answers = [registers.answer(question) for question in body["questions"]]
                self._send(200, json.dumps({"source": NAME, "answers": answers}, ensure_ascii=False).encode())

            def _send(self, status: int, content: bytes, kind: str = "application/json") -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", f"{kind}; charset=utf-8")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except BrokenPipeError:
                    pass  # the client has closed the connection

            def log_message(self, *_args: object) -> None:
                pass  # requests contain identity numbers, which must not be logged

        return Handler


def _otherwise(fact: str, claimed: Any) -> Any:
    if fact.endswith("_area"):
        return next(area for area in AREAS if area != claimed)
    if fact == "hukou_street":
        return _other_street(claimed)
    if fact == "home_place":
        home = claimed if isinstance(claimed, dict) else {}
        return home | {"street": _other_street(home.get("street"))}
    if fact == "home_owned":
        return None
    return OTHERWISE.get(fact)


def _other_street(claimed: Any) -> str:
    return next(street for street in STREETS if street != claimed)


_stand_in: TestRegisters | None = None


def stand_in_url() -> str:
    """The address of the test register of this process, started at the first call."""
    global _stand_in
    if _stand_in is None:
        _stand_in = TestRegisters().__enter__()
    return _stand_in.url
