"""The tables of correction requests 更正申请, of their history and of their papers.

The functions are in `enrollment.corrections`, a layer above the draw.  The tables are here because a freeze counts the
corrections of each kind that a new list contains, for the public.
"""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import KeyedCode
from enrollment.ground.sealed.values import Sealed


class CorrectionKind(StrEnum):
    """What is to be corrected.  `OTHER_IDENTITY` is the name or document of a guardian; `MOVE` is a new home."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    DOCUMENT = "document"
    SEX = "sex"
    OTHER_IDENTITY = "other_identity"
    MOVE = "move"
    FACTS = "facts"
    DUPLICATE = "duplicate"
    COURT_PAPER = "court_paper"


class CorrectionState(StrEnum):
    """`SIGNED`: one of two required people has agreed."""

    OPEN = "open"
    SIGNED = "signed"
    APPLIED = "applied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


KINDS = tuple(CorrectionKind)
STATES = tuple(CorrectionState)

CHILD_IDENTITY = (CorrectionKind.NAME, CorrectionKind.BIRTH_DATE, CorrectionKind.DOCUMENT, CorrectionKind.SEX)
"""Corrections of the child's identity, which is shown on a notice, by its QR code and on the roll."""

IDENTITY = (*CHILD_IDENTITY, CorrectionKind.OTHER_IDENTITY)

WITH_A_FACT = (CorrectionKind.FACTS, CorrectionKind.COURT_PAPER)

CHANGES_THE_MARKET = (
    CorrectionKind.BIRTH_DATE,
    CorrectionKind.FACTS,
    CorrectionKind.DUPLICATE,
    CorrectionKind.COURT_PAPER,
)
"""Corrections that may change a tier or who takes part, so that a frozen list must be frozen again.

A `MOVE` does so only if the family had moved by the deadline (`home_moves.COUNTS`).
"""

UNDECIDED = (CorrectionState.OPEN, CorrectionState.SIGNED)


class CorrectionRequest(Base):
    """`before` and `after` are JSON objects with the same keys: columns of the child, guardian or household, or a fact's code.

    `kindergarten_id` and `area_code` name the office that decides; if both are None, the city decides, until `due_at`.  A
    request that is undecided then goes to the next office at `escalated_at`, once.
    """

    __tablename__ = "correction_request"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    kind: Mapped[str]
    fact: Mapped[str | None] = mapped_column(KeyedCode)
    state: Mapped[str] = mapped_column(default=CorrectionState.OPEN)
    version: Mapped[int] = mapped_column(default=1)
    before: Mapped[str] = mapped_column(Sealed("correction_request.before"))
    after: Mapped[str] = mapped_column(Sealed("correction_request.after"))
    statement: Mapped[str] = mapped_column(Sealed("correction_request.statement"))
    answer: Mapped[str | None] = mapped_column(Sealed("correction_request.answer"))
    guardian_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("guardian.id"), index=True)
    duplicate_of: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    kindergarten_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    requested_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    escalated_at: Mapped[dt.datetime | None]
    decided_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),
        CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),
        CheckConstraint("(state IN ('open','signed')) = (decided_at IS NULL)", name="decided_has_a_time"),
        CheckConstraint("(kind = 'duplicate') = (duplicate_of IS NOT NULL)", name="duplicate_of_another"),
        Index(
            "uq_correction_request__one_open",
            "application_id",
            "kind",
            "fact",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("state IN ('open','signed')"),
        ),
        Index("ix_correction_request__due", "due_at", postgresql_where=text("state IN ('open','signed')")),
    )


OPEN_CORRECTIONS = Read(
    CorrectionRequest,
    CorrectionRequest.application_id,
    where=(CorrectionRequest.state.in_(UNDECIDED),),
    unread=(
        CorrectionRequest.before,
        CorrectionRequest.after,
        CorrectionRequest.statement,
        CorrectionRequest.answer,
    ),
)
"""The undecided requests of an application."""


class CorrectionMove(Base):
    """The history of a request: one row for each move, in order of `number`.  In the first, `before` is None."""

    __tablename__ = "correction_move"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    request_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("correction_request.id"), index=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    move: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]


class CorrectionPage(Base):
    """A page of a paper that proves the correction.  `content` is the encrypted file."""

    __tablename__ = "correction_page"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("correction_request.id"))
    media_type: Mapped[str]
    size: Mapped[int]
    original_digest: Mapped[str]
    content: Mapped[bytes] = mapped_column(
        LargeBinary, deferred=True, info={"sealed": "correction_page.content", "file": True}
    )
    uploaded_at: Mapped[dt.datetime]

    __table_args__ = (UniqueConstraint("request_id", "original_digest"),)
