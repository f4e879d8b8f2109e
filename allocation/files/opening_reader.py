"""The opening of a child as an object; what has not its shape is refused."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from allocation.faults import Fault, MarketFault
from allocation.files.codes import is_code
from allocation.files.commitments import LEFT, RIGHT
from allocation.files.json_objects import is_digest, is_text, parse_object
from allocation.files.opening import FORMAT
from allocation.files.publication import LINE_FIELDS

_FACTS = {"child", "family", "unit", "groups", "elder", "current", "ticket", "wishes"}
_KEYS = {
    "format", "run", "commitment", "facts", "salt", "path", "unit", "ticket", "digest", "family", "elder", "wishes",
    "hidden", "result",
}  # fmt: skip
_DEEPEST = 64


def read_opening(data: bytes) -> dict[str, Any]:
    """The opening in a JSON file. Raises :class:`~allocation.faults.MarketFault` for what has not its shape."""
    found = parse_object(data, "opening")
    check_shape(found)
    return found


def check_shape(opening: Mapping[str, Any]) -> None:
    """Raises :class:`~allocation.faults.MarketFault` for an object that cannot be an opening at all."""
    _Shape().opening(opening)


class _Shape:
    """Whether an object can be an opening at all; the rest of this module relies on it."""

    def need(self, good: bool, what: str) -> None:
        """Refuse the opening unless ``good``."""
        if not good:
            raise MarketFault([Fault("opening", -1, what, "not as in opening/2")])

    def opening(self, given: Mapping[str, Any]) -> None:
        """The keys of an opening and the types of their values."""
        self.need(given.get("format") == FORMAT, "format")
        self.need(set(given) == _KEYS, "")
        self.need(type(given["run"]) is int, "run")
        self.need(is_digest(given["commitment"]), "commitment")
        self.proof(given, "")
        self.need(isinstance(given["unit"], list) and len(given["unit"]) < 4, "unit")
        for proof in given["unit"]:
            self.need(isinstance(proof, dict) and set(proof) == {"facts", "salt", "path"}, "unit")
            self.proof(proof, "unit.")
        elder = given["elder"]
        self.need(elder is None or isinstance(elder, dict), "elder")
        if elder is not None and set(elder) != {"seat"}:
            self.need(set(elder) == {"facts", "salt", "path"}, "elder")
            self.proof(elder, "elder.")
        elif elder is not None:
            self.need(elder["seat"] is None or is_text(elder["seat"]), "elder")
        self.need(given["ticket"] is None or type(given["ticket"]) is int, "ticket")
        self.need(given["digest"] is None or is_digest(given["digest"]), "digest")
        family = given["family"]
        self.need(family is None or (isinstance(family, list) and all(map(_is_code, family))), "family")
        self.need((family is None) == (given["digest"] is None), "family")
        self.wishes(given)
        self.hidden(given["hidden"])
        result = given["result"]
        self.need(result is None or self.is_result(result), "result")

    @staticmethod
    def is_result(given: object) -> bool:
        """Whether a value has the shape of a result that is a place."""
        return (
            isinstance(given, dict)
            and set(given) == {"rank", "programme", "pool", "block"}
            and type(given["rank"]) is int
            and all(is_text(given[name]) for name in ("programme", "pool", "block"))
        )

    def proof(self, given: Mapping[str, Any], at: str) -> None:
        """Facts, salt and path."""
        facts, path = given["facts"], given["path"]
        self.need(isinstance(facts, dict) and set(facts) == _FACTS, f"{at}facts")
        for name in ("child", "family"):
            self.need(_is_code(facts[name]), f"{at}facts.{name}")
        for name in ("unit", "elder", "current"):
            self.need(facts[name] is None or _is_code(facts[name]), f"{at}facts.{name}")
        self.need(facts["ticket"] is None or type(facts["ticket"]) is int, f"{at}facts.ticket")
        self.need(isinstance(facts["groups"], list) and all(map(_is_code, facts["groups"])), f"{at}facts.groups")
        good = isinstance(facts["wishes"], list) and all(
            isinstance(wish, list) and len(wish) == 3 and type(wish[0]) is int and _is_code(wish[1])
            and type(wish[2]) is int for wish in facts["wishes"]
        )  # fmt: skip
        self.need(good, f"{at}facts.wishes")
        self.need(is_digest(given["salt"]), f"{at}salt")
        steps = isinstance(path, list) and len(path) <= _DEEPEST and all(
            isinstance(step, list) and len(step) == 2 and step[0] in (LEFT, RIGHT) and is_digest(step[1])
            for step in path
        )  # fmt: skip
        self.need(steps, f"{at}path")

    def wishes(self, given: Mapping[str, Any]) -> None:
        """One for each wish of the facts."""
        wishes = given["wishes"]
        self.need(isinstance(wishes, list) and len(wishes) == len(given["facts"]["wishes"]), "wishes")
        for wish in wishes:
            self.need(isinstance(wish, dict) and set(wish) == {"rank", "programme", "tier", "blocks"}, "wishes")
            self.need(type(wish["rank"]) is int and type(wish["tier"]) is int and _is_code(wish["programme"]), "wishes")
            self.need(isinstance(wish["blocks"], list), "wishes")
            for told in wish["blocks"]:
                self.need(isinstance(told, dict) and set(told) == {"block", "entry", "position", "outcome"}, "wishes")
                texts = all(is_text(told[name]) for name in ("block", "entry", "outcome"))
                self.need(texts and type(told["position"]) is int, "wishes")

    def hidden(self, given: object) -> None:
        """The hidden blocks with what is opened of their lines."""
        self.need(isinstance(given, dict) and all(map(is_text, given)), "hidden")
        for told in given.values() if isinstance(given, dict) else ():
            self.need(isinstance(told, dict) and set(told) == {"fields", "opened"}, "hidden")
            self.need(isinstance(told["fields"], list) and all(map(is_digest, told["fields"])), "hidden")
            good = isinstance(told["opened"], list) and all(
                isinstance(each, list) and len(each) == 4 and all(map(is_text, each))
                and each[1] in LINE_FIELDS and is_digest(each[3]) for each in told["opened"]
            )  # fmt: skip
            self.need(good, "hidden")


def _is_code(value: object) -> bool:
    return isinstance(value, str) and unicodedata.is_normalized("NFC", value) and is_code(value)
