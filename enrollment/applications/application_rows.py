"""The tables of applications 入园申请, of their versions and of their wishes."""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import KeyedJson
from enrollment.ground.sealed.values import Sealed
from enrollment.people.person_rows import FOLLOW_THE_GUARDIAN, Child
from enrollment.places.areas import LEVELS
from enrollment.places.programmes import Programme


class Stage(StrEnum):
    """The stage of an application.  The moves between stages and named sets of stages are in `lifecycle`."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STAGES = tuple(Stage)


class RegisterState(StrEnum):
    """What the registers say about the claims as they were last handed in; it groups a queue.  None: no answer yet.

    A queue reads it for thousands of rows.  Whatever is decided reads the answers themselves.
    """

    DIFFERS = "differs"
    SILENT = "silent"
    AGREES = "agrees"


class Application(Base):
    """An application.  Its stage is a decision and changes only through `lifecycle.make`; computable facts are not stored.

    `registration_code` 登记编号 is random, is given at the first submission, and is shown in lists.  `family_code` and
    `child_code` are the pseudonyms used in the draw; children of one household share the family code.
    `unit` is shared by children who are bound 捆绑; `elder_id` is an older sibling's application in the same season.
    `entered_by` is the account that entered it: of a guardian, or of a helper for the guardian `entered_for`.
    `reviewer_id` is the clerk who has it in review, until `lease_until`; afterwards a colleague may take it.  `opened_at`: the
    first clerk took it.  `returned_at`: it was last sent back to the family.  `decided_at`: it was last confirmed or refused.
    `grounds` repeats its claims as bits from when it is handed in; triggers keep it (migration 0144).

    Each index answers a question.  By `id`, `child_code` and `registration_code`: which application is it?  `child_id`: the
    applications of a family's children (each page of a family).  `one_live`: may this child have another one?  `family_code`:
    the brothers and sisters of the year, which are locked together.  `in_queue`: what waits in a kindergarten's review; it holds
    everything by which a queue is grouped, counted and limited, so that a page of the queue reads only the applications that it
    shows.  No column of it changes with the saves of a draft.  `review`: the load of each kindergarten of an area.
    `stage`: which applications of the year have a stage (reminders, freeze, notices).  `returned`: how late may a returned one of the
    year still be answered (reminders, the freeze)?  `entered_by`: whose are they when an
    account is closed, and what did a helper enter?  The other three are of few rows and index these alone: `entered_for`
    (families whom a helper helped), `unit` (bound children), `elder_id` (whom does a younger child follow?).
    """

    __tablename__ = "application"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), index=True)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    entered_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    entered_for: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    level: Mapped[str]
    stage: Mapped[str] = mapped_column(default=Stage.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    registration_code: Mapped[str | None] = mapped_column(unique=True)
    child_code: Mapped[str] = mapped_column(unique=True)
    family_code: Mapped[str] = mapped_column(index=True)
    unit: Mapped[uuid.UUID | None]
    elder_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"))
    agrees_to_central: Mapped[bool] = mapped_column(default=False)
    on_hold: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    reviewer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    taken_at: Mapped[dt.datetime | None]
    lease_until: Mapped[dt.datetime | None]
    opened_at: Mapped[dt.datetime | None]
    returned_at: Mapped[dt.datetime | None]
    register_state: Mapped[str | None]
    review_kindergarten_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    decided_at: Mapped[dt.datetime | None] = mapped_column(deferred=True)
    grounds: Mapped[int | None] = mapped_column(deferred=True)

    child: Mapped[Child] = relationship()
    wishes: Mapped[list["Wish"]] = relationship(back_populates="application", order_by="Wish.rank")

    __table_args__ = (
        CheckConstraint("stage IN ('" + "','".join(STAGES) + "')", name="known_stage"),
        CheckConstraint("level IN ('" + "','".join(LEVELS) + "')", name="known_level"),
        CheckConstraint(
            "stage = 'draft' OR stage = 'withdrawn' OR registration_code IS NOT NULL", name="submitted_has_a_code"
        ),
        CheckConstraint("(stage = 'in_review') = (reviewer_id IS NOT NULL)", name="reviewed_by_one_clerk"),
        CheckConstraint("lease_until IS NULL OR reviewer_id IS NOT NULL", name="lease_of_a_clerk"),
        CheckConstraint("register_state IN ('" + "','".join(RegisterState) + "')", name="known_register_state"),
        Index(
            "uq_application__one_live",
            "child_id",
            "year",
            unique=True,
            postgresql_where=text("stage NOT IN ('refused','withdrawn')"),
        ),
        Index("ix_application__helped", "entered_for", postgresql_where=text("entered_for IS NOT NULL")),
        Index("ix_application__bound", "unit", postgresql_where=text("unit IS NOT NULL")),
        Index("ix_application__elder_id", "elder_id", postgresql_where=text("elder_id IS NOT NULL")),
        Index("ix_application__review", "review_kindergarten_id", "stage", "submitted_at", postgresql_include=["year"]),
        Index(
            "ix_application__in_queue",
            "review_kindergarten_id",
            "year",
            "stage",
            "submitted_at",
            postgresql_include=[
                "id",
                "level",
                "register_state",
                "on_hold",
                "opened_at",
                "returned_at",
                "decided_at",
                "reviewer_id",
                "grounds",
            ],
            postgresql_where=text("stage NOT IN ('draft','withdrawn')"),
        ),
        Index("ix_application__stage", "year", "stage"),
        Index("ix_application__returned", "year", "returned_at", postgresql_where=text("stage = 'returned'")),
    )


FOLLOW_THE_GUARDIAN.append((Application.entered_by, Application.entered_for))


def guardians_account() -> ColumnElement[uuid.UUID]:
    """SQL expression: the account of the guardian for whom the application of the enclosing query was entered."""
    return func.coalesce(Application.entered_for, Application.entered_by)


class VersionWay(StrEnum):
    """Who wrote a version: the family, a helper for it, or the decision of a correction."""

    FAMILY = "family"
    HELPER = "helper"
    CORRECTION = "correction"


class ApplicationVersion(Base):
    """The answers at one submission.  `answers` is encrypted JSON; its digest is printed on the receipt.

    `way` is how it was written then; the roles of `submitted_by` may be others today.
    """

    __tablename__ = "application_version"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    answers: Mapped[str] = mapped_column(Sealed("application_version.answers"))
    digest: Mapped[str]
    changed: Mapped[list[Any]] = mapped_column(KeyedJson, default=list)
    submitted_at: Mapped[dt.datetime]
    submitted_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    way: Mapped[str] = mapped_column(default=VersionWay.FAMILY, server_default=VersionWay.FAMILY)

    __table_args__ = (CheckConstraint("way IN ('" + "','".join(VersionWay) + "')", name="known_way"),)


class Wish(Base):
    """A wish 志愿 belongs to an application and a round.  Rank 1 is the most wanted."""

    __tablename__ = "wish"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), index=True)

    application: Mapped[Application] = relationship(back_populates="wishes")
    programme: Mapped[Programme] = relationship(lazy="joined")

    __table_args__ = (
        UniqueConstraint("application_id", "round_id", "programme_id"),
        CheckConstraint("rank BETWEEN 1 AND 20", name="sane_rank"),
    )


APPLICATION = Read(Application, Application.id)

APPLICATIONS = Read(Application, Application.child_id)
"""The applications of a child, of every year."""

BOUND = Read(Application, Application.unit)
"""The applications of a unit."""

WISHES = Read(Wish, Wish.application_id)
"""The wishes of an application, of every round."""

VERSIONS = Read(ApplicationVersion, ApplicationVersion.application_id, unread=(ApplicationVersion.answers,))
"""The versions of an application without their answers."""

FAMILY = Read(Application, Application.family_code)
"""The applications of a family's children, of every year, also of those whom only another guardian cares for."""

_newer = aliased(ApplicationVersion)

LAST_VERSION = Read(
    ApplicationVersion,
    ApplicationVersion.application_id,
    (
        ~select(_newer.number)
        .where(_newer.application_id == ApplicationVersion.application_id, _newer.number > ApplicationVersion.number)
        .exists(),
    ),
)
"""The version of an application that was handed in last, with its answers."""
