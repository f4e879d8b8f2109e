"""Taking a file in: read, compare, write, all of it or nothing.  And keeping it between the look and the word."""

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
KEPT_FOR = dt.timedelta(days=1)
ONE_AT_A_TIME = 731005


@dataclass(frozen=True)
class Looked:
    """A file that was kept, with what it would change or what is wrong with it; one of the two is None."""

    file: ImportFile
    difference: Difference | None
    faults: ImportFaults | None


def compare(session: Session, kind: str, content: bytes, *, by: Actor, now: dt.datetime, year: int) -> Difference:
    """What the file would change.  Raises ImportFaults with all that is wrong; writes nothing."""
    return _prepared(session, kind, content, by=by, now=now, year=year).difference


def take_in(
    session: Session, kind: str, name: str, content: bytes, *, by: Actor, now: dt.datetime, year: int
) -> Difference:
    """Write what the file changes and say what that was.  Raises ImportFaults before anything is written.

    `year` is the admission year of programmes that name none.  Two imports wait for each other.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ONE_AT_A_TIME})
    prepared = _prepared(session, kind, content, by=by, now=now, year=year)
    if not prepared.difference.is_empty:
        MODULES[kind].write(session, prepared, by=by, now=now, reason=f"{ledger.IMPORTED}{name}")
        digest = hashlib.sha256(content).hexdigest()
        audit.record(session, "import", kind, digest, by=by, now=now, **prepared.difference.counts)
    session.flush()
    return prepared.difference


def _prepared(session: Session, kind: str, content: bytes, *, by: Actor, now: dt.datetime, year: int):
    module = MODULES[kind]
    table = headers.find_table(sheet_reader.read(content), module.COLUMNS)
    return module.prepare(session, records.read(table), by=by, now=now, year=year)


def keep(
    session: Session, kind: str, name: str, content: bytes, *, by: Actor, now: dt.datetime, year: int
) -> ImportFile:
    """Keep an uploaded file sealed until its owner says the word.  Earlier files of this person that wait are dropped."""
    if kind not in KINDS:
        raise Refused("import_kind", field="kind")
    if not content:
        raise Refused("import_file_missing", field="file")
    if len(content) > sheet_reader.MOST_BYTES:
        raise Refused("import_file_too_large", field="file", most=sheet_reader.MOST_BYTES // 1024 // 1024)
    forget(session, now=now)
    session.execute(delete(ImportFile).where(ImportFile.made_by == by.account_id, ImportFile.done_at.is_(None)))
    file = ImportFile(
        kind=kind, name=name[-120:], year=year, digest=hashlib.sha256(content).hexdigest(),
        content=seal_bytes(content, PURPOSE), made_by=by.account_id, made_at=now,
    )  # fmt: skip
    session.add(file)
    session.flush()
    return file


def own_file(session: Session, file_id: uuid.UUID, *, by: Actor) -> ImportFile:
    """A file that this person uploaded.  NotFound for anybody else."""
    found = select(ImportFile).where(ImportFile.id == file_id, ImportFile.made_by == by.account_id)
    file = session.scalars(found.with_for_update()).one_or_none()
    if file is None:
        raise NotFound
    return file


def look(session: Session, file_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Looked:
    """What a kept file would change now, or what is wrong with it."""
    file = own_file(session, file_id, by=by)
    content = _content(file, now)
    try:
        return Looked(file, compare(session, file.kind, content, by=by, now=now, year=file.year), None)
    except ImportFaults as faults:
        return Looked(file, None, faults)


def take_in_kept(session: Session, file_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ImportFile:
    """Write a kept file and drop its content.  Raises ImportFaults when the city changed in between and it fits no more."""
    file = own_file(session, file_id, by=by)
    content = _content(file, now)
    difference = take_in(session, file.kind, file.name, content, by=by, now=now, year=file.year)
    file.content, file.done_at, file.summary = None, now, difference.counts
    session.flush()
    return file


def give_up(session: Session, file_id: uuid.UUID, *, by: Actor) -> None:
    file = own_file(session, file_id, by=by)
    if file.done_at is None:
        session.delete(file)
        session.flush()


def done_lately(session: Session, *, by: Actor, limit: int = 10) -> list[ImportFile]:
    """The person's last imports, newest first."""
    mine = select(ImportFile).where(ImportFile.made_by == by.account_id, ImportFile.done_at.is_not(None))
    return list(session.scalars(mine.order_by(ImportFile.done_at.desc()).limit(limit)))


def forget(session: Session, *, now: dt.datetime) -> int:
    """Drop files that nobody said the word for within a day.  Returns how many."""
    late = (ImportFile.done_at.is_(None), ImportFile.made_at < now - KEPT_FOR)
    count = session.scalar(select(func.count()).select_from(ImportFile).where(*late))
    session.execute(delete(ImportFile).where(*late))
    return count or 0


def _content(file: ImportFile, now: dt.datetime) -> bytes:
    if file.content is None or file.made_at < now - KEPT_FOR:
        raise Refused("import_file_gone")
    return unseal_bytes(file.content, PURPOSE)
