"""The sealer: links entries into the chain in the order of their numbers, and moves the head.

It runs each second in a transaction of its own, so that no act waits for the chain.  Positions are given here and not when
an entry is written: a rolled back act leaves no gap.  The sealer continues from the head and not from the last row that it
finds, so a chain whose end was cut or rewritten stays broken there for ever.  A head that was changed is not signed again.
"""

import datetime as dt

from sqlalchemy import ARRAY, BigInteger, LargeBinary, bindparam, func, select, text
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain import heads, links
from enrollment.ground.audit_chain.heads import AuditHead, Head
from enrollment.ground.city_time import CHENGDU

ONE_AT_A_TIME = 731001

_WRITE = text(
    "UPDATE audit_entry SET link = fresh.link, digest = fresh.digest, seal_key = :key"
    " FROM unnest(:numbers, :links, :digests) AS fresh (number, link, digest)"
    " WHERE audit_entry.number = fresh.number AND audit_entry.link IS NULL"
).bindparams(
    bindparam("numbers", type_=ARRAY(BigInteger)),
    bindparam("links", type_=ARRAY(BigInteger)),
    bindparam("digests", type_=ARRAY(LargeBinary)),
)


BATCH = 5000


def seal(session: Session, limit: int = BATCH) -> int:
    """Seal the oldest entries that wait; return how many.  A lock admits one caller at a time."""
    session.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
    clock = heads.database_clock(session)
    head = heads.newest_row(session)
    fresh = session.execute(links.waiting().limit(limit)).all()
    day = max(clock.astimezone(CHENGDU).date(), head.day) if head else clock.astimezone(CHENGDU).date()
    if not fresh and (head is None or head.day == day):
        return 0
    position, before = _end(session, head)
    opened = _open_day(session, head, day, position, before)
    key = vault.message_key_name(links.PURPOSE)
    positions: list[int] = []
    digests: list[bytes] = []
    for entry in fresh:
        position += 1
        before = links.digest_of(before, entry, position, key)
        positions.append(position)
        digests.append(before)
    if fresh:
        numbers = [entry.number for entry in fresh]
        session.execute(_WRITE, {"key": key, "numbers": numbers, "links": positions, "digests": digests})
    code_before = heads.code_before(session, opened.number)
    is_honest = opened is not head or Head.of(opened, code_before).is_signed()
    opened.link, opened.digest, opened.sealed_at = position, before, clock
    if is_honest:
        heads.sign(opened, code_before)
    session.add(opened)
    session.flush()
    for loaded in [each for each in session.identity_map.values() if isinstance(each, AuditEntry)]:
        session.expire(loaded, ["link", "digest", "seal_key"])
    return len(fresh)


def seal_all(session: Session) -> Head | None:
    """Seal everything that waits; the head after it, None if nothing was ever written.

    It ends with a batch that is not full, and not when nothing waits: others may write without a pause.
    """
    while seal(session) == BATCH:
        pass
    return heads.newest(session)


def _end(session: Session, head: AuditHead | None) -> tuple[int, bytes]:
    """Where the next link follows, and after which digest."""
    last = links.last_sealed(session)
    if head is not None:
        return max(head.link, last.link if last else 0), head.digest
    return (last.link, last.digest) if last else links.start(session)


def _open_day(session: Session, head: AuditHead | None, day: dt.date, position: int, before: bytes) -> AuditHead:
    """The head of the day: that of today, or a new one."""
    if head is not None and head.day == day:
        return head
    number = head.number + 1 if head else 1
    counts = heads.count_append_only_rows(session)
    return AuditHead(number=number, day=day, since=position, link=position, digest=before, counts=counts)
