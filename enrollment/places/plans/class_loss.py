"""A kindergarten loses a class after its places were offered: a guided case that keeps every placed child.

The kindergarten reports it and says how the children will be housed; the area signs.  Then the level has fewer classes, and
the children above them keep their places as an exception with two names, a number and a last day.  Nobody new gets one of
these places: when a family gives its place up, it is not filled again until the children fit the classes.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import class_plan, ledger, scope
from enrollment.places.approvals import papers
from enrollment.places.approvals.papers import Approval, ApprovalPaper
from enrollment.places.areas import CLASS_NORM
from enrollment.places.class_plan import LevelPlan
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger import add_entry
from enrollment.places.programmes import Programme

MOST_ABOVE_NORM_PERCENT = 125


class LossState(StrEnum):
    OPEN = "open"
    SIGNED = "signed"
    REFUSED = "refused"


class Solution(StrEnum):
    """How the children of a lost class are housed."""

    ANOTHER_ROOM = "another_room"
    ABOVE_NORM = "above_norm"
    OTHER_LEVEL = "other_level"
    OTHER_KINDERGARTEN = "other_kindergarten"


class ClassLoss(Base):
    """`kept` children keep their places above the classes until `until_day`; both are fixed when the area signs."""

    __tablename__ = "class_loss"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), index=True)
    classes: Mapped[int]
    from_day: Mapped[dt.date]
    reason: Mapped[str]
    solution: Mapped[str]
    paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("approval_paper.id"))
    state: Mapped[str] = mapped_column(default=LossState.OPEN)
    kept: Mapped[int | None]
    until_day: Mapped[dt.date | None]
    remark: Mapped[str | None]
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]

    programme: Mapped[Programme] = relationship(lazy="joined")
    paper: Mapped[ApprovalPaper | None] = relationship(lazy="selectin")

    __table_args__ = (
        CheckConstraint("classes > 0", name="some_classes"),
        CheckConstraint("state IN ('" + "','".join(LossState) + "')", name="known_state"),
        CheckConstraint("solution IN ('" + "','".join(Solution) + "')", name="known_solution"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_at_a_time"),
        CheckConstraint("state <> 'signed' OR (kept IS NOT NULL AND until_day IS NOT NULL)", name="has_an_end"),
        CheckConstraint("(decided_by <> made_by) IS NOT FALSE", name="second_person"),
        Index("uq_class_loss__one_open", "programme_id", unique=True, postgresql_where=text("state = 'open'")),
    )


@dataclass(frozen=True)
class Consequences:
    """What a loss means: `places` afterwards, `kept` children above them, `each` children in each class that remains.

    `each` is None where no class remains."""

    classes: int
    places: int
    taken: int
    kept: int
    each: int | None
    norm: int
    cap: int


def consequences(programme: Programme, classes: int) -> Consequences:
    """Refuses `class_loss_too_many`."""
    if not 1 <= classes <= programme.planned_classes:
        raise Refused("class_loss_too_many", field="classes", classes=programme.planned_classes)
    after, norm = _plan_after(programme, classes), CLASS_NORM[programme.level]
    children = programme.continuing + programme.taken
    return Consequences(
        classes=after.classes,
        places=after.places,
        taken=programme.taken,
        kept=max(programme.taken - after.places, 0),
        each=-(-children // after.classes) if after.classes else None,
        norm=norm,
        cap=norm * MOST_ABOVE_NORM_PERCENT // 100,
    )


def report(
    session: Session,
    kindergarten_id: uuid.UUID,
    level: str,
    year: int,
    *,
    classes: int,
    from_day: dt.date,
    reason: str,
    solution: str,
    approval: Approval | None = None,
    by: Actor,
    now: dt.datetime,
) -> ClassLoss:
    """The kindergarten reports a lost class, and the `approval` that it rests on.  Nothing changes for a family.

    Refuses `class_loss_open`, `class_loss_too_many`, `class_loss_above_cap`, `reason_missing`, and what `papers.keep` refuses.
    """
    programme = ledger.lock_programme(session, _programme_id(session, kindergarten_id, level, year), by=by)
    _check_solution(programme, classes, Solution(solution))
    if session.scalar(_open_query(programme.id)) is not None:
        raise Refused("class_loss_open")
    loss = ClassLoss(
        programme_id=programme.id, classes=classes, from_day=from_day, reason=ledger.require_reason(reason),
        solution=Solution(solution), made_by=by.account_id, made_at=now,
        paper=papers.keep(session, programme.kindergarten_id, approval, by=by, now=now),
    )  # fmt: skip
    session.add(loss)
    session.flush()
    audit.record(session, "report_class_loss", "programme", programme.id, by=by, now=now, classes=classes)
    return loss


def sign(session: Session, loss_id: uuid.UUID, *, until_day: dt.date | None, by: Actor, now: dt.datetime) -> ClassLoss:
    """The area signs: fewer classes from now on, and every child that has a place keeps it until `until_day`.

    A plan of this level that still waits for approval was made for the classes before, and ends.

    Refuses `second_person_needed`, `class_loss_decided`, `class_loss_until`, what is impossible by now, and `first_person_left`:
    then the report is sent back, and the kindergarten makes it anew.
    """
    loss = _lock_open(session, loss_id, by=by)
    kindergarten = session.get_one(Kindergarten, loss.programme.kindergarten_id)
    signatures.require_first_person(session, loss.made_by, scope.office_of(kindergarten))
    programme = ledger.lock_programme(session, loss.programme_id, by=by)
    last = dt.date(programme.year + 1, 8, 31)
    if until_day is None or not loss.from_day < until_day <= last:
        raise Refused("class_loss_until", field="until_day", last=last.isoformat())
    _check_solution(programme, loss.classes, Solution(loss.solution))
    after = _plan_after(programme, loss.classes)
    kept = max(programme.taken - after.places, 0)
    changed = {number: getattr(after, number) for number in class_plan.NUMBERS}
    changed |= {"places": after.places, "overhang": max(programme.overhang, kept)}
    for field, value in changed.items():
        before = getattr(programme, field)
        if before != value:
            add_entry(
                session, programme, field, before, value,
                account_id=loss.made_by, now=now, reason=loss.reason, paper_id=loss.paper_id,
            )  # fmt: skip
            setattr(programme, field, value)
    programme.version += 1
    ledger.set_aside(session, programme, by=by, now=now, remark=ledger.REASON_CLASS_LOSS)
    loss.state, loss.kept, loss.until_day, loss.decided_by, loss.decided_at = (
        LossState.SIGNED, kept, until_day, by.account_id, now,
    )  # fmt: skip
    session.flush()
    audit.record(session, "sign_class_loss", "programme", programme.id, by=by, now=now, kept=kept)
    return loss


def send_back(session: Session, loss_id: uuid.UUID, *, remark: str, by: Actor, now: dt.datetime) -> ClassLoss:
    """The area sends the report back with a remark; the class counts as before."""
    loss = _lock_open(session, loss_id, by=by)
    loss.remark = ledger.require_reason(remark, field="remark")
    loss.state, loss.decided_by, loss.decided_at = LossState.REFUSED, by.account_id, now
    session.flush()
    audit.record(session, "send_back_class_loss", "programme", loss.programme_id, by=by, now=now)
    return loss


def losses(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor) -> list[ClassLoss]:
    """The cases of a kindergarten's year, newest first."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    found = (
        select(ClassLoss)
        .join(Programme, Programme.id == ClassLoss.programme_id)
        .where(Programme.kindergarten_id == kindergarten.id, Programme.year == year)
        .order_by(ClassLoss.made_at.desc())
    )
    return list(session.scalars(found))


def open_losses(session: Session, year: int, *, by: Actor, area: str | None = None) -> list[ClassLoss]:
    """The cases that wait for a signature within the actor's scope, oldest first."""
    found = (
        select(ClassLoss)
        .join(Programme, Programme.id == ClassLoss.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == year, ClassLoss.state == LossState.OPEN, scope.scope_condition(by))
        .order_by(ClassLoss.made_at)
    )
    return list(session.scalars(found.where(Kindergarten.area_code == area) if area else found))


def in_scope(session: Session, loss_id: uuid.UUID, *, by: Actor) -> ClassLoss:
    """A case within the actor's scope."""
    loss = session.get(ClassLoss, loss_id)
    if loss is None:
        raise NotFound
    scope.kindergarten_in_scope(session, loss.programme.kindergarten_id, by=by)
    return loss


def _programme_id(session: Session, kindergarten_id: uuid.UUID, level: str, year: int) -> uuid.UUID:
    found = session.scalar(
        select(Programme.id).where(
            Programme.kindergarten_id == kindergarten_id, Programme.level == level, Programme.year == year
        )
    )
    if found is None:
        raise NotFound
    return found


def _open_query(programme_id: uuid.UUID):
    return select(ClassLoss.id).where(ClassLoss.programme_id == programme_id, ClassLoss.state == LossState.OPEN)


def _plan_after(programme: Programme, classes: int) -> LevelPlan:
    """Fewer classes; continuing children stay, and what was withheld shrinks before a child's place does."""
    planned = programme.planned_classes - classes
    staffed = min(programme.staffed_classes, planned)
    room = max(min(planned, staffed) * programme.class_norm - programme.continuing, 0)
    withheld = min(programme.withheld, max(room - programme.taken, 0))
    return LevelPlan(planned, staffed, programme.class_norm, programme.continuing, withheld)


def _check_solution(programme: Programme, classes: int, solution: Solution) -> None:
    after = consequences(programme, classes)
    if solution == Solution.ABOVE_NORM and (after.each is None or after.each > after.cap):
        raise Refused(
            "class_loss_above_cap", field="solution", classes=after.classes, each=after.each or 0, cap=after.cap
        )


def _lock_open(session: Session, loss_id: uuid.UUID, *, by: Actor) -> ClassLoss:
    loss = session.scalars(select(ClassLoss).where(ClassLoss.id == loss_id).with_for_update(of=ClassLoss)).one_or_none()
    if loss is None:
        raise NotFound
    kindergarten = scope.kindergarten_in_scope(session, loss.programme.kindergarten_id, by=by, lock=True)
    if not scope.may_decide(by, kindergarten):
        raise NotFound
    if loss.state != LossState.OPEN:
        raise Refused("class_loss_decided")
    if loss.made_by is not None and loss.made_by == by.account_id:
        raise Refused("second_person_needed")
    return loss
