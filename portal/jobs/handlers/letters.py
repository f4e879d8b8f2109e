"""Letters are drawn here, and never in a page process: one that a family waits for, and the notices of a whole result."""

import time
import uuid

from sqlalchemy.orm import Session

from enrollment.draw.publication import preparation
from enrollment.ground.errors import Refused
from enrollment.results import admission_notice, letters
from enrollment.results.letters import LetterPage
from portal.jobs import bulk_priority
from portal.jobs.runner import JobRun, job_handler
from portal.letters import pdf_renderer
from portal.letters.notice import notice_page
from portal.letters.pdf_renderer import PdfUnavailable
from portal.text import languages
from portal.web.unit_of_work import services

BATCH = 20
"""Children of a run in one batch, which is kept in one transaction."""

PART = 10.0
"""Seconds after which the job ends and leaves the rest to another one, so that other batches get their turn."""

LANGUAGE = "zh"
"""Notices are drawn ahead in the language of the certificate; one in English is drawn for who asks."""


@job_handler(letters.DRAW, queue="quick", timeout=120)
def draw_letter(job: JobRun) -> dict:
    """Draw one letter that somebody waits for.  One that says something else by now is left to its own job."""
    letter_id = uuid.UUID(job.args["letter"])
    with job.session() as session:
        waiting = letters.waiting_page(session, letter_id)
    if waiting is None:
        return {"drawn": 0}
    html, language = waiting
    content = drawn_or_refused(html, language)
    with job.session() as session:
        kept = letters.keep(session, letter_id, content, now=job.now(session))
    return {"drawn": int(kept)}


@job_handler(letters.FORGET, queue="quick", timeout=30)
def forget_letter(job: JobRun) -> dict:
    """Delete a letter that is kept for minutes."""
    with job.session() as session:
        return {"deleted": int(letters.forget(session, uuid.UUID(job.args["letter"]), now=job.now(session)))}


@job_handler(letters.DRAW_NOTICES, queue="bulk")
def draw_notices(job: JobRun) -> dict:
    """Draw the notices of an open result in batches; the last transaction enqueues the next part.

    A notice that is drawn already stays, so a part can run twice.  No transaction is open while letters are drawn.
    """
    run_id, done = uuid.UUID(job.args["run"]), int(job.args["done"])
    after = uuid.UUID(job.args["after"]) if "after" in job.args else None
    drawn, ends = 0, time.monotonic() + PART
    while True:
        with job.session() as session, languages.speaking(LANGUAGE):
            of = preparation.children(session, run_id)
            wanted, last = _next_notices(session, run_id, after)
        made = []
        for application_id, page in wanted:
            made.append((application_id, page, drawn_or_refused(page.html, LANGUAGE)))
            bulk_priority.rest()
        with job.session() as session:
            for application_id, page, content in made:
                letters.put(session, application_id, page, content, job_id=job.job_id, now=job.now(session))
        drawn, done = drawn + len(made), min(done + BATCH, of)
        job.progress(done, of)
        if last is None:
            return {"drawn": drawn}
        after = last
        if time.monotonic() >= ends:
            break
    with job.final_transaction() as (session, result):
        letters.draw_notices_ahead(session, run_id, now=job.now(session), after=after, done=done)
        result["drawn"] = drawn
    return {"drawn": drawn}


def _next_notices(
    session: Session, run_id: uuid.UUID, after: uuid.UUID | None
) -> tuple[list[tuple[uuid.UUID, LetterPage]], uuid.UUID | None]:
    """The notices of the next children that are not drawn yet, and the last child looked at."""
    config = services().config
    found, last = admission_notice.of_run(session, run_id, after=after, limit=BATCH)
    pages = [(each, notice_page(notice, public_url=config.public_url, demo=config.demo)) for each, notice in found]
    return letters.not_drawn(session, pages), last


def drawn_or_refused(html: str, language: str) -> bytes:
    """Refuses `pdf_unavailable`, which says what the machine lacks."""
    try:
        with languages.speaking(language):
            return pdf_renderer.draw(html)
    except PdfUnavailable as fault:
        raise Refused("pdf_unavailable", missing=fault.how) from fault
