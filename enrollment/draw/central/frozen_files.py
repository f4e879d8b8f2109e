"""The files of a central snapshot: tables of who takes part and what is vacant, and the digest of the distances."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

from allocation import central


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()


def digest_of(ways: central.Ways) -> str:
    return hashlib.sha256(
        b"".join(each.astype("<i4").tobytes() for each in (ways.child, ways.programme, ways.metres))
    ).hexdigest()
