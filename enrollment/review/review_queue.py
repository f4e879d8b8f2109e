"""The queue of the review: the waiting applications, mismatches first, and taking the next one.

Every query is limited to the actor's kindergartens and areas and uses the index of a kindergarten's queue, so that its
time does not grow with the number of applications in the city.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, String, and_, case, column, exists, func, or_, select, true, values
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Stage
from enrollment.applications.register_answers import RegisterAnswer, is_current
from enrollment.applications.returned_items import ReturnedItem
from enrollment.eligibility.claims import Claim
from enrollment.ground.accounts import Account, Actor
from enrollment.people.person_rows import Child
from enrollment.review import review
from enrollment.season.facts import FACTS_OF_GROUND, Fact
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

STATES = ("waiting", "mine", "others", "returned", "confirmed")
ONLY = ("all", "mismatch", "matched", "answered", "old")
OLD = dt.timedelta(days=3)
PER_PAGE = 50

_ASKED = values(column("ground", String), column("fact", String), name="asked").data(
    [
        (ground.value, fact.value)
        for ground, facts in FACTS_OF_GROUND.items()
        for fact in facts
        if fact is not Fact.HUKOU_STREET  # the family may leave the street empty, and the register supplies it
    ]
)


@dataclass(frozen=True)
class Waiting:
    """One line of the queue.  `differs` counts register answers that contradict the family."""

    application_id: uuid.UUID
    registration_code: str
    child_name: str
    level: str
    stage: str
    submitted_at: dt.datetime
    reviewer: str | None
    differs: int
    matched: bool
    answered: bool


@dataclass(frozen=True)
class Page:
    """One page of a list: `number` from 1 to `last`, `total` lines in all."""

    items: Sequence[Waiting]
    number: int
    last: int
    total: int


_answer_of = is_current()
speaks_against = and_(
    _answer_of, RegisterAnswer.fact.in_([fact.value for fact in Fact]), RegisterAnswer.answer == "differs"
)
_agrees = and_(_answer_of, RegisterAnswer.answer == "matches", RegisterAnswer.disputed_at.is_(None))


def differs() -> ColumnElement[int]:
    return select(func.count()).select_from(RegisterAnswer).where(speaks_against).scalar_subquery()


def matched() -> ColumnElement[bool]:
    """SQL condition: registers match every claimed fact and the birth date, no answer is disputed, and no hold exists."""
    unmatched_claim = exists(
        select(Claim.ground)
        .join(_ASKED, _ASKED.c.ground == Claim.ground)
        .where(
            Claim.application_id == Application.id,
            ~exists().where(_agrees, RegisterAnswer.fact == _ASKED.c.fact).correlate(Application, _ASKED),
        )
        .correlate(Application)
    )
    disputed = exists().where(_answer_of, RegisterAnswer.disputed_at.is_not(None))
    born = exists().where(_agrees, RegisterAnswer.fact == Fact.BORN.value)
    return and_(~unmatched_claim, ~exists().where(speaks_against), ~disputed, born, ~Application.on_hold)


def _answered() -> ColumnElement[bool]:
    """SQL condition: the application was returned to the family before."""
    return exists().where(ReturnedItem.application_id == Application.id)


def may_be_reviewed(session: Session, by: Actor, now: dt.datetime) -> ColumnElement[bool]:
    """SQL condition: submitted applications that may be reviewed now; all, where the policy opens the review early."""
    early = [kindergarten for kindergarten in by.kindergartens if review.opens_early(session, kindergarten, now=now)]
    return or_(review.registration_over(now), Application.review_kindergarten_id.in_(early))


def in_state(state: str, by: Actor) -> ColumnElement[bool]:
    held = Application.stage == Stage.IN_REVIEW
    return {
        "waiting": Application.stage == Stage.SUBMITTED,
        "mine": and_(held, Application.reviewer_id == by.account_id),
        "others": and_(held, Application.reviewer_id != by.account_id),
        "returned": Application.stage == Stage.RETURNED,
        "confirmed": Application.stage == Stage.CONFIRMED,
    }[state]


def only_those(filter_: str, now: dt.datetime) -> ColumnElement[bool]:
    return {
        "all": true(),
        "mismatch": exists().where(speaks_against),
        "matched": matched(),
        "answered": _answered(),
        "old": Application.submitted_at < now - OLD,
    }[filter_]


def queue(
    session: Session,
    *,
    by: Actor,
    now: dt.datetime,
    state: str = "waiting",
    only: str = "all",
    kindergarten_id: uuid.UUID | None = None,
    page: int = 1,
    per_page: int = PER_PAGE,
) -> Page:
    """A page of the actor's queue, mismatches first, then the oldest.  Unknown `state` or `only` raises KeyError."""
    here = [review.within(by), in_state(state, by), only_those(only, now)]
    if kindergarten_id is not None:
        here.append(Application.review_kindergarten_id == kindergarten_id)
    if state == "waiting":
        here.append(may_be_reviewed(session, by, now))
    total = session.scalar(select(func.count()).select_from(Application).where(*here)) or 0
    last = max(-(-total // per_page), 1)
    number = min(max(page, 1), last)
    found = session.execute(_lines(here).limit(per_page).offset((number - 1) * per_page))
    return Page([_as_waiting(row) for row in found], number, last, total)


def _lines(here: list[ColumnElement[bool]]) -> Select:
    count = differs().label("differs")
    return (
        select(
            Application.id,
            Application.registration_code,
            Child.name.label("child_name"),
            Application.level,
            Application.stage,
            Application.submitted_at,
            Account.name.label("reviewer"),
            count,
            matched().label("matched"),
            _answered().label("answered"),
        )
        .join(Child, Child.id == Application.child_id)
        .outerjoin(Account, Account.id == Application.reviewer_id)
        .where(*here)
        .order_by(case((count > 0, 0), else_=1), Application.submitted_at, Application.id)
    )


def _as_waiting(row: Row) -> Waiting:
    return Waiting(*row)


def take_next(session: Session, *, by: Actor, now: dt.datetime, only: str = "all") -> Application | None:
    """Take the first application of the queue that no other transaction has locked; None if nothing waits."""
    here = [review.within(by), in_state("waiting", by), only_those(only, now), may_be_reviewed(session, by, now)]
    first = (
        select(Application.id)
        .where(*here)
        .order_by(case((differs() > 0, 0), else_=1), Application.submitted_at, Application.id)
        .limit(1)
        .with_for_update(of=Application, skip_locked=True)
    )
    application_id = session.scalar(first)
    return None if application_id is None else review.take(session, application_id, by=by, now=now)


def opens_at(session: Session, *, now: dt.datetime) -> dt.datetime | None:
    """When the next round's registration closes and its review opens; None when no registration is open."""
    return session.scalar(
        select(func.min(Round.closes_at)).where(Round.stage == RoundStage.OPEN, Round.closes_at > now)
    )
