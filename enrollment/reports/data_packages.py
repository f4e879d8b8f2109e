"""The download of a family, packed in the background: asked for, packed, kept sealed for a day."""

import datetime as dt
import uuid
from collections import Counter

from sqlalchemy import ForeignKey, LargeBinary, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications import applications
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.ground import jobs, retention
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.audit import AuditEntry
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound
from enrollment.ground.jobs import Job, JobState
from enrollment.ground.outbox import Notice
from enrollment.ground.retention import DAY, Moment
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.results import letters
from enrollment.results.letters import Letter, LetterState

PURPOSE = "data_package.content"
PACK, PACK_LONG = "pack_small_data", "pack_data"
"""The job that packs a download while the family waits, and the one that takes longer and makes way for others."""

MOST_ROWS = 150
MOST_BYTES = 20_000_000
"""Up to here packing takes less than a second."""

SECONDS, SECONDS_OF_LONG = 3, 60
"""What a page announces."""


class DataPackage(Base):
    """One for each account: the newest.  `content` is the sealed zip, None until the job has packed it."""

    __tablename__ = "data_package"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), unique=True)
    job_id: Mapped[uuid.UUID]
    language: Mapped[str]
    asked_at: Mapped[dt.datetime]
    made_at: Mapped[dt.datetime | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": PURPOSE, "bound": True})


def _is_long(session: Session, *, by: Actor) -> bool:
    """Whether packing takes long: many messages and acts, or large papers."""
    own = [each.id for each in applications.list_own(session, by=by)]
    told = session.scalar(select(func.count()).where(Notice.account_id == by.account_id)) or 0
    done = session.scalar(select(func.count()).where(AuditEntry.account_id == by.account_id)) or 0
    size = session.scalar(select(func.sum(EvidencePage.size)).where(EvidencePage.application_id.in_(own))) or 0
    return told + done > MOST_ROWS or size > MOST_BYTES


def ask(session: Session, *, language: str, by: Actor, now: dt.datetime) -> DataPackage:
    """Have the download packed; one that is being packed goes on, one that failed begins anew.  Refuses `only_the_guardian`."""
    require_oneself(by)
    there = of(session, by=by)
    if there is not None and there.made_at is None and there.asked_at > now - dt.timedelta(hours=1):
        job = session.get(Job, there.job_id)
        if job is not None and job.state != JobState.FAILED:
            return there
    session.execute(delete(DataPackage).where(DataPackage.account_id == by.account_id))
    package_id = uuid.uuid4()
    kind = PACK_LONG if _is_long(session, by=by) else PACK
    job_id = jobs.enqueue(session, kind, {"package": str(package_id)}, key=f"{kind}:{package_id}", now=now)
    package = DataPackage(id=package_id, account_id=by.account_id, job_id=job_id, language=language, asked_at=now)
    session.add(package)
    session.flush()
    return package


def of(session: Session, *, by: Actor) -> DataPackage | None:
    """The newest one of the signed-in person; none for a helper."""
    if by.on_behalf is not None:
        return None
    return session.scalars(select(DataPackage).where(DataPackage.account_id == by.account_id)).one_or_none()


def keep(session: Session, package_id: uuid.UUID, content: bytes, *, now: dt.datetime) -> None:
    """Store what was packed, unless it is not wanted any more."""
    package = session.get(DataPackage, package_id, with_for_update=True)
    if package is not None and package.made_at is None:
        package.content, package.made_at = seal_file(content, PURPOSE, package_id), now


def read(session: Session, *, by: Actor) -> Letter:
    """The zip, or how far it is.  Raises NotFound where none was asked for, and after a day."""
    package = of(session, by=by)
    if package is None:
        raise NotFound("data_package")
    if package.content is not None:
        return Letter(unseal_file(package.content, PURPOSE, package.id), LetterState.DRAWN)
    job = session.get(Job, package.job_id)
    return letters.being_made(job, seconds=SECONDS_OF_LONG if job is not None and job.kind == PACK_LONG else SECONDS)


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Packages older than a day."""
    return retention.delete_rows(session, DataPackage, DataPackage.asked_at < moment.now - DAY, limit=limit)
