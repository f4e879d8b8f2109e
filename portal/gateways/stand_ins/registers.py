"""A test register 测试登记库: a stand-in for the registers of other departments, for the demo and tests.

It implements the protocol of `docs/registers.md` over real HTTP: it compares a claim with its record of the child, and
knows nothing of a child without one.  It can simulate slow, invalid or missing responses.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from portal.gateways.stand_ins.http_server import StandInHandler, StandInServer

NAME = "测试登记库"
JSON = "application/json"
PARTS_OF_A_PLACE = ("street", "community", "estate")

Record = dict[str, Any]
"""What the registers have about one child, by fact.  A fact that is missing is not kept; None is a value that may not be
told, and not what anybody claims."""

Find = Callable[[Mapping[str, str]], Mapping[str, Record]]
"""The records of children by the number of their document, from numbers with their kinds."""


class TestRegisters(StandInServer):
    """`find` looks up records, by default in `truths`; `mood` is well, slow, wrong or down."""

    def __init__(self, find: Find | None = None, port: int = 0):
        self.truths: dict[str, Record] = {}
        self.find: Find = find or (lambda _numbers: self.truths)
        self.mood = "well"
        self.delay = 0.0
        self.asked: list[tuple[str, int]] = []
        super().__init__(NAME, port)

    def answers(self, questions: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The registers' answer to each question."""
        records = self.find({each["child"]["id_number"]: each["child"]["id_kind"] for each in questions})
        return [_answer(question, records.get(question["child"]["id_number"], {})) for question in questions]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        registers = self

        class Handler(StandInHandler):
            def do_GET(self) -> None:
                self.say(200, f"<!doctype html><title>{NAME}</title><h1>{NAME}</h1>".encode(), "text/html")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                registers.asked.append((self.path.rsplit("/", 1)[-1], len(body["questions"])))
                if registers.mood == "down":
                    self.say(503, b"", JSON)
                    return
                if registers.mood == "slow":
                    time.sleep(registers.delay)
                if registers.mood == "wrong":
                    self.say(200, b'{"answers": [{"ref": 0, "answer": "perhaps"}], "source": 7', JSON)
                    return
                answers = registers.answers(body["questions"])
                self.say(200, json.dumps({"source": NAME, "answers": answers}, ensure_ascii=False).encode(), JSON)

        return Handler


def _answer(question: Mapping[str, Any], record: Record) -> dict[str, Any]:
    ref, fact, claimed = question["ref"], question["fact"], question["claimed"]
    if fact not in record:
        return {"ref": ref, "answer": "unknown"}
    if _means_the_same(claimed, record[fact]):
        return {"ref": ref, "answer": "matches"}
    return {"ref": ref, "answer": "differs", "value": record[fact]}


def _means_the_same(claimed: Any, known: Any) -> bool:
    """Whether two values of a fact mean the same: of a place, the parts that both name, without its point on the map.

    A claim without a value asks for what the register has.
    """
    if claimed is None:
        return True
    if not (isinstance(claimed, dict) and isinstance(known, dict)):
        return bool(claimed == known)
    both = [part for part in PARTS_OF_A_PLACE if part in claimed and part in known]
    return bool(both) and all(claimed[part] == known[part] for part in both)
