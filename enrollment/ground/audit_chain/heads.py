"""Heads of the audit chain: one row for each day, with the position, the digest and the code of the last entry.

A head is signed with a key of the vault over everything that it says and over the head before it, so that no head can be
made, changed or left out without the key.  The head of today grows with each seal.  Heads are published (the page of the
trail) and copied out of the database (`copies`): whoever rewrites the database cannot rewrite those copies.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import BigInteger, LargeBinary, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import vault
from enrollment.ground.db import Base

PURPOSE = "audit_head"
FIRST_LINK = bytes(32)
"""Stands for the digest before the first entry, and for the code before the first head."""

_KEPT_TABLES = text(
    "SELECT DISTINCT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE tgname IN ('kept', 'only_added') AND relname <> 'audit_entry' ORDER BY relname"
)


class AuditHead(Base):
    """`number` counts heads without a gap, `day` is a day in Chengdu by the clock of the database.

    `since` is the last link of the day before.  `counts` are the rows of each append-only table when the day began.
    """

    __tablename__ = "audit_head"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[dt.date] = mapped_column(unique=True)
    since: Mapped[int] = mapped_column(BigInteger)
    link: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)
    sealed_at: Mapped[dt.datetime]
    key: Mapped[str]
    mac: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Head:
    """What a head says: the same in its row, on the public page and in a file.  Bytes are hexadecimal, times ISO 8601.

    `before` is the code of the head before it.
    """

    number: int
    day: str
    since: int
    link: int
    digest: str
    counts: dict[str, int]
    sealed_at: str
    key: str
    before: str
    mac: str

    @classmethod
    def of(cls, row: AuditHead, before: bytes) -> "Head":
        sealed_at = row.sealed_at.astimezone(dt.UTC).isoformat()
        values = row.number, row.day.isoformat(), row.since, row.link, row.digest.hex(), row.counts, sealed_at
        return cls(*values, row.key, before.hex(), row.mac.hex())

    @classmethod
    def from_json(cls, content: str) -> "Head":
        """Raises ValueError for a text that is not a head."""
        try:
            head = cls(**json.loads(content))
        except TypeError as fault:
            raise ValueError("not a head of the audit trail") from fault
        numbers = (head.number, head.since, head.link, *head.counts.values())
        if not all(isinstance(number, int) for number in numbers):
            raise ValueError("not a head of the audit trail")
        return head

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @property
    def code(self) -> bytes:
        """What `mac` is in an honest head."""
        said = {name: value for name, value in asdict(self).items() if name != "mac"}
        return vault.message_code(json.dumps(said, sort_keys=True).encode(), PURPOSE)

    def is_signed(self) -> bool:
        return self.key == vault.message_key_name(PURPOSE) and self.code.hex() == self.mac


def sign(row: AuditHead, before: bytes) -> None:
    """Write the code of a head; `before` is the code of the head before it."""
    row.key, row.mac = vault.message_key_name(PURPOSE), b""
    row.mac = Head.of(row, before).code


def database_clock(session: Session) -> dt.datetime:
    clock: dt.datetime = session.execute(select(func.pg_catalog.clock_timestamp())).scalar_one()
    return clock


def newest_row(session: Session) -> AuditHead | None:
    newest = select(AuditHead).order_by(AuditHead.number.desc()).limit(1)
    return session.scalars(newest.execution_options(populate_existing=True)).first()


def code_before(session: Session, number: int) -> bytes:
    return session.scalar(select(AuditHead.mac).where(AuditHead.number == number - 1)) or FIRST_LINK


def newest(session: Session) -> Head | None:
    """The head of today, or of the last day on which something was sealed."""
    row = newest_row(session)
    return Head.of(row, code_before(session, row.number)) if row else None


def of_days(session: Session, *, before: int | None = None, limit: int = 31) -> list[Head]:
    """The heads of the latest days, newest first; `before` is the number of a head."""
    query = select(AuditHead).order_by(AuditHead.number.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(AuditHead.number < before)
    rows = session.scalars(query).all()
    codes = {row.number: row.mac for row in rows}
    return [Head.of(row, codes.get(row.number - 1, FIRST_LINK)) for row in rows[:limit]]


def of_day(session: Session, day: dt.date) -> Head | None:
    row = session.scalars(select(AuditHead).where(AuditHead.day == day)).one_or_none()
    return Head.of(row, code_before(session, row.number)) if row else None


def count_append_only_rows(session: Session) -> dict[str, int]:
    """The number of rows of each table that a trigger keeps append-only, except the trail itself."""
    tables = session.scalars(_KEPT_TABLES).all()
    counts = " UNION ALL ".join(f"SELECT '{table}' AS name, count(*) AS rows FROM {table}" for table in tables)  # noqa: S608 (names of the catalogue)
    return {row.name: row.rows for row in session.execute(text(counts))} if counts else {}


def fell(counts: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """Tables that have fewer rows than a head counted."""
    return sorted(table for table, count in counts.items() if now.get(table, 0) < count)
