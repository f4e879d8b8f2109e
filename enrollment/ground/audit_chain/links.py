"""The links of the chain: what the digest of an entry covers, and where the chain begins."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from enrollment.ground import vault
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain.heads import FIRST_LINK
from enrollment.ground.maintenance_permits import MaintenancePermit

PURPOSE = "audit_entry"

_ENTRIES = select(*AuditEntry.__table__.columns)


def digest_of(before: bytes, entry: Row[Any], link: int, key: str | None) -> bytes:
    """HMAC of an entry and of the digest before it; without a key the plain hash of entries from before there were keys."""
    said = [
        entry.number,
        link,
        entry.at.astimezone(dt.UTC).isoformat(),
        str(entry.account_id),
        entry.act,
        entry.subject,
        entry.subject_id,
        entry.reason,
        entry.details,
    ]
    if key is None:
        return hashlib.sha256(before + _bytes(said)).digest()
    written = entry.written_at.astimezone(dt.UTC).isoformat() if entry.written_at else None
    return vault.message_code(before + _bytes([*said, str(entry.writer), entry.turn, written]), PURPOSE)


def _bytes(said: list[Any]) -> bytes:
    return json.dumps(said, sort_keys=True, ensure_ascii=False).encode()


def waiting() -> Select[Any]:
    """Entries that are not in the chain yet, in the order in which they will be."""
    return _ENTRIES.where(AuditEntry.link.is_(None)).order_by(AuditEntry.number)


def sealed(session: Session) -> Iterator[Row[Any]]:
    """Every entry of the chain in its order."""
    query = _ENTRIES.where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link)
    yield from session.execute(query.execution_options(yield_per=1000))


def last_sealed(session: Session) -> Row[Any] | None:
    query = _ENTRIES.where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link.desc())
    return session.execute(query.limit(1)).one_or_none()


def cut(session: Session) -> MaintenancePermit | None:
    """The permit of the last deletion of old entries: it says where the chain begins now."""
    cuts = select(MaintenancePermit).where(MaintenancePermit.kind == "audit")
    return session.scalars(cuts.order_by(MaintenancePermit.audit_link.desc()).limit(1)).first()


def start(session: Session) -> tuple[int, bytes]:
    """Position and digest of the last entry that was deleted after its ten years."""
    permit = cut(session)
    return (permit.audit_link or 0, permit.audit_digest or FIRST_LINK) if permit else (0, FIRST_LINK)
