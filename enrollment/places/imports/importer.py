"""Import of a file: read, compare, and write everything in one transaction or nothing."""

import datetime as dt
import hashlib
import time
import uuid
from collections.abc import Callable
from types import ModuleType
from typing import Any

from psycopg import IntegrityError as PgIntegrityError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.ground import audit, constraint_errors
from enrollment.ground.accounts import Actor
from enrollment.places import ledger
from enrollment.places.imports import (
    headers,
    kindergartens,
    measures,
    named_places,
    programmes,
    roll,
    service_areas,
)
from enrollment.places.imports.changes import Difference, Overwrite
from enrollment.places.imports.faults import ImportFault, ImportFaults
from enrollment.places.imports.files import sheet_reader
from enrollment.places.imports.lists import staff
from enrollment.places.imports.population import area_history, births, estates
from enrollment.places.imports.records import Progress, Records

MODULES: dict[str, ModuleType] = {
    "kindergartens": kindergartens,
    "programmes": programmes,
    "roll": roll,
    "service-areas": service_areas,
    "births": births,
    "area-history": area_history,
    "estates": estates,
    "named-places": named_places,
    "measures": measures,
    "staff": staff,
}
IMPORT_LOCK = 731005
PAUSE = 0.5
"""Seconds between two looks whether another import has ended."""

OPERATOR = "command"


def prepare(
    session: Session,
    kind: str,
    content: bytes,
    *,
    by: Actor,
    now: dt.datetime,
    year: int,
    overwrite: Overwrite = (),
    progress: Progress | None = None,
) -> Any:
    """The changes of the file, compared and ready to be written.  Raises ImportFaults with all faults.

    `year` is the admission year of programmes that name none.  In a conflict with what a person entered, the file wins
    only where `overwrite` says so.
    """
    session.execute(
        text("SET LOCAL idle_in_transaction_session_timeout = 0")
    )  # a long list is read between two statements
    module = MODULES[kind]
    tables = headers.find_tables(sheet_reader.read(content), module.COLUMNS)
    records = Records(tables, progress)
    return module.prepare(session, records, by=by, now=now, year=year, overwrite=overwrite)


def compare(
    session: Session,
    kind: str,
    content: bytes,
    *,
    by: Actor,
    now: dt.datetime,
    year: int,
    overwrite: Overwrite = (),
    progress: Progress | None = None,
) -> Difference:
    """The changes that the file would make; writes nothing.  Raises ImportFaults with all faults."""
    prepared = prepare(session, kind, content, by=by, now=now, year=year, overwrite=overwrite, progress=progress)
    difference: Difference = prepared.difference
    return difference


def import_file(
    session: Session,
    kind: str,
    name: str,
    content: bytes,
    *,
    by: Actor,
    now: dt.datetime,
    year: int,
    overwrite: Overwrite = (),
    progress: Progress | None = None,
    approve: Callable[[Difference], None] | None = None,
) -> Difference:
    """Write the changes of the file and return them.  Raises ImportFaults before anything is written, or where the database
    refuses what is written; the caller rolls back.

    The caller has the turn (`wait_for_turn`).  `approve` sees the changes before they are written and may raise.
    """
    prepared = prepare(session, kind, content, by=by, now=now, year=year, overwrite=overwrite, progress=progress)
    difference: Difference = prepared.difference
    if approve is not None:
        approve(difference)
    if not difference.is_empty:
        if progress is not None:
            progress(0, 0, "writing")
        try:
            MODULES[kind].write(session, prepared, by=by, now=now, reason=f"{ledger.REASON_IMPORTED}{name}")
            session.flush()
        except (IntegrityError, PgIntegrityError) as fault:
            raise ImportFaults([_refused_when_written(fault)]) from fault
        digest = hashlib.sha256(content).hexdigest()
        counts: dict[str, Any] = dict(difference.counts)
        audit.record(session, "import", kind, digest, by=by, now=now, **counts)
    session.flush()
    return difference


def _refused_when_written(fault: IntegrityError | PgIntegrityError) -> ImportFault:
    """The reason that stands for a violated constraint, for the person who imports."""
    refused = constraint_errors.refusal_of(fault)
    return ImportFault(refused.code, group="error") if refused else ImportFault("refused_when_written")


def wait_for_turn(session: Session, *, by: Actor, told: Callable[[str | None], None]) -> None:
    """Wait until no other import runs; the turn ends with the transaction.

    `told` is called at every look with the account id of the person who imports, with `OPERATOR` for the command line,
    or with None if that import has just ended.  It raises to give up.
    """
    number = {"number": IMPORT_LOCK}
    while not session.scalar(text("SELECT pg_try_advisory_xact_lock(:number)"), number):
        told(_holder(session))
        time.sleep(PAUSE)
    # the name of the connection tells others who has the turn, and cannot outlive it
    name = f"import:{by.account_id or OPERATOR}"
    session.execute(text("SELECT set_config('application_name', :name, true)"), {"name": name})


def _holder(session: Session) -> str | None:
    found = session.scalar(
        text(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objid = :number AND l.classid = 0"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        {"number": IMPORT_LOCK},
    )
    return str(found).removeprefix("import:") if found and str(found).startswith("import:") else None


def person_of(holder: str | None) -> uuid.UUID | None:
    """The account that has the turn, if it is a person's."""
    return uuid.UUID(holder) if holder and holder != OPERATOR else None
