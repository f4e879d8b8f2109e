"""The verification of the whole audit trail that an official asked for."""

from dataclasses import replace

from sqlalchemy.orm import Session

from enrollment.ground.audit_chain import copies, requested_checks, verification
from enrollment.ground.audit_chain.heads import Head
from enrollment.ground.audit_chain.verification import Finding, FindingKind
from portal.jobs.queue_entries import LONGEST
from portal.jobs.runner import JobRun, job_handler
from portal.web.unit_of_work import services


@job_handler(requested_checks.KIND, queue="bulk", timeout=LONGEST)
def verify_trail(job: JobRun) -> None:
    """Read the trail in a transaction of its own, then keep the verdict with the end of the job, so that there is one verdict."""
    config = services().config
    copy, faults = _copy()
    with Session(services().engine) as session:
        verification.read_one_moment(session)
        result = verification.verify(session, copy, demo=config.demo, progress=job.progress)
    result = replace(result, findings=[*result.findings, *faults])
    with job.final_transaction() as (session, numbers):
        numbers |= requested_checks.keep_verdict(
            session, job.job_id, result, asked_by=job.args["by"], now=job.now(session)
        )


def _copy() -> tuple[Head | None, list[Finding]]:
    """The copy of the head outside the database, where this machine has it; one that is no head is a finding."""
    file = services().config.audit_head_file
    if file is None or not file.exists():
        return None, []
    try:
        return copies.read_copy(file), []
    except (OSError, ValueError):
        return None, [Finding(FindingKind.COPY, file.name)]
