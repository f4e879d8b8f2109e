"""The rows of a case 申诉/争议 and of the request about guardians that it can hold, and their kinds and outcomes."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.phones import SealedPhone
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import TOKEN, KeyedCode, listed
from enrollment.ground.sealed.values import Sealed, SealedDate
from enrollment.people.person_rows import FOLLOW_THE_GUARDIAN

PAPER_PURPOSE = "guardian_request.paper"


class CaseKind(StrEnum):
    GUARDIANS_DISPUTE = "guardians_dispute"
    APPEAL = "appeal"
    DISABILITY = "disability"
    REGISTER_DISPUTE = "register_dispute"
    ADD_GUARDIAN = "add_guardian"
    REMOVE_GUARDIAN = "remove_guardian"
    TRANSFER = "transfer"


class CaseOutcome(StrEnum):
    SETTLED = "settled"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class SupportDecision(StrEnum):
    """The decision of the education authority about a child with a disability (Preschool Education Law, Article 17)."""

    ADMITTED = "admitted"
    ELSEWHERE = "elsewhere"
    NOT_ADMITTED = "not_admitted"


KINDS = tuple(CaseKind)
FAMILY_REQUESTS = (CaseKind.APPEAL, CaseKind.TRANSFER)
"""What a family asks of an official after the draw."""

ANSWERED = (*FAMILY_REQUESTS, CaseKind.REGISTER_DISPUTE)
"""Cases that end with a reason which the family reads, on the page and in a letter."""

ABOUT_THE_CHILD = (*FAMILY_REQUESTS, CaseKind.DISABILITY, CaseKind.REGISTER_DISPUTE)
"""Cases of the whole family: every guardian of the child is told the outcome and reads its reason.  In the others two people
stand against each other, and the outcome is for who opened the case."""

OUTCOMES = tuple(CaseOutcome)


class Case(Base):
    """A case.  An open case has a due date, `due_at`, and one officer, whose name the family is told.

    `answer` is the reason of the outcome as the family reads it.
    A guardians' dispute keeps the application on hold from `held_at` to `hold_ended_at`.  `withdrawal_reason` is written by
    the person who opened the case and took it back.
    The case of a disabled child has an assessment, a plan of support and a `SupportDecision`; all are sealed, so that a copy
    of the database tells nothing.
    """

    __tablename__ = "case_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(KeyedCode)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    child_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    text: Mapped[str] = mapped_column(Sealed("case_file.text"))
    opened_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    officer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    held_at: Mapped[dt.datetime | None]
    hold_ended_at: Mapped[dt.datetime | None]
    settled_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]
    answer: Mapped[str | None] = mapped_column(Sealed("case_file.answer"))
    withdrawal_reason: Mapped[str | None] = mapped_column(Sealed("case_file.withdrawal_reason"))
    assessed_on: Mapped[dt.date | None] = mapped_column(SealedDate("case_file.assessed_on"))
    assessment: Mapped[str | None] = mapped_column(Sealed("case_file.assessment"))
    plan: Mapped[str | None] = mapped_column(Sealed("case_file.plan"))
    decision: Mapped[str | None] = mapped_column(Sealed("case_file.decision"))

    __table_args__ = (CheckConstraint(f"kind IN {listed(KINDS)} OR kind ~ '{TOKEN}'", name="known_kind"),)


class GuardianRequest(Base):
    """The request of a case about guardians: to add the holder of `phone`, or to remove `guardian_id`.

    `protected`: the reason is a protection order, so the removed guardian is told nothing about where the child is.
    A removal needs two people: `proposed_by` is the first, the person who settles the case is the second.
    """

    __tablename__ = "guardian_request"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), unique=True)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), index=True)
    guardian_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("guardian.id"))
    phone: Mapped[str | None] = mapped_column(SealedPhone("guardian_request.phone"))
    protected: Mapped[bool]
    paper: Mapped[bytes] = mapped_column(LargeBinary, info={"sealed": PAPER_PURPOSE, "file": True})
    paper_type: Mapped[str]
    proposed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime | None]

    __table_args__ = (CheckConstraint("(guardian_id IS NULL) <> (phone IS NULL)", name="removes_or_adds"),)


CASES = Read(Case, Case.account_id, unread=(Case.text,))
"""The cases that an account opened."""

FOLLOW_THE_GUARDIAN.append((Case.account_id,))

OPEN_DISPUTES = Read(
    Case,
    Case.application_id,
    (Case.kind == CaseKind.GUARDIANS_DISPUTE, Case.settled_at.is_(None)),
    unread=(Case.text,),
)
"""The open disputes about an application."""

CASES_ABOUT = Read(Case, Case.application_id, (Case.kind.in_(ABOUT_THE_CHILD),), unread=(Case.text,))
"""The cases `ABOUT_THE_CHILD` of an application."""
