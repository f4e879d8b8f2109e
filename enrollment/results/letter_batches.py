"""One PDF with the letters of many families, for the desk that prints them: asked for, drawn in the background, kept for a day.

The desk chooses whom as for a message (`family_messages/selection`).  The list is fixed when it is asked for, in the order of
the registration codes, so that letters and labels lie in the same order.  Whether a family still has a notice is decided when
its letter is drawn.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications.application_rows import Application
from enrollment.family_messages import selection
from enrollment.family_messages.selection import Choice
from enrollment.ground import audit, jobs, retention
from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.jobs import Job
from enrollment.ground.retention import DAY, Moment
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.offers.offer_rows import Offer
from enrollment.places import scope
from enrollment.results import letters
from enrollment.results.admission_notice import ADMITTED
from enrollment.results.letters import Letter, LetterState

DRAW_BATCH = "draw_letter_batch"
"""The job that draws the letters of a batch."""

PURPOSE = "letter_batch.content"

MOST = 500
"""Letters in one PDF: what two minutes draw and what a printer takes."""


class BatchKind(StrEnum):
    """Admission notices; a letter with a text of the kindergarten; labels with the addresses."""

    NOTICES = "notices"
    LETTERS = "letters"
    LABELS = "labels"


class LetterBatch(Base):
    """`chosen` holds the codes of the selection, `texts` what a letter says in each language, `applications` the ids in the
    order of the letters, `left_out` those of them that got none.  `content` is the sealed PDF."""

    __tablename__ = "letter_batch"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    kind: Mapped[str]
    chosen: Mapped[dict[str, Any]] = mapped_column(JSONB)
    texts: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    applications: Mapped[list[str]] = mapped_column(JSONB)
    left_out: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    job_id: Mapped[uuid.UUID]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[dt.datetime]
    made_at: Mapped[dt.datetime | None]
    cancelled_at: Mapped[dt.datetime | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": PURPOSE, "bound": True})

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(BatchKind) + "')", name="known_kind"),
        CheckConstraint("(kind = 'letters') = (texts IS NOT NULL)", name="text_of_letters"),
        CheckConstraint("content IS NULL OR (made_at IS NOT NULL AND cancelled_at IS NULL)", name="kept_when_wanted"),
        Index("ix_letter_batch__of_a_desk", "asked_by", "kindergarten_id", "asked_at"),
    )


def ask(
    session: Session, kindergarten_id: uuid.UUID, choice: Choice, kind: BatchKind, *, texts: dict[str, str] | None,
    by: Actor, now: dt.datetime,
) -> LetterBatch:  # fmt: skip
    """Have the letters drawn.  Refuses `nobody_in_selection`, `too_many_letters`, and `letters_being_drawn` while an earlier
    batch of this person is not ready."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    for earlier in of_desk(session, kindergarten_id, by=by, now=now):
        if state(session, earlier).state in (LetterState.WAITING, LetterState.RETRYING):
            raise Refused("letters_being_drawn")
    chosen = _in_order(session, selection.applications(session, kindergarten_id, choice, by=by, now=now), kind)
    if not chosen:
        raise Refused("nobody_in_selection", field="audience")
    if len(chosen) > MOST:
        raise Refused("too_many_letters", field="audience", n=MOST, chosen=len(chosen))
    batch_id = uuid.uuid4()
    job_id = jobs.enqueue(session, DRAW_BATCH, {"batch": str(batch_id)}, key=f"{DRAW_BATCH}:{batch_id}", now=now)
    batch = LetterBatch(
        id=batch_id, kindergarten_id=kindergarten_id, kind=kind, chosen=choice.codes(), texts=texts,
        applications=[str(each) for each in chosen], job_id=job_id, asked_by=by.account_id, asked_at=now,
    )  # fmt: skip
    session.add(batch)
    session.flush()
    audit.record(session, "print_letters", "letter_batch", batch_id, by=by, now=now, what=kind.value, lines=len(chosen))
    return batch


def _in_order(session: Session, ids: Collection[uuid.UUID], kind: BatchKind) -> Sequence[uuid.UUID]:
    """The applications by registration code; for notices only those whose place is confirmed."""
    found = select(Application.id).where(Application.id.in_(ids))
    if kind is BatchKind.NOTICES:
        found = found.where(
            select(Offer.id).where(Offer.application_id == Application.id, Offer.state.in_(ADMITTED)).exists()
        )
    return session.scalars(found.order_by(Application.registration_code, Application.id)).all()


def of_desk(session: Session, kindergarten_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Sequence[LetterBatch]:
    """What this person asked for at this kindergarten within a day and did not cancel, the newest first."""
    found = select(LetterBatch).where(
        LetterBatch.kindergarten_id == kindergarten_id,
        LetterBatch.asked_by == by.account_id,
        LetterBatch.asked_at > now - DAY,
        LetterBatch.cancelled_at.is_(None),
    )
    return session.scalars(found.order_by(LetterBatch.asked_at.desc(), LetterBatch.id)).all()


def find(session: Session, batch_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> LetterBatch:
    """A batch of this person, whose kindergarten is still in its scope.  NotFound for another one and after a day."""
    batch = session.get(LetterBatch, batch_id)
    if (
        batch is None
        or batch.asked_by != by.account_id
        or batch.cancelled_at is not None
        or batch.asked_at <= now - DAY
    ):
        raise NotFound("letter_batch")
    scope.kindergarten_in_scope(session, batch.kindergarten_id, by=by)
    return batch


def state(session: Session, batch: LetterBatch) -> Letter:
    """How far a batch is.  The PDF itself is `read`."""
    if batch.made_at is not None:
        return Letter(None, LetterState.DRAWN)
    count = len(batch.applications) if batch.kind != BatchKind.LABELS else 1
    return letters.being_made(session.get(Job, batch.job_id), seconds=max(2, round(letters.SECONDS_EACH * count)))


def read(session: Session, batch_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bytes:
    """The PDF; each time it is given is on record.  Raises NotFound before it is drawn."""
    batch = find(session, batch_id, by=by, now=now)
    session.refresh(batch, ["content"])
    if batch.content is None:
        raise NotFound("letter_batch")
    audit.record(
        session, "print_letters", "letter_batch", batch_id, by=by, now=now, what=batch.kind, lines=_drawn(batch)
    )
    return unseal_file(batch.content, PURPOSE, batch.id)


def _drawn(batch: LetterBatch) -> int:
    return len(batch.applications) - len(batch.left_out or ())


def without_a_letter(session: Session, batch: LetterBatch) -> list[tuple[uuid.UUID, str]]:
    """The applications of a batch that got no letter, with their registration codes."""
    ids = [uuid.UUID(each) for each in batch.left_out or ()]
    found = select(Application.id, Application.registration_code).where(Application.id.in_(ids))
    return [
        (row.id, row.registration_code or "") for row in session.execute(found.order_by(Application.registration_code))
    ]


def cancel(session: Session, batch_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> LetterBatch:
    """Stop the drawing, or delete what was drawn."""
    batch = find(session, batch_id, by=by, now=now)
    session.refresh(batch, with_for_update=True)
    if batch.cancelled_at is None:
        batch.cancelled_at, batch.content = now, None
        session.flush()
    return batch


def wanted(session: Session, batch_id: uuid.UUID) -> LetterBatch | None:
    """The batch if it is still to be drawn."""
    batch = session.get(LetterBatch, batch_id, populate_existing=True)
    return batch if batch is not None and batch.made_at is None and batch.cancelled_at is None else None


def keep(
    session: Session, batch_id: uuid.UUID, content: bytes | None, left_out: Collection[uuid.UUID], *, now: dt.datetime
) -> None:
    """Store the PDF (None where no letter is left in it), unless it is not wanted any more."""
    batch = session.get(LetterBatch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None or batch.made_at is not None or batch.cancelled_at is not None:
        return
    batch.content = seal_file(content, PURPOSE, batch_id) if content is not None else None
    batch.left_out, batch.made_at = [str(each) for each in left_out], now


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Batches older than a day."""
    return retention.delete_rows(session, LetterBatch, LetterBatch.asked_at < moment.now - DAY, limit=limit)
