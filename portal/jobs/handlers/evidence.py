"""Uploaded PDFs are drawn as pictures here, and never in a page process."""

import uuid

from enrollment.eligibility import evidence, evidence_pictures
from enrollment.ground.files import pictures
from portal.jobs.runner import JobRun, job_handler


@job_handler(evidence_pictures.DRAW, queue="quick", timeout=120)
def draw_evidence(job: JobRun) -> dict:
    """Draw the sheets of one PDF.  No transaction is open meanwhile, and the drawing has a process of its own."""
    page_id = uuid.UUID(job.args["page"])
    with job.session() as session:
        content = evidence.content_of(session, page_id)
    if content is None:
        return {"drawn": 0}
    try:
        sheets = pictures.sheets_of(content)
    except pictures.CannotDraw:
        sheets = []
    with job.session() as session:
        evidence_pictures.keep(session, page_id, sheets)
    return {"drawn": len(sheets)}
