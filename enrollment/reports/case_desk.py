"""The desk of cases: every case of an official's areas on one list, whatever rows it has, the most overdue first.

Disputes, appeals, admissions of disabled children and requests are cases of `review`; corrections are requests of their own;
a proven falsehood is the first signature under the revocation of an offer.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.application_rows import Application
from enrollment.corrections import decisions
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.signatures import Signature, waits
from enrollment.offers import revocations
from enrollment.offers.offer_rows import LIVE, Offer
from enrollment.places import scope
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.review import cases
from enrollment.review.case_rows import Case, CaseKind
from enrollment.review.correction_rows import UNDECIDED, CorrectionRequest
from enrollment.season import holidays
from enrollment.season.holidays import WorkingCalendar

FALSEHOOD_DAYS = 5
"""In how many days the second person is expected to sign, or to let the offer stand."""


class OtherKind(StrEnum):
    CORRECTION = "correction"
    FALSEHOOD = "falsehood"


KINDS = (*CaseKind, *OtherKind)
"""What the list can be narrowed to."""


class Clock(StrEnum):
    """`SOON`: at most two working days are left."""

    LATE = "late"
    SOON = "soon"
    TIME = "time"


SOON = 2


@dataclass(frozen=True)
class DeskCase:
    """A line of the desk.  `owner` is an official, or the office that decides; `days` are the working days that are left,
    below 0 those since it was due."""

    kind: str
    id: uuid.UUID
    code: str | None
    area: str | None
    owner: str | None
    owner_id: uuid.UUID | None
    opened_at: dt.datetime
    due_at: dt.datetime
    state: str
    days: int = 0

    @property
    def clock(self) -> Clock:
        return Clock.LATE if self.days < 0 else Clock.SOON if self.days <= SOON else Clock.TIME


@dataclass(frozen=True)
class Desk:
    """One page, counted from 1.  The counts are of the official's whole scope."""

    rows: tuple[DeskCase, ...]
    total: int
    number: int
    last: int
    by_kind: Counter[str]
    by_clock: Counter[Clock]
    owners: tuple[tuple[uuid.UUID, str, int], ...]
    areas: tuple[str, ...]


def listing(
    session: Session,
    *,
    by: Actor,
    now: dt.datetime,
    kind: str | None = None,
    clock: str | None = None,
    area: str | None = None,
    owner: uuid.UUID | None = None,
    page: int = 1,
    per_page: int = 50,
) -> Desk:
    """The open cases, those that are due first in front."""
    days_off = holidays.of_year(session, now.year)
    found = [
        replace(each, days=_days_left(days_off, now, each.due_at))
        for each in (*_cases(session, by), *_corrections(session, by), *_falsehoods(session, by))
    ]
    found.sort(key=lambda each: (each.due_at, each.id))
    wanted = [
        each
        for each in found
        if kind in (None, each.kind)
        and clock in (None, each.clock)
        and area in (None, each.area)
        and owner in (None, each.owner_id)
    ]
    last = max(1, -(-len(wanted) // per_page))
    page = min(max(page, 1), last)
    load = Counter((each.owner_id, each.owner) for each in found if each.owner_id is not None)
    return Desk(
        rows=tuple(wanted[(page - 1) * per_page : page * per_page]),
        total=len(wanted),
        number=page,
        last=last,
        by_kind=Counter(each.kind for each in found),
        by_clock=Counter(each.clock for each in found),
        owners=tuple((who, name or "", n) for (who, name), n in load.most_common() if who is not None),
        areas=tuple(sorted({each.area for each in found if each.area})),
    )


def _days_left(days_off: WorkingCalendar, now: dt.datetime, due: dt.datetime) -> int:
    """The working days between now and the due time; today is not counted."""
    if due < now:
        return -max(1, days_off.working_days(due, now) - 1)
    return max(0, days_off.working_days(now, due) - (not days_off.is_rest(now.date())))


def _cases(session: Session, by: Actor) -> Iterator[DeskCase]:
    found = (
        cases.filed(by)
        .add_columns(Account.name)
        .outerjoin(Account, Account.id == Case.officer_id)
        .where(Case.settled_at.is_(None))
    )
    for case, area, code, owner in session.execute(found):
        state = "held" if cases.is_holding(case) else "open"
        yield DeskCase(case.kind, case.id, code, area, owner, case.officer_id, case.opened_at, case.due_at, state)


def _corrections(session: Session, by: Actor) -> Iterator[DeskCase]:
    found = (
        select(
            CorrectionRequest.id, CorrectionRequest.state, CorrectionRequest.requested_at, CorrectionRequest.due_at,
            Application.registration_code, Kindergarten.name.label("garden"), Area.name.label("office"),
            func.coalesce(CorrectionRequest.area_code, Kindergarten.area_code).label("area"),
        )
        .join(Application, Application.id == CorrectionRequest.application_id)
        .outerjoin(Kindergarten, Kindergarten.id == CorrectionRequest.kindergarten_id)
        .outerjoin(Area, Area.code == CorrectionRequest.area_code)
        .where(decisions.scope_condition(by), CorrectionRequest.state.in_(UNDECIDED))
    )  # fmt: skip
    for row in session.execute(found):
        yield DeskCase(
            OtherKind.CORRECTION, row.id, row.registration_code, row.area, row.garden or row.office, None,
            row.requested_at, row.due_at, row.state,
        )  # fmt: skip


def _falsehoods(session: Session, by: Actor) -> Iterator[DeskCase]:
    signer = aliased(Account)
    found = (
        select(
            Offer.id, Application.registration_code, Kindergarten.area_code, signer.id, signer.name, Signature.signed_at
        )
        .join(Signature, (Signature.subject == revocations.SUBJECT) & (Signature.subject_id == Offer.id))
        .join(signer, signer.id == Signature.account_id)
        .join(Application, Application.id == Offer.application_id)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.state.in_(LIVE), scope.scope_condition(by), waits(revocations.OFFICE))
        .order_by(Signature.signed_at)
    )
    waiting = {row[0]: row for row in session.execute(found)}  # of two signatures the later one waits
    for offer_id, code, area, signer_id, name, at in waiting.values():
        due = at + dt.timedelta(days=FALSEHOOD_DAYS)
        yield DeskCase(OtherKind.FALSEHOOD, offer_id, code, area, name, signer_id, at, due, "signed")
