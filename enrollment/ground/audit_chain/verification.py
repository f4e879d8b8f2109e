"""The search for forgeries in the audit trail.  Each kind of finding says what does not agree; ADR 26 says what no search
can find.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, literal_column, select
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain import heads, links
from enrollment.ground.audit_chain.heads import FIRST_LINK, AuditHead, Head
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.maintenance_permits import MaintenancePermit

LONGEST_WAIT = dt.timedelta(minutes=1)
"""By the clock of the database: an entry that is not sealed after it is a finding.  The sealer runs each second."""

STEP = 20_000
"""Entries after which the progress is told."""

Progress = Callable[[int, int], None]
"""Told how many entries are read, of how many."""

LEAST_AGE_OF_A_CUT = dt.timedelta(days=365 * 9)
"""Old entries are deleted after ten years of the portal's time; only then may the first turns of a connection be gone."""


class FindingKind(StrEnum):
    LINK = "link"
    TAIL = "tail"
    HEAD = "head"
    PERMIT = "permit"
    TURN = "turn"
    WAITING = "waiting"
    COUNT = "count"
    COPY = "copy"


@dataclass(frozen=True, order=True)
class Finding:
    """`where` is a position in the chain, for `TURN` and `WAITING` the number of an entry, else what is named."""

    kind: FindingKind
    where: str


@dataclass(frozen=True)
class Verification:
    """`waiting` entries are not sealed yet.  `gaps` are numbers without an entry: rolled back acts, and at most so many
    entries that were removed with every entry of their connection after them.
    """

    findings: list[Finding]
    links: int
    waiting: int
    gaps: int

    @property
    def is_whole(self) -> bool:
        return not self.findings


class _Turns:
    """Finds gaps in the entries of each connection."""

    def __init__(self, cut: MaintenancePermit | None):
        self._last: dict[uuid.UUID, int] = {}
        self._cut = cut

    def follow(self, writer: uuid.UUID | None, turn: int | None, at: dt.datetime | None) -> bool:
        if writer is None or turn is None or at is None:
            return False
        before = self._last.get(writer)
        self._last[writer] = turn
        if before is not None:
            return turn == before + 1
        return turn == 1 or (self._cut is not None and at < self._cut.at - LEAST_AGE_OF_A_CUT)


def verify(
    session: Session, copy: Head | None = None, *, demo: bool = False, progress: Progress = lambda _done, _of: None
) -> Verification:
    """Read the whole trail, and compare it with a copy of a head from outside the database.

    In a `demo` permits may be from the future, because its clock is moved.  While entries are written, call `read_one_moment` first.
    """
    return _Search(session, copy, demo=demo, progress=progress).result()


def read_one_moment(session: Session) -> None:
    """A new session reads the trail as it is now: what is written and sealed during a long search would be found as a fault."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _time(details: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromtimestamp(float(details["at"]), dt.UTC)


class _Search:
    def __init__(self, session: Session, copy: Head | None, *, demo: bool, progress: Progress):
        self.session, self.copy, self.demo, self.progress = session, copy, demo, progress
        self.now = heads.database_clock(session)
        self.found: list[Finding] = []
        self.cut = links.cut(session)
        self.turns = _Turns(self.cut)
        self.permits: dict[str, tuple[dict[str, Any], int | None]] = {}
        self.rows = self.most = 0
        query = select(AuditHead).order_by(AuditHead.number).execution_options(populate_existing=True)
        self.heads: Sequence[AuditHead] = session.scalars(query).all()
        self.signed: list[AuditHead] = []
        self.at_links: dict[int, bytes] = {}

    def result(self) -> Verification:
        self._check_heads()
        self._check_chain()
        waiting = self._check_waiting()
        self._check_ends()
        self._check_permits()
        self._check_counts()
        if self.copy is not None:
            self.found += [Finding(FindingKind.COPY, where) for where in self._differences(self.copy)]
        unique = sorted(set(self.found))
        return Verification(unique, self.position, waiting, max(self.most - self._gone() - self.rows, 0))

    def _add(self, kind: FindingKind, where: object) -> None:
        self.found.append(Finding(kind, str(where)))

    def _check_heads(self) -> None:
        before, last = FIRST_LINK, None
        for number, row in enumerate(self.heads, start=1):
            follows = last is None or (row.since == last.link and row.day > last.day)
            if not Head.of(row, before).is_signed() or row.number != number or not follows or row.link < row.since:
                self._add(FindingKind.HEAD, row.day)
            else:
                self.signed.append(row)
            before, last = row.mac, row

    def _check_chain(self) -> None:
        self.position, before = links.start(self.session)
        wanted = {row.link for row in self.heads} | ({self.copy.link} if self.copy else set())
        self.first, self.at_links[self.position] = self.position, before
        key = vault.message_key_name(links.PURPOSE)
        of = self.heads[-1].link - self.first if self.heads else 0
        for entry in links.sealed(self.session):
            if self.rows % STEP == 0:
                self.progress(self.rows, of)
            self.position += 1
            # what was sealed before there were keys stands before the first head, and nothing else does
            expected = None if not self.heads or entry.link <= self.heads[0].since else key
            digest = links.digest_of(before, entry, entry.link, entry.seal_key)
            if (entry.link, entry.seal_key, entry.digest) != (self.position, expected, digest):
                self._add(FindingKind.LINK, entry.link)
            self.position, before = entry.link, entry.digest or b""
            if entry.link in wanted:
                self.at_links[entry.link] = before
            self._count(entry)
            if expected is not None:
                self._follow(entry)

    def _count(self, entry: Row[Any]) -> None:
        self.rows, self.most = self.rows + 1, max(self.most, entry.number)

    def _follow(self, entry: Row[Any]) -> None:
        if not self.turns.follow(entry.writer, entry.turn, entry.written_at):
            self._add(FindingKind.TURN, entry.number)
        if entry.act == "grant_permit":
            self.permits[entry.subject_id] = (entry.details, entry.link)

    def _check_waiting(self) -> int:
        count = 0
        for entry in self.session.execute(links.waiting().execution_options(yield_per=1000)):
            count += 1
            self._count(entry)
            self._follow(entry)
            if entry.written_at is None or entry.written_at < self.now - LONGEST_WAIT:
                self._add(FindingKind.WAITING, entry.number)
        return count

    def _check_ends(self) -> None:
        """The chain ends where the newest head says, and had each day's digest at each day's end."""
        for row in self.heads:
            if row.link >= self.first and self.at_links.get(row.link) != row.digest:
                self._add(FindingKind.TAIL, row.link)
        if self.heads and self.position != self.heads[-1].link:
            self._add(FindingKind.TAIL, self.position)
        if not self.heads and self.position:
            self._add(FindingKind.HEAD, "0")

    def _check_permits(self) -> None:
        """Each permit is in the trail as it is in its table, and none is from the future."""
        said = select(MaintenancePermit.number, func.permit_details(literal_column("upkeep")).label("details"))
        rows = {str(row.number): row.details for row in self.session.execute(said)}
        for number, details in rows.items():
            noted, link = self.permits.get(number, (None, None))
            if noted is None and self._is_cut_off(details):
                continue
            if noted != details or (not self.demo and _time(details) > self._sealed_at(link)):
                self._add(FindingKind.PERMIT, number)
        for number in self.permits.keys() - rows.keys():
            self._add(FindingKind.PERMIT, number)
        if self.cut is not None and any(self._was_too_young(row, self.cut) for row in self.heads):
            self._add(FindingKind.PERMIT, self.cut.number)

    def _is_cut_off(self, details: dict[str, Any]) -> bool:
        """Whether the entry of a permit may have been deleted with the oldest entries."""
        return self.cut is not None and _time(details) < self.cut.at - LEAST_AGE_OF_A_CUT

    @staticmethod
    def _was_too_young(head: AuditHead, cut: MaintenancePermit) -> bool:
        return head.since < (cut.audit_link or 0) and head.sealed_at > cut.at - LEAST_AGE_OF_A_CUT

    def _sealed_at(self, link: int | None) -> dt.datetime:
        """The latest time at which an entry can have been sealed; now for one that waits."""
        return next((row.sealed_at for row in self.heads if link is not None and row.link >= link), self.now)

    def _check_counts(self) -> None:
        """No append-only table has fewer rows than a head counted, unless a permit to delete was granted since."""
        deletes = select(MaintenancePermit.began).where(MaintenancePermit.kind.in_(("season", "decade")))
        granted = max((began for began in self.session.scalars(deletes) if began), default=None)
        later = heads.count_append_only_rows(self.session)
        for row in reversed(self.signed):
            if granted is None or granted < dt.datetime.combine(row.day, dt.time(), CHENGDU):
                for table in heads.fell(row.counts, later):
                    self._add(FindingKind.COUNT, table)
            later = row.counts

    def _differences(self, copy: Head) -> Iterator[str]:
        """How the trail disagrees with a copy of a head."""
        row = next((row for row in self.heads if row.number == copy.number), None)
        if not copy.is_signed():
            yield f"{copy.day}: signature"
        elif row is None or row.day.isoformat() != copy.day or row.link < copy.link or row.since != copy.since:
            yield f"{copy.day}: head"
        elif copy.link >= self.first and (self.at_links.get(copy.link) or b"").hex() != copy.digest:
            yield f"{copy.day}: {copy.link}"

    def _gone(self) -> int:
        """Numbers of entries that were deleted after their ten years."""
        first = self.session.scalar(select(func.min(AuditEntry.number)))
        return (first or 1) - 1
