"""Applications 入园申请: one for each child and season, with its versions and its wishes."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.families import codes, lifecycle
from enrollment.families.people import Child, Guardian, Guardianship, own_child, require_guardian
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.vault import Sealed
from enrollment.places.areas import LEVELS
from enrollment.places.programmes import Programme
from enrollment.season import ages

STAGES = ("draft", "submitted", "in_review", "returned", "confirmed", "refused", "withdrawn")
DEAD_STAGES = ("refused", "withdrawn")


class Application(Base):
    """The stage is a decision and moves only through `lifecycle.move`; whatever can be computed is not kept.

    `registration_code` 登记编号 is random, given at the first submission, and is what lists show.  `family_code` and
    `child_code` are the pseudonyms that the draw sees; children of one household share the family code.
    `unit` is shared by children who are bound 捆绑; `elder_id` is an older sibling's application in the same season.
    """

    __tablename__ = "application"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), index=True)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    entered_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    level: Mapped[str]
    stage: Mapped[str] = mapped_column(default="draft")
    version: Mapped[int] = mapped_column(default=1)
    registration_code: Mapped[str | None] = mapped_column(unique=True)
    child_code: Mapped[str] = mapped_column(unique=True)
    family_code: Mapped[str] = mapped_column(index=True)
    unit: Mapped[uuid.UUID | None] = mapped_column(index=True)
    elder_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"))
    agrees_to_central: Mapped[bool] = mapped_column(default=True)
    on_hold: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    submitted_at: Mapped[dt.datetime | None]
    reviewer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    taken_at: Mapped[dt.datetime | None]
    review_kindergarten_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))

    child: Mapped[Child] = relationship()
    wishes: Mapped[list["Wish"]] = relationship(back_populates="application", order_by="Wish.rank")

    __table_args__ = (
        CheckConstraint("stage IN ('" + "','".join(STAGES) + "')", name="known_stage"),
        CheckConstraint("level IN ('" + "','".join(LEVELS) + "')", name="known_level"),
        CheckConstraint(
            "stage = 'draft' OR stage = 'withdrawn' OR registration_code IS NOT NULL", name="submitted_has_a_code"
        ),
        CheckConstraint("(stage = 'in_review') = (reviewer_id IS NOT NULL)", name="reviewed_by_one_clerk"),
        Index(
            "uq_application__one_live",
            "child_id",
            "year",
            unique=True,
            postgresql_where=text("stage NOT IN ('refused','withdrawn')"),
        ),
        Index("ix_application__queue", "review_kindergarten_id", "stage", "submitted_at"),
        Index("ix_application__stage", "year", "stage"),
    )


class ApplicationVersion(Base):
    """What was handed in at each submission.  `answers` is sealed JSON; its digest stands on the receipt."""

    __tablename__ = "application_version"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    answers: Mapped[str] = mapped_column(Sealed("application_version.answers"))
    digest: Mapped[str]
    changed: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    submitted_at: Mapped[dt.datetime]
    submitted_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))


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


def start(session: Session, child_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime) -> Application:
    """The child's application of a year: a fresh draft, the one that is there, or the withdrawn one taken up again.

    A child has one row for each season, so that applying ten times keeps the registration code and the ticket.
    Refuses `no_level_for_age`, `application_was_refused` and, when the year has no registration left, its reason.
    """
    child = own_child(session, child_id, by=by)
    guardian = require_guardian(session, by=by)
    level = level_of(child.born, year)
    earlier = session.scalars(_of_child(child_id, year).with_for_update()).first()
    if earlier is not None:
        return _taken_up(session, earlier, level, by=by, now=now)
    written = insert(Application).values(
        id=uuid.uuid4(),
        child_id=child_id,
        year=year,
        entered_by=by.account_id,
        level=level,
        stage=lifecycle.DRAFT,
        version=1,
        child_code=codes.pseudonym(),
        family_code=_family_code(session, guardian.id, year),
        agrees_to_central=True,
        on_hold=False,
        created_at=now,
        changed_at=now,
    )
    fresh = written.on_conflict_do_nothing(
        index_elements=["child_id", "year"], index_where=text("stage NOT IN ('refused','withdrawn')")
    ).returning(Application.id)
    application_id = session.scalar(fresh)
    if application_id is None:  # the other guardian was a moment faster: it is the same application
        return session.scalars(_of_child(child_id, year)).one()
    audit.record(session, "start", "application", application_id, by=by, now=now)
    session.flush()
    return session.get_one(Application, application_id)


def level_of(born: dt.date, year: int) -> str:
    """The class level that a birth date fits.  Refuses `no_level_for_age`."""
    level = ages.level_for(born, year)
    if level is None:
        raise Refused("no_level_for_age", field="id_number", born=born, year=year)
    return level


def own(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """An application of a child in the signed-in guardian's care.  Raises NotFound for anybody else's."""
    return _one(session, select(Application).where(Application.id == application_id), by)


def locked(session: Session, application_id: uuid.UUID, *, by: Actor, version: int | None = None) -> Application:
    """The same, with its row locked until the end of the transaction.  Raises Stale when `version` is an older one."""
    row = select(Application).where(Application.id == application_id).with_for_update(of=Application)
    application = _one(session, row.execution_options(populate_existing=True), by)
    if version is not None and version != application.version:
        raise Stale()
    return application


def list_own(session: Session, *, by: Actor, year: int | None = None) -> list[Application]:
    """The applications of the signed-in guardian's children, newest year first."""
    mine = select(Application).join(Child).where(Application.child_id.in_(_in_care(by)))
    if year is not None:
        mine = mine.where(Application.year == year)
    return list(session.scalars(mine.order_by(Application.year.desc(), Child.created_at)))


def of_family(session: Session, application: Application) -> list[Application]:
    """The applications that share its family code, itself included, oldest child first."""
    same = select(Application).join(Child)
    same = same.where(Application.family_code == application.family_code, Application.year == application.year)
    return list(session.scalars(same.order_by(Child.born, Application.created_at)))


def _one(session: Session, query, by: Actor) -> Application:
    application = session.scalars(query.where(Application.child_id.in_(_in_care(by)))).one_or_none()
    if application is None:
        raise NotFound()
    return application


def _in_care(by: Actor):
    return (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == by.account_id, Guardianship.accepted_at.is_not(None))
    )


def _of_child(child_id: uuid.UUID, year: int):
    return select(Application).where(Application.child_id == child_id, Application.year == year)


def _taken_up(session: Session, earlier: Application, level: str, *, by: Actor, now: dt.datetime) -> Application:
    if earlier.stage == lifecycle.REFUSED:
        raise Refused("application_was_refused")
    if earlier.stage == lifecycle.WITHDRAWN:
        earlier.level = level
        lifecycle.make(session, earlier, "apply_again", by=by, now=now)
    return earlier


def _family_code(session: Session, guardian_id: uuid.UUID, year: int) -> str:
    """The code that the guardian's other children have this year, or a fresh one."""
    siblings = select(Guardianship.child_id).where(
        Guardianship.guardian_id == guardian_id, Guardianship.accepted_at.is_not(None)
    )
    known = select(Application.family_code).where(Application.year == year, Application.child_id.in_(siblings))
    return session.scalar(known.order_by(Application.created_at).limit(1)) or codes.pseudonym()
