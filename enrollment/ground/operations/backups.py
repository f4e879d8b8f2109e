"""The backups that were made: a row for each, so that every host knows how old the newest one is."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.audit_chain.heads import database_clock
from enrollment.ground.db import Base


class Backup(Base):
    """`taken_at` is the moment that a restore brings back, by the clock of the database; `made_at` is when the file was
    complete.  `digest` is the SHA-256 of the file, `audit_link` the last position of the audit chain in it.
    """

    __tablename__ = "backup"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    file: Mapped[str]
    host: Mapped[str]
    taken_at: Mapped[dt.datetime] = mapped_column(index=True)
    made_at: Mapped[dt.datetime]
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    revision: Mapped[str]
    audit_link: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True)
class BackupFile:
    """What is known of a finished file."""

    file: str
    host: str
    taken_at: dt.datetime
    size: int
    digest: bytes
    revision: str
    audit_link: int | None


def record(session: Session, made: BackupFile, *, now: dt.datetime) -> Backup:
    """Note a finished backup, also in the audit trail."""
    row = Backup(
        file=made.file,
        host=made.host,
        taken_at=made.taken_at,
        made_at=database_clock(session),
        size=made.size,
        digest=made.digest,
        revision=made.revision,
        audit_link=made.audit_link,
    )
    session.add(row)
    session.flush()
    audit.record(session, "make_backup", "backup", row.id, by=SYSTEM, now=now, size=made.size)
    return row


def newest(session: Session) -> Backup | None:
    """Without those that were made while the clock of the database was ahead: no later one would be newer for as long."""
    until = database_clock(session) + dt.timedelta(hours=1)
    query = select(Backup).where(Backup.taken_at <= until).order_by(Backup.taken_at.desc()).limit(1)
    return session.scalars(query).first()
