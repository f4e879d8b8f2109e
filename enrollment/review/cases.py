"""Cases 申诉/争议: disputes between guardians, appeals, and disability admissions under Article 17."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, false, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, identity, outbox
from enrollment.ground.accounts import Actor, Role, require_oneself
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.vault import Sealed
from enrollment.people import documents, guardians
from enrollment.people.household_rows import Household
from enrollment.people.likeness import name_key
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten

LONGEST_TEXT = 2000
DISPUTE_DAYS = 10


class CaseKind(StrEnum):
    GUARDIANS_DISPUTE = "guardians_dispute"
    APPEAL = "appeal"
    DISABILITY = "disability"
    REGISTER_DISPUTE = "register_dispute"


class CaseOutcome(StrEnum):
    SETTLED = "settled"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


KINDS = tuple(CaseKind)
OUTCOMES = tuple(CaseOutcome)


class Case(Base):
    """An open case has a clock: `due_at`.  A guardians' dispute puts the application on neutral hold."""

    __tablename__ = "case_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    application_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), index=True)
    child_index: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    text: Mapped[str] = mapped_column(Sealed("case_file.text"))
    opened_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    settled_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (CheckConstraint("kind IN ('" + "','".join(KINDS) + "')", name="known_kind"),)


def open_dispute(
    session: Session,
    *,
    child_name: str,
    id_kind: str,
    id_number: str,
    text: str,
    by: Actor,
    now: dt.datetime,
) -> Case:
    """Say that somebody else entered one's child.  The answer is the same whether or not that is so.

    Where number *and* name fit a child with a live application, it is put on neutral hold until an official has
    settled the case, and its guardians are told that there is a question, not whose.
    """
    require_oneself(by)
    guardians.require_guardian(session, by=by)
    found = identity.check(id_kind, id_number, today=today(now))
    if not text.strip():
        raise Refused("text_missing", field="text")
    if len(text) > LONGEST_TEXT:
        raise Refused("text_too_long", field="text", most=LONGEST_TEXT)
    index = found.index
    earlier = session.scalars(
        select(Case).where(
            Case.kind == CaseKind.GUARDIANS_DISPUTE,
            Case.account_id == by.account_id,
            Case.child_index == index,
            Case.settled_at.is_(None),
        )
    ).first()
    if earlier is not None:
        return earlier
    case = Case(
        kind=CaseKind.GUARDIANS_DISPUTE,
        account_id=by.account_id,
        child_index=index,
        text=text.strip(),
        opened_at=now,
        due_at=now + dt.timedelta(days=DISPUTE_DAYS),
    )
    session.add(case)
    session.flush()
    audit.record(session, "open_case", "case_file", case.id, by=by, now=now, kind=case.kind)
    application = _disputed(session, index, child_name)
    if application is not None:
        case.application_id = application.id
        _hold(session, application, case, by=by, now=now)
    return case


def own_cases(session: Session, *, by: Actor) -> list[Case]:
    """The cases that the signed-in person opened, newest first.  They are no business of a helper."""
    if by.on_behalf:
        return []
    mine = select(Case).where(Case.account_id == by.account_id)
    return list(session.scalars(mine.order_by(Case.opened_at.desc())))


@dataclass(frozen=True)
class Filed:
    """A case as an official's list shows it.  `area_code` is None where no application fits: then it is the city's."""

    case: Case
    area_code: str | None
    registration_code: str | None

    def is_late(self, now: dt.datetime) -> bool:
        return self.case.settled_at is None and self.case.due_at < now


def _filed(by: Actor):
    """The cases of an official's areas: that of the kindergarten which reviews the application, before that the home's."""
    area = func.coalesce(Kindergarten.area_code, Household.home_area)
    found = (
        select(Case, area.label("area"), Application.registration_code)
        .outerjoin(Application, Application.id == Case.application_id)
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .outerjoin(Household, Household.application_id == Application.id)
    )
    if by.is_any(Role.CITY_OFFICIAL, Role.AUDITOR):
        return found
    return found.where(area.in_(by.areas)) if by.is_any(Role.AREA_OFFICIAL) else found.where(false())


def listing(session: Session, *, by: Actor, settled: bool = False, limit: int = 200) -> list[Filed]:
    """Open cases, the one that is due first in front; or the settled ones, newest first.  Officials see their areas."""
    found = _filed(by).where(Case.settled_at.is_not(None) if settled else Case.settled_at.is_(None))
    order = Case.settled_at.desc() if settled else Case.due_at
    return [Filed(*row) for row in session.execute(found.order_by(order, Case.id).limit(limit))]


def find(session: Session, case_id: uuid.UUID, *, by: Actor) -> Filed:
    """A case within the official's areas.  NotFound elsewhere."""
    row = session.execute(_filed(by).where(Case.id == case_id)).one_or_none()
    if row is None:
        raise NotFound()
    return Filed(*row)


def settle(session: Session, case_id: uuid.UUID, *, outcome: str, reason: str, by: Actor, now: dt.datetime) -> Case:
    """An official of the application's area, or of the city, ends a case; the hold that it caused ends with it.

    Whoever opened it is told how it ended, and the application's guardians that it goes on; neither hears of the other.
    Settling twice changes nothing.  Refuses `outcome_missing`, `say_why`.
    """
    if not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise NotFound()
    find(session, case_id, by=by)
    if outcome not in OUTCOMES:
        raise Refused("outcome_missing", field="outcome")
    if not reason.strip():
        raise Refused("say_why", field="reason")
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    if case.settled_at is not None:
        return case
    case.settled_at, case.outcome = now, outcome
    session.flush()
    why = reason.strip()[:LONGEST_TEXT]
    audit.record(session, "settle_case", "case_file", case.id, by=by, now=now, reason=why, outcome=outcome)
    outbox.tell(session, f"case_{outcome}", account_id=case.account_id, key=f"case:{case.id}", now=now)
    if case.application_id is not None and not _other_disputes(session, case):
        application = session.get_one(Application, case.application_id, with_for_update=True)
        application.on_hold = False
        notify_guardians(session, "hold_ended", [application.id], now=now, event=f"hold_ended:{case.id}")
    session.flush()
    return case


def _disputed(session: Session, index: bytes, child_name: str) -> Application | None:
    """The live application of the child with this number, if the name fits too."""
    child_id = documents.child_of(session, index)
    child = session.get(Child, child_id) if child_id else None
    if child is None or name_key(child.name) != name_key(child_name):
        return None
    live = select(Application).where(Application.child_id == child.id, Application.stage.not_in(DEAD_STAGES))
    return session.scalars(live.order_by(Application.year.desc()).limit(1).with_for_update()).first()


def _hold(session: Session, application: Application, case: Case, *, by: Actor, now: dt.datetime) -> None:
    application.on_hold = True
    audit.record(session, "hold", "application", application.id, by=by, now=now, case=str(case.id))
    notify_guardians(session, "on_hold", [application.id], now=now, event=f"on_hold:{case.id}")
    session.flush()


def _other_disputes(session: Session, case: Case) -> bool:
    others = select(Case.id).where(
        Case.application_id == case.application_id,
        Case.kind == CaseKind.GUARDIANS_DISPUTE,
        Case.settled_at.is_(None),
        Case.id != case.id,
    )
    return session.scalar(others.limit(1)) is not None
