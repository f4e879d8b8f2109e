"""The letters of many families are drawn here into one PDF; a cancelled batch stops after the letter that is being drawn."""

import io
import uuid
from collections.abc import Iterator, Sequence

from pypdf import PdfReader, PdfWriter
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.family_messages import addresses
from enrollment.places.kindergartens import Kindergarten
from enrollment.results import admission_notice, letter_batches, letters
from enrollment.results.letter_batches import BatchKind, LetterBatch
from portal.jobs.handlers.letters import LANGUAGE, drawn_or_refused
from portal.jobs.runner import JobRun, job_handler
from portal.letters.addresses import Sheet, address_sheets
from portal.letters.family_letter import family_letter
from portal.letters.notice import notice_page
from portal.text import languages
from portal.text.words import word
from portal.web.unit_of_work import services

AT_ONCE = 20
"""Letters that are read from the database together; no transaction is open while they are drawn."""

Pages = list[tuple[uuid.UUID, bytes | str | None]]
"""By application its PDF, the HTML of it, or None where the family gets no letter."""


@job_handler(letter_batches.DRAW_BATCH, queue="steady", timeout=1800)
def draw_letter_batch(job: JobRun) -> dict:
    """Draw, put together, keep.  A second run begins anew."""
    batch_id = uuid.UUID(job.args["batch"])
    whole, left_out, done = PdfWriter(), [], 0
    with job.session() as session:
        batch = letter_batches.wanted(session, batch_id)
        if batch is None:
            return {"letters": 0}
        ids, title = [uuid.UUID(each) for each in batch.applications], _title(batch)
    for some in _parts(ids, len(ids) if batch.kind == BatchKind.LABELS else AT_ONCE):
        with job.session() as session, languages.speaking(LANGUAGE):
            batch = letter_batches.wanted(session, batch_id)
            if batch is None:
                return {"letters": 0}
            made = _pages(session, batch, some, job)
        for application_id, page in made:
            if page is None:
                left_out.append(application_id)
            elif page:
                _append(whole, page if isinstance(page, bytes) else drawn_or_refused(page, LANGUAGE))
            done += 1
            job.progress(done, len(ids))
            if not _is_wanted(job, batch_id):
                return {"letters": 0}
    with job.session() as session:
        content = _written(whole, title) if whole.pages else None
        letter_batches.keep(session, batch_id, content, left_out, now=job.now(session))
    return {"letters": len(ids) - len(left_out)}


def _parts(ids: Sequence[uuid.UUID], size: int) -> Iterator[Sequence[uuid.UUID]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _is_wanted(job: JobRun, batch_id: uuid.UUID) -> bool:
    with job.session() as session:
        return letter_batches.wanted(session, batch_id) is not None


def _title(batch: LetterBatch) -> str:
    return word("batch_kind", batch.kind, in_language=LANGUAGE)


def _pages(session: Session, batch: LetterBatch, ids: Sequence[uuid.UUID], job: JobRun) -> Pages:
    here = session.get_one(Kindergarten, batch.kindergarten_id)
    match BatchKind(batch.kind):
        case BatchKind.NOTICES:
            return [(each, _notice(session, each, here)) for each in ids]
        case BatchKind.LETTERS:
            return _letters(session, batch, ids, here, job)
        case BatchKind.LABELS:
            return _labels(session, batch, ids, here)


def _notice(session: Session, application_id: uuid.UUID, here: Kindergarten) -> bytes | str | None:
    """The notice of a place here; one that was drawn for the family is taken as it is."""
    found = admission_notice.of_confirmed(session, application_id)
    if found is None or found.kindergarten.id != here.id:
        return None
    config = services().config
    page = notice_page(found, public_url=config.public_url, demo=config.demo)
    return letters.drawn(session, application_id, page) or page.html


def _letters(session: Session, batch: LetterBatch, ids: Sequence[uuid.UUID], here: Kindergarten, job: JobRun) -> Pages:
    to, english = addresses.by_application(session, ids), addresses.reads_english(session, ids)
    now, demo = job.now(session), services().config.demo
    return [
        (
            each,
            family_letter(
                session.get_one(Application, each), to.get(each), here, batch.texts or {}, in_english=each in english,
                on=now, demo=demo,
            ),
        )
        for each in ids
    ]  # fmt: skip


def _labels(session: Session, batch: LetterBatch, ids: Sequence[uuid.UUID], here: Kindergarten) -> Pages:
    """All labels are one page of HTML, which stands at the first family that has an address."""
    to = addresses.by_application(session, ids)
    sheets = ""
    if to:
        demo = services().config.demo
        sheets = address_sheets(batch.id, list(to.values()), Sheet.LABELS, sender=here.name, demo=demo).html
    first = next(iter(to), None)
    return [(each, sheets if each == first else "" if each in to else None) for each in ids]


def _append(whole: PdfWriter, content: bytes) -> None:
    whole.append(PdfReader(io.BytesIO(content)), import_outline=False)


def _written(whole: PdfWriter, title: str) -> bytes:
    whole.add_metadata({"/Title": title})
    out = io.BytesIO()
    whole.write(out)
    return out.getvalue()
