"""Imports: a job checks an uploaded file, another one writes it after its owner's word; old uploads are deleted."""

import uuid
from collections.abc import Callable
from typing import Any

from enrollment.places.imports import importer, marked_workbook, uploads
from enrollment.places.imports.changes import ChangedSinceCheck, Difference
from enrollment.places.imports.faults import ImportFault, ImportFaults
from enrollment.places.imports.records import Progress
from enrollment.places.imports.uploaded_files import ImportState
from enrollment.places.imports.uploads import ImportCancelled
from portal.jobs.runner import JobRun, job_handler
from portal.text import import_messages


@job_handler("check_import", queue="steady")
def check_import(job: JobRun) -> dict[str, Any]:
    """Read the file and compare it with the city's data; keep the changes or the faults for its owner."""
    file_id = uuid.UUID(job.args["file"])
    with job.session() as session:
        task = uploads.task(session, file_id, ImportState.WAITING)
    if task is None:
        return {"state": "given_up"}
    file, content, owner = task
    try:
        with job.session() as session:
            difference = importer.compare(
                session, file.kind, content, by=owner, now=job.now(session), year=file.year,
                progress=_progress(job, file_id, ImportState.WAITING),
            )  # fmt: skip
            uploads.keep_difference(session, file_id, difference, has_changed="again" in job.args)
        return {"state": ImportState.CHECKED}
    except ImportCancelled:
        return {"state": "given_up"}
    except ImportFaults as faults:
        return _keep_faults(job, file_id, content, faults)


@job_handler("apply_import", queue="steady")
def apply_import(job: JobRun) -> dict[str, Any]:
    """Write a confirmed file in one transaction, when no other import runs and its changes are those confirmed."""
    file_id = uuid.UUID(job.args["file"])
    with job.session() as session:
        task = uploads.task(session, file_id, ImportState.APPLYING)
        expected = uploads.report_of(task[0]).get("digest") if task else None
    if task is None:
        return {"state": "given_up"}
    file, content, owner = task
    chosen = job.args["overwrite"]
    overwrite = None if chosen is None else set(chosen)
    progress = _progress(job, file_id, ImportState.APPLYING)

    def approve(difference: Difference) -> None:
        if difference.digest != expected:
            raise ChangedSinceCheck

    try:
        with job.final_transaction() as (session, result):
            importer.wait_for_turn(session, by=owner, told=_waiting(job, progress))
            difference = importer.import_file(
                session, file.kind, file.name, content, by=owner, now=job.now(session), year=file.year,
                overwrite=overwrite, progress=progress, approve=approve,
            )  # fmt: skip
            uploads.finish(session, file_id, difference, now=job.now(session))
            result |= {"state": ImportState.DONE}
        return result
    except ImportCancelled:
        return {"state": "given_up"}
    except ChangedSinceCheck:
        with job.session() as session:
            uploads.check_again(session, file_id, now=job.now(session))
        return {"state": ImportState.WAITING}
    except ImportFaults as faults:
        return _keep_faults(job, file_id, content, faults)


def _progress(job: JobRun, file_id: uuid.UUID, state: ImportState) -> Progress:
    def report(done: int, of: int, step: str) -> None:
        job.progress(done, of, step)
        with job.session() as session:
            uploads.require_under_way(session, file_id, state)

    return report


def _waiting(job: JobRun, progress: Progress) -> Callable[[str | None], None]:
    """Report who has the turn: the step carries the account's id, never a name."""

    def told(holder: str | None) -> None:
        progress(0, 0, f"waiting:{holder or ''}")

    return told


def _keep_faults(job: JobRun, file_id: uuid.UUID, content: bytes, faults: ImportFaults) -> dict[str, Any]:
    with job.session() as session:
        language = uploads.language_of(session, file_id)

    def words(fault: ImportFault) -> str:
        return import_messages.fault_words(fault, language)

    headings = import_messages.list_headings(language)
    listed = marked_workbook.fault_list(faults, words, headings)
    marked = marked_workbook.marked(content, faults, words, headings[2])
    with job.session() as session:
        uploads.keep_faults(session, file_id, faults, fault_list=listed, marked=marked)
    return {"state": ImportState.FAULTY}


@job_handler("forget_import_files", queue="bulk")
def forget_import_files(job: JobRun) -> dict[str, Any]:
    """Delete uploaded import files that nobody confirmed."""
    with job.session() as session:
        return {"forgotten": uploads.delete_expired(session, now=job.now(session))}
