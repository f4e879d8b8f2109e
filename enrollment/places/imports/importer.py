"""Import of a file: read, compare, write everything or nothing; storage of uploads until they are confirmed."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from types import ModuleType

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.vault import seal_bytes, unseal_bytes
from enrollment.places import ledger
from enrollment.places.imports import headers, kindergartens, programmes, records, roll, service_areas, sheet_reader
from enrollment.places.imports.changes import Difference
from enrollment.places.imports.faults import ImportFaults
from enrollment.places.imports.uploaded_files import KINDS, ImportFile

MODULES: dict[str, ModuleType] = {
    "kindergartens": kindergartens,
    "programmes": programmes,
    "roll": roll,
    "service-areas": service_areas,
}
PURPOSE = "import_file.content"
UPLOAD_LIFETIME = dt.timedelta(days=1)
IMPORT_LOCK = 731005


@dataclass(frozen=True)
class Preview:
    """An uploaded file with its changes or its faults; one of the two is None."""

    file: ImportFile
    difference: Difference | None
    faults: ImportFaults | None


def compare(session: Session, kind: str, content: bytes, *, by: Actor, now: dt.datetime, year: int) -> Difference:
    """The changes that the file would make; writes nothing.  Raises ImportFaults with all faults."""
    return _prepare(session, kind, content, by=by, now=now, year=year).difference


def import_file(
    session: Session, kind: str, name: str, content: bytes, *, by: Actor, now: dt.datetime, year: int
) -> Difference:
    """Write the changes of the file and return them.  Raises ImportFaults before anything is written.

    `year` is the admission year of programmes that name none.  Imports are serialized by a lock.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": IMPORT_LOCK})
    prepared = _prepare(session, kind, content, by=by, now=now, year=year)
    if not prepared.difference.is_empty:
        MODULES[kind].write(session, prepared, by=by, now=now, reason=f"{ledger.REASON_IMPORTED}{name}")
        digest = hashlib.sha256(content).hexdigest()
        audit.record(session, "import", kind, digest, by=by, now=now, **prepared.difference.counts)
    session.flush()
    return prepared.difference


def _prepare(session: Session, kind: str, content: bytes, *, by: Actor, now: dt.datetime, year: int):
    module = MODULES[kind]
    table = headers.find_table(sheet_reader.read(content), module.COLUMNS)
    return module.prepare(session, records.read(table), by=by, now=now, year=year)


def store_upload(
    session: Session, kind: str, name: str, content: bytes, *, by: Actor, now: dt.datetime, year: int
) -> ImportFile:
    """Store an uploaded file encrypted until its owner confirms it; delete earlier unconfirmed files of this person."""
    if kind not in KINDS:
        raise Refused("import_kind", field="kind")
    if not content:
        raise Refused("import_file_missing", field="file")
    if len(content) > sheet_reader.MOST_BYTES:
        raise Refused("import_file_too_large", field="file", most=sheet_reader.MOST_BYTES // 1024 // 1024)
    delete_expired_uploads(session, now=now)
    session.execute(delete(ImportFile).where(ImportFile.made_by == by.account_id, ImportFile.done_at.is_(None)))
    file = ImportFile(
        kind=kind, name=name[-120:], year=year, digest=hashlib.sha256(content).hexdigest(),
        content=seal_bytes(content, PURPOSE), made_by=by.account_id, made_at=now,
    )  # fmt: skip
    session.add(file)
    session.flush()
    return file


def own_upload(session: Session, file_id: uuid.UUID, *, by: Actor) -> ImportFile:
    """A file that this person uploaded, locked.  Raises NotFound for other people's files."""
    found = select(ImportFile).where(ImportFile.id == file_id, ImportFile.made_by == by.account_id)
    file = session.scalars(found.with_for_update()).one_or_none()
    if file is None:
        raise NotFound
    return file


def preview(session: Session, file_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Preview:
    """The changes that a stored file would make now, or its faults."""
    file = own_upload(session, file_id, by=by)
    content = _content(file, now)
    try:
        return Preview(file, compare(session, file.kind, content, by=by, now=now, year=file.year), None)
    except ImportFaults as faults:
        return Preview(file, None, faults)


def import_upload(session: Session, file_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ImportFile:
    """Import a stored file and delete its content.  Raises ImportFaults if it became invalid since the preview."""
    file = own_upload(session, file_id, by=by)
    content = _content(file, now)
    difference = import_file(session, file.kind, file.name, content, by=by, now=now, year=file.year)
    file.content, file.done_at, file.summary = None, now, difference.counts
    session.flush()
    return file


def discard_upload(session: Session, file_id: uuid.UUID, *, by: Actor) -> None:
    file = own_upload(session, file_id, by=by)
    if file.done_at is None:
        session.delete(file)
        session.flush()


def recent_imports(session: Session, *, by: Actor, limit: int = 10) -> list[ImportFile]:
    """The person's last imports, newest first."""
    mine = select(ImportFile).where(ImportFile.made_by == by.account_id, ImportFile.done_at.is_not(None))
    return list(session.scalars(mine.order_by(ImportFile.done_at.desc()).limit(limit)))


def delete_expired_uploads(session: Session, *, now: dt.datetime) -> int:
    """Delete files that were not confirmed within a day; return how many."""
    late = (ImportFile.done_at.is_(None), ImportFile.made_at < now - UPLOAD_LIFETIME)
    count = session.scalar(select(func.count()).select_from(ImportFile).where(*late))
    session.execute(delete(ImportFile).where(*late))
    return count or 0


def _content(file: ImportFile, now: dt.datetime) -> bytes:
    if file.content is None or file.made_at < now - UPLOAD_LIFETIME:
        raise Refused("import_file_gone")
    return unseal_bytes(file.content, PURPOSE)
