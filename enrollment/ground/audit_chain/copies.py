"""Copies of the newest head outside the database: the evidence against whoever rewrites the database."""

import os
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain import heads, links
from enrollment.ground.audit_chain.heads import Head


def read_copy(path: Path) -> Head:
    """Raises ValueError for a file that is not a head."""
    return Head.from_json(path.read_text("utf-8"))


def write_copy(session: Session, path: Path) -> bool:
    """Replace the copy by the newest head, if the trail continues the copy; else the copy stays as evidence.

    Returns whether the trail continues the copy.  Raises ValueError where the file is something else.
    """
    head = heads.newest(session)
    copy = read_copy(path) if path.exists() else None
    if head is None:
        return copy is None
    if not head.is_signed() or (copy is not None and not _continues(session, head, copy)):
        return False
    if head != copy:
        _replace(path, head.as_json())
    return True


def _continues(session: Session, head: Head, copy: Head) -> bool:
    if (head.number, head.link) < (copy.number, copy.link):
        return False
    digest = session.scalar(select(AuditEntry.digest).where(AuditEntry.link == copy.link))
    return digest.hex() == copy.digest if digest else copy.link <= links.start(session)[0]


def _replace(path: Path, content: str) -> None:
    """A reader sees the old file or the new one."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
