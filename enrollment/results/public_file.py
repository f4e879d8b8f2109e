"""What became of a ticket, read from a run's public file: for a draw whose families are no longer in the books."""

import csv
import io
import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw import market_files
from enrollment.draw.market_builder import programme_code
from enrollment.draw.run_rows import Run, WishReason
from enrollment.places.programmes import Programme

REASONS = "result/reasons.csv"
COLUMNS = ("child", "rank", "programme", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket")


@dataclass(frozen=True)
class Told:
    """A child by its code, its ticket, where it was placed, and every wish with the reason."""

    code: str
    ticket: int
    placed: Programme | None
    wishes: tuple[tuple[Programme, WishReason], ...]


def of_ticket(session: Session, run: Run, year: int, asked: str, ticket: int) -> Told | None:
    """The child with this code or this ticket number; None when the file has neither."""
    if not run.bundle:
        return None
    files = market_files.unpack(run.bundle)
    # one look through the bytes, because the file may hold the wishes of a whole city
    column = rb"[^,\n]*,"
    mine = re.compile(rb"(?m)^(?:%s,.*|%s%d,[^,\n]*,[^,\n]*)$" % (re.escape(asked.encode()), column * 6, ticket))
    lines = b"\n".join(mine.findall(files.get(REASONS, b""))).decode()
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(io.StringIO(lines))]
    if not rows:
        return None
    programmes = {
        programme_code(each): each for each in session.scalars(select(Programme).where(Programme.year == year))
    }
    code = rows[0]["child"]
    places = csv.reader(io.StringIO(files["result/placements.csv"].decode()))
    placed = next((row[1] for row in places if row[0] == code), "")
    return Told(
        code=code,
        ticket=int(rows[0]["ticket"]),
        placed=programmes.get(placed),
        wishes=tuple((programmes[row["programme"]], _reason(run, row)) for row in rows),
    )


def _reason(run: Run, row: dict[str, str]) -> WishReason:
    """As the table held it.  It is not added to a session."""
    return WishReason(
        run_id=run.id, rank=int(row["rank"]), pool=row["pool"] or None, reason=row["reason"], tier=int(row["tier"]),
        ticket=int(row["ticket"]), cutoff_tier=_number(row["cutoff_tier"]), cutoff_ticket=_number(row["cutoff_ticket"]),
    )  # fmt: skip


def _number(text: str) -> int | None:
    return int(text) if text else None
