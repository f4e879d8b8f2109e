"""The client of the registers of other departments (protocol: `docs/registers.md`).

Any failure of a register, such as a timeout or an invalid response, becomes the answer `unavailable`, and the clerk
reviews documents.  A circuit breaker pauses queries after several failures in a row, so that a register that is down
does not delay the others.
"""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from enrollment.applications.register_answers import Answer
from enrollment.eligibility.register_questions import Question
from enrollment.review import fact_values
from enrollment.season.facts import Fact
from portal.gateways.deadline import open_within

BATCH = 500
ANSWERS = ("matches", "differs", "unknown")
LARGEST_ANSWER = 4 * 1024 * 1024


class RegisterUnavailable(Exception):
    """The register gave no usable answer.  The text holds no personal data."""


@dataclass
class Breaker:
    """A circuit breaker: opens after `most` failures in a row, and allows one attempt after `rest` seconds."""

    most: int = 3
    rest: float = 60.0
    clock: Callable[[], float] = time.monotonic
    faults: int = 0
    opened_at: float = 0.0

    @property
    def open(self) -> bool:
        return self.faults >= self.most and self.clock() - self.opened_at < self.rest

    def note(self, well: bool) -> None:
        self.faults = 0 if well else self.faults + 1
        if self.faults >= self.most:
            self.opened_at = self.clock()


@dataclass
class Registers:
    """`url` is the gateway of all registers; `timeout` (seconds) and `tries` apply to one batch."""

    url: str
    token: str | None = None
    timeout: float = 10.0
    tries: int = 2
    pause: float = 0.2
    breakers: dict[str, Breaker] = field(default_factory=lambda: defaultdict(Breaker))

    def ask(self, questions: Iterable[Question]) -> list[Answer]:
        """One answer for each question, grouped by register.  Never raises: a missing answer is `unavailable`."""
        of_register: dict[str, list[Question]] = defaultdict(list)
        for question in questions:
            of_register[question.register].append(question)
        answers = []
        for register, asked in of_register.items():
            for batch in _batches(asked):
                answers += self._ask_batch(register, batch)
        return answers

    def _ask_batch(self, register: str, asked: list[Question]) -> list[Answer]:
        breaker = self.breakers[register]
        for attempt in range(self.tries):
            if breaker.open:
                break
            if attempt:
                time.sleep(self.pause)
            try:
                answers = self._post(register, asked)
            except RegisterUnavailable:
                breaker.note(well=False)
                continue
            breaker.note(well=True)
            return [_answer(question, answers.get(str(number))) for number, question in enumerate(asked)]
        return [_unavailable(question) for question in asked]

    def _post(self, register: str, asked: list[Question]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        body = {"questions": [_as_plain(str(number), question) for number, question in enumerate(asked)]}
        request = urllib.request.Request(  # noqa: S310  the operator's address
            f"{self.url.rstrip('/')}/v1/{register}", json.dumps(body, ensure_ascii=False).encode(), headers
        )
        try:
            with open_within(self.timeout, request) as answer:
                content = json.loads(answer.read(LARGEST_ANSWER))
            return {str(each["ref"]): each for each in content["answers"]}
        except (urllib.error.URLError, http.client.HTTPException, OSError) as fault:
            raise RegisterUnavailable(type(fault).__name__) from fault
        except (ValueError, KeyError, TypeError) as fault:
            raise RegisterUnavailable("the answer is not as docs/registers.md says") from fault


def _batches(asked: list[Question]) -> Iterator[list[Question]]:
    rest = iter(asked)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _as_plain(ref: str, question: Question) -> dict[str, Any]:
    return {
        "ref": ref,
        "fact": question.fact,
        "claimed": question.claimed,
        "child": asdict(question.child),
        "guardians": [asdict(guardian) for guardian in question.guardians],
    }


def _unavailable(question: Question) -> Answer:
    return Answer(question.application_id, question.fact, question.register, "unavailable")


def _answer(question: Question, response: Any) -> Answer:
    """The register's answer, or `unavailable` if it does not follow the protocol."""
    if not isinstance(response, dict) or response.get("answer") not in ANSWERS:
        return _unavailable(question)
    value = response.get("value") if response["answer"] == "differs" else question.claimed
    if response["answer"] == "unknown":
        value = None
    elif value is not None and not _is_well_formed(question.fact, value):
        return _unavailable(question)
    return Answer(question.application_id, question.fact, question.register, response["answer"], value)


def _is_well_formed(fact: str, value: Any) -> bool:
    return fact not in set(Fact) or fact_values.well_formed(Fact(fact), value)
