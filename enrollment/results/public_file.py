"""The result of a ticket, read from the public file of a run: for a season whose families were deleted."""

import csv
import io
import re
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.draw import market_files
from enrollment.draw.run_rows import Run, WishReason
from enrollment.places import programmes
from enrollment.places.programmes import Programme

REASONS = "result/reasons.csv"
COLUMNS = ("child", "rank", "programme", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket")


@dataclass(frozen=True)
class PublicResult:
    """A child by its code, its ticket, where it was placed, and every wish with the reason."""

    code: str
    ticket: int
    placed: Programme | None
    wishes: tuple[tuple[Programme, WishReason], ...]


def of_ticket(session: Session, run: Run, year: int, asked: str, ticket: int) -> PublicResult | None:
    """The child with this code or this ticket number; None when the file has neither."""
    if not run.bundle:
        return None
    files = market_files.unpack(run.bundle)
    # search the bytes once instead of parsing them, because the file may hold the wishes of a whole city
    column = rb"[^,\n]*,"
    mine = re.compile(rb"(?m)^(?:%s,.*|%s%d,[^,\n]*,[^,\n]*)$" % (re.escape(asked.encode()), column * 6, ticket))
    lines = b"\n".join(mine.findall(files.get(REASONS, b""))).decode()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(lines))]
    if not rows:
        return None
    known = programmes.by_code(session, year)
    code = rows[0]["child"]
    places = csv.reader(io.StringIO(files["result/placements.csv"].decode()))
    placed = next((row[1] for row in places if row[0] == code), "")
    return PublicResult(
        code=code,
        ticket=int(rows[0]["ticket"]),
        placed=known.get(placed),
        wishes=tuple((known[row["programme"]], _reason(run, row)) for row in rows),
    )


def _reason(run: Run, row: dict[str, str]) -> WishReason:
    """The row as the table had it.  It is not added to a session."""
    return WishReason(
        run_id=run.id, rank=int(row["rank"]), pool=row["pool"] or None, reason=row["reason"], tier=int(row["tier"]),
        ticket=int(row["ticket"]), cutoff_tier=_number(row["cutoff_tier"]), cutoff_ticket=_number(row["cutoff_ticket"]),
    )  # fmt: skip


def _number(text: str) -> int | None:
    return int(text) if text else None
