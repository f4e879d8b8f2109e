"""The way of an uploaded file: stored sealed, checked by a job, confirmed by its owner, written by a job, deleted."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.accounts import Account, Actor, Role, actor_of
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.jobs import Job, JobState
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.places.imports.changes import Difference
from enrollment.places.imports.faults import ImportFault, ImportFaults
from enrollment.places.imports.files.limits import MEGABYTE, MOST_BYTES
from enrollment.places.imports.uploaded_files import KINDS, ImportFile, ImportState
from enrollment.places.kindergartens import Page, paginate

PER_PAGE = 20
LIFETIME = dt.timedelta(days=1)
UNDER_WAY = (ImportState.WAITING, ImportState.APPLYING)
SEALED = ("content", "fault_list", "marked")
KINDS_OF_KINDERGARTENS = ("roll", "staff")
"""What a kindergarten imports for itself; every other list is the officials'."""


class ImportCancelled(Exception):
    """The owner gave the file up while a job worked on it."""


def store(
    session: Session, kind: str, name: str, content: bytes, *, by: Actor, now: dt.datetime, year: int
) -> ImportFile:
    """Store an uploaded file encrypted and enqueue its check; it takes the place of an earlier file of this person of the same kind
    and year, which waits for a word.  A list of another kind stays: it may be open in another tab.
    """
    if kind not in (KINDS if by.is_any(Role.CITY_OFFICIAL, Role.AREA_OFFICIAL) else KINDS_OF_KINDERGARTENS):
        raise Refused("import_kind", field="kind")
    if not content:
        raise Refused("import_file_missing", field="file")
    if len(content) > MOST_BYTES:
        raise Refused("import_file_too_large", field="file", most=MOST_BYTES // MEGABYTE)
    delete_expired(session, now=now)
    session.execute(
        delete(ImportFile).where(
            ImportFile.made_by == by.account_id,
            ImportFile.kind == kind,
            ImportFile.year == year,
            ImportFile.state.in_((ImportState.CHECKED, ImportState.FAULTY)),
        )
    )
    file_id = uuid.uuid4()
    file = ImportFile(
        id=file_id, kind=kind, name=name[-120:], year=year, digest=hashlib.sha256(content).hexdigest(),
        content=seal_file(content, "import_file.content", file_id), made_by=by.account_id, made_at=now,
    )  # fmt: skip
    file.job_id = jobs.enqueue(session, "check_import", {"file": str(file.id)}, now=now)
    session.add(file)
    session.flush()
    return file


def own(session: Session, file_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ImportFile:
    """A file that this person uploaded.  Raises NotFound for other people's files, Refused for one that is too old."""
    found = select(ImportFile).where(ImportFile.id == file_id, ImportFile.made_by == by.account_id)
    file = session.scalars(found.execution_options(populate_existing=True)).one_or_none()
    if file is None:
        raise NotFound
    if file.done_at is None and file.made_at < now - LIFETIME:
        raise Refused("import_file_gone")
    return file


def job_of(session: Session, file: ImportFile) -> Job | None:
    return session.get(Job, file.job_id, populate_existing=True) if file.job_id else None


def has_failed(job: Job | None) -> bool:
    """Whether the job that works on a file has ended without a result."""
    return job is None or job.state == JobState.FAILED


def report_of(file: ImportFile) -> dict[str, Any]:
    """What the check found: the changes, or the faults."""
    found: dict[str, Any] = json.loads(file.report or "{}")
    return found


def download_of(file: ImportFile, part: str) -> bytes:
    """The list of faults or the marked workbook.  Raises NotFound if the file has none."""
    sealed = getattr(file, part) if part in ("fault_list", "marked") else None
    if sealed is None:
        raise NotFound
    return unseal_file(bytes(sealed), f"import_file.{part}", file.id)


def confirm(
    session: Session, file_id: uuid.UUID, *, by: Actor, now: dt.datetime, overwrite: Collection[str] | None
) -> ImportFile:
    """Enqueue the writing of a checked file.  `overwrite` are the conflicts in which the file wins, None for all."""
    file = own(session, file_id, by=by, now=now)
    moved = _move(session, file_id, ImportState.CHECKED, ImportState.APPLYING)
    if not moved:
        raise Refused("import_file_gone")
    args = {"file": str(file_id), "overwrite": None if overwrite is None else sorted(overwrite)}
    job_id = jobs.enqueue(session, "apply_import", args, now=now)
    session.execute(update(ImportFile).where(ImportFile.id == file_id).values(job_id=job_id))
    session.refresh(file)
    return file


def give_up(session: Session, file_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """Delete a file that is not imported yet; return whether it was still time.  A job that works on it finds it gone, and
    writes nothing; one that has written it already holds its row until it commits.
    """
    file = own(session, file_id, by=by, now=now)
    gone = delete(ImportFile).where(ImportFile.id == file.id, ImportFile.state != ImportState.DONE)
    return session.scalar(gone.returning(ImportFile.id)) is not None


def task(session: Session, file_id: uuid.UUID, state: ImportState) -> tuple[ImportFile, bytes, Actor] | None:
    """The file in this state with its content and its owner, for a job; None if it was given up or is done."""
    file = session.scalars(select(ImportFile).where(ImportFile.id == file_id, ImportFile.state == state)).one_or_none()
    owner = session.get(Account, file.made_by) if file is not None and file.made_by else None
    if file is None or owner is None or file.content is None or owner.disabled_at is not None:
        return None
    content = unseal_file(bytes(file.content), "import_file.content", file.id)
    session.expire(file, ["content"])  # the sealed copy is as large as the file
    return file, content, actor_of(owner)


def language_of(session: Session, file_id: uuid.UUID) -> str:
    """The language of the person who uploaded the file."""
    owner = select(Account.language).join(ImportFile, ImportFile.made_by == Account.id).where(ImportFile.id == file_id)
    return session.scalar(owner) or "zh"


def check_again(session: Session, file_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Enqueue another check of a confirmed file, whose changes are not those that were confirmed."""
    job_id = jobs.enqueue(session, "check_import", {"file": str(file_id), "again": True}, now=now)
    again = update(ImportFile).where(ImportFile.id == file_id, ImportFile.state == ImportState.APPLYING)
    session.execute(again.values(state=ImportState.WAITING, job_id=job_id))


def require_under_way(session: Session, file_id: uuid.UUID, state: ImportState) -> None:
    """Raises ImportCancelled if the owner gave the file up."""
    if session.scalar(select(ImportFile.id).where(ImportFile.id == file_id, ImportFile.state == state)) is None:
        raise ImportCancelled


def keep_difference(session: Session, file_id: uuid.UUID, difference: Difference, *, has_changed: bool = False) -> None:
    """The outcome of a check: the changes, for its owner's word.  `has_changed`: they are not those confirmed before."""
    report = difference.as_plain() | {"has_changed": has_changed}
    _keep(session, file_id, ImportState.CHECKED, report=json.dumps(report, ensure_ascii=False))


def keep_faults(
    session: Session, file_id: uuid.UUID, faults: ImportFaults, *, fault_list: bytes, marked: bytes | None
) -> None:
    """The outcome of a check: faults, by kind with examples, and the files that list all of them."""
    groups = [
        {
            "code": group.code, "heading": group.heading, "group": group.group, "count": group.count,
            "examples": [_plain(fault) for fault in group.examples],
        }
        for group in faults.list.groups
    ]  # fmt: skip
    report = {"total": faults.list.total, "listed": len(faults.faults), "groups": groups}
    values = {
        "report": json.dumps(report, ensure_ascii=False, default=str),
        "fault_list": seal_file(fault_list, "import_file.fault_list", file_id),
        "marked": seal_file(marked, "import_file.marked", file_id) if marked is not None else None,
    }
    _keep(session, file_id, ImportState.FAULTY, **values)


def finish(session: Session, file_id: uuid.UUID, difference: Difference, *, now: dt.datetime) -> None:
    """The file is imported: delete its content.  Raises ImportCancelled if its owner gave it up meanwhile."""
    nothing: dict[str, Any] = dict.fromkeys((*SEALED, "report"))
    done = (
        update(ImportFile)
        .where(ImportFile.id == file_id, ImportFile.state == ImportState.APPLYING)
        .values(state=ImportState.DONE, done_at=now, summary=difference.counts, **nothing)
        .returning(ImportFile.id)
    )
    if session.scalar(done) is None:
        raise ImportCancelled


def _plain(fault: ImportFault) -> dict[str, Any]:
    return {"cell": fault.cell, "details": fault.details}


def _move(session: Session, file_id: uuid.UUID, before: ImportState, after: ImportState) -> bool:
    moved = update(ImportFile).where(ImportFile.id == file_id, ImportFile.state == before).values(state=after)
    return session.scalar(moved.returning(ImportFile.id)) is not None


def _keep(session: Session, file_id: uuid.UUID, state: ImportState, **values: Any) -> None:
    kept = update(ImportFile).where(ImportFile.id == file_id, ImportFile.state.in_(UNDER_WAY))
    session.execute(kept.values(state=state, **values))


def finished(session: Session, *, by: Actor, page: int = 1) -> Page:
    """The person's imports, the last first."""
    mine = select(ImportFile).where(ImportFile.made_by == by.account_id, ImportFile.done_at.is_not(None))
    return paginate(session, mine.order_by(ImportFile.done_at.desc(), ImportFile.id), page, PER_PAGE)


def open_files(session: Session, *, by: Actor, now: dt.datetime) -> list[ImportFile]:
    """The person's files that are being checked or written, or wait for a word; newest first."""
    mine = select(ImportFile).where(
        ImportFile.made_by == by.account_id, ImportFile.done_at.is_(None), ImportFile.made_at >= now - LIFETIME
    )
    return list(session.scalars(mine.order_by(ImportFile.made_at.desc())))


def delete_expired(session: Session, *, now: dt.datetime) -> int:
    """Delete files that were not confirmed within a day; return how many."""
    late = (ImportFile.done_at.is_(None), ImportFile.made_at < now - LIFETIME)
    count = session.scalar(select(func.count()).select_from(ImportFile).where(*late))
    session.execute(delete(ImportFile).where(*late))
    return count or 0
