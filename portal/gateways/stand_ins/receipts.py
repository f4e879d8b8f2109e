"""The delivery receipts of the test gateway: sent over HTTP, on demand also late, twice, for unknown messages, and forged."""

import contextlib
import datetime as dt
import json
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field

from portal.gateways import receipts

FORGED = "a secret that the portal does not know"


@dataclass
class ReceiptSender:
    """Sends one receipt for each delivered message to `url`.

    Each is sent `times` times after `delay` seconds.  With `noise`, there come with it a forged receipt that says the
    opposite, one that was signed long ago, and one for a message that does not exist.  `errors` maps numbers to the error
    of their receipt.  `answers` are the statuses of the portal.
    """

    url: str
    secret: str
    times: int = 1
    delay: float = 0.0
    noise: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    _queue: "queue.SimpleQueue[tuple[float, str, str, int] | None]" = field(default_factory=queue.SimpleQueue)

    def __enter__(self) -> "ReceiptSender":
        self._thread = threading.Thread(target=self._run, daemon=True, name="receipts")
        self._thread.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def delivered(self, key: str, to: str, number: int) -> None:
        self._queue.put((time.monotonic() + self.delay, key, to, number))

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            due, key, to, number = item
            time.sleep(max(0.0, due - time.monotonic()))
            error = self.errors.get(to)
            for _time in range(self.times):
                self.post(_row(key, number, error))
            if self.noise:
                opposite = None if error else "invalid_number"
                self.post(_row(key, number, opposite), secret=FORGED)
                self.post(_row(key, number, opposite), ago=2 * receipts.WINDOW)
                self.post(_row(str(uuid.uuid4()), number, opposite))

    def post(self, row: dict[str, str], *, secret: str | None = None, ago: dt.timedelta = dt.timedelta()) -> None:
        body = json.dumps({"receipts": [row]}).encode()
        signature = receipts.sign(secret or self.secret, body, at=dt.datetime.now(dt.UTC) - ago)
        headers = {"Content-Type": "application/json", receipts.HEADER: signature}
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310  the portal's address
        status = 0
        with contextlib.suppress(OSError):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                    status = answer.status
            except urllib.error.HTTPError as refusal:
                status = refusal.code
                refusal.close()
        self.answers.append(status)


def _row(key: str, number: int, error: str | None) -> dict[str, str]:
    row = {"key": key, "id": f"m{number}", "status": "undelivered" if error else "delivered"}
    return row | ({"error": error} if error else {})
