"""An approval 批文 that a number rests on: its document number, its date, and, where it was added, its file.

A row of the ledger, a proposal and a count of the roll may name one.  It is only ever added; a wrong one gets a new entry.
"""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, Session, mapped_column, undefer

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.files.uploads import SafePage, sanitise_upload
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.places import scope

PURPOSE = "approval_paper.content"


class ApprovalPaper(Base):
    """`number` is the document number 文号 as it is printed; `content` the encrypted file, if one was added."""

    __tablename__ = "approval_paper"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"), index=True)
    number: Mapped[str]
    dated: Mapped[dt.date]
    media_type: Mapped[str | None]
    original_digest: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, info={"sealed": PURPOSE, "file": True})
    added_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint("number <> ''", name="has_a_number"),
        CheckConstraint(
            "(media_type IS NULL) = (content IS NULL) AND (original_digest IS NULL) = (content IS NULL)",
            name="file_is_whole",
        ),
    )

    @property
    def has_file(self) -> bool:
        return self.media_type is not None


@dataclass(frozen=True)
class Approval:
    """What a person says about an approval, as it was typed."""

    number: str = ""
    dated: dt.date | None = None
    content: bytes | None = None


def keep(
    session: Session, kindergarten_id: uuid.UUID, said: Approval | None, *, by: Actor, now: dt.datetime
) -> ApprovalPaper | None:
    """Store an approval; None if nothing was said.  The caller has checked that the kindergarten is the actor's.

    Refuses `paper_number_missing`, `paper_date_missing`, `paper_of_the_future`, and what `sanitise_upload` refuses.
    """
    if said is None or not (said.number.strip() or said.dated or said.content):
        return None
    if not said.number.strip():
        raise Refused("paper_number_missing", field="paper_number")
    if said.dated is None:
        raise Refused("paper_date_missing", field="paper_date")
    if said.dated > today(now):
        raise Refused("paper_of_the_future", field="paper_date")
    paper = ApprovalPaper(
        id=uuid.uuid4(), kindergarten_id=kindergarten_id, number=said.number.strip(), dated=said.dated,
        added_by=by.account_id, added_at=now,
    )  # fmt: skip
    if said.content:
        safe = sanitise_upload(said.content, field="paper_file")
        paper.media_type, paper.content = safe.media_type, seal_file(safe.content, PURPOSE, paper.id)
        paper.original_digest = hashlib.sha256(said.content).hexdigest()
    session.add(paper)
    session.flush()
    return paper


def file_of(session: Session, paper_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> SafePage:
    """The file of an approval within the actor's scope; the reading is audited.  NotFound where none was added."""
    paper = session.get(ApprovalPaper, paper_id, options=[undefer(ApprovalPaper.content)])
    if paper is None or paper.content is None or paper.media_type is None:
        raise NotFound("approval_paper")
    scope.kindergarten_in_scope(session, paper.kindergarten_id, by=by)
    audit.record(session, "view_approval", "kindergarten", paper.kindergarten_id, by=by, now=now, paper=str(paper.id))
    return SafePage(paper.media_type, unseal_file(paper.content, PURPOSE, paper.id))


def in_words() -> ColumnElement[str]:
    """SQL expression: number and date of an approval, as reports write them."""
    return func.concat(ApprovalPaper.number, "（", func.to_char(ApprovalPaper.dated, "YYYY-MM-DD"), "）")
