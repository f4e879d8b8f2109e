"""What has to be ready before each step of a season, by area, and the rows behind each number."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Stage
from enrollment.applications.lifecycle import AWAITING_DECISION, HANDED_IN
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Run, RunState
from enrollment.draw.seed.witness_rows import DeclaredForm
from enrollment.ground.classifications import Nature
from enrollment.offers.offer_rows import EXPECTED, LIVE, OfferState
from enrollment.offers.tally import SeasonTally, Subject, Tally
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.reports.season_desk.progress import AreaProgress
from enrollment.season import policy_approval
from enrollment.season.round_rows import STAGES, Round, RoundKind, RoundStage

ROWS_OF_A_PAGE = 50


class Check(StrEnum):
    """What must be true before a step: of the city, or of every area."""

    ROUND = "round"
    RULES = "rules"
    PLANS = "plans"
    FORM = "form"
    REVIEW = "review"
    RETURNED = "returned"
    SEED = "seed"
    SIGNED = "signed"
    ANSWERS = "answers"
    ARRIVALS = "arrivals"


STEP_OF = {
    Check.ROUND: "registration",
    Check.RULES: "registration",
    Check.PLANS: "registration",
    Check.REVIEW: "draw",
    Check.RETURNED: "draw",
    Check.FORM: "draw",
    Check.SEED: "result",
    Check.SIGNED: "result",
    Check.ANSWERS: "supplementary",
    Check.ARRIVALS: "arrival",
}
"""The step before which it has to be ready; of the arrival it is the end."""

OF_ROWS = (Check.PLANS, Check.REVIEW, Check.RETURNED, Check.ANSWERS, Check.ARRIVALS)
"""The checks whose number opens to kindergartens."""

TALLIED: Mapping[Check, tuple[Subject, Collection[str], Collection[str]]] = {
    Check.REVIEW: (Subject.APPLICATION, HANDED_IN, AWAITING_DECISION),
    Check.RETURNED: (Subject.APPLICATION, HANDED_IN, (Stage.RETURNED,)),
    Check.ANSWERS: (Subject.OFFER, LIVE, (OfferState.OFFERED,)),
    Check.ARRIVALS: (Subject.OFFER, (*EXPECTED, OfferState.ARRIVED), EXPECTED),
}
"""What is counted, its states, and the states in which something is left to do."""


@dataclass(frozen=True)
class Item:
    """One check.  `areas` are those it is counted in; a check of the whole city has none, and is `done` or not."""

    check: Check
    step: str
    areas: tuple[AreaProgress, ...]
    done: bool

    @property
    def left(self) -> int:
        return sum(each.left for each in self.areas)

    @property
    def whole(self) -> int:
        return sum(each.whole for each in self.areas)

    @property
    def is_early(self) -> bool:
        """Whether there is nothing to look at yet: no application, no place."""
        return self.check in TALLIED and not self.whole

    @property
    def open_areas(self) -> tuple[AreaProgress, ...]:
        return tuple(each for each in self.areas if each.left)


def counted(check: Check, tally: Tally, year: int) -> Item:
    """A check that the tally knows."""
    subject, states, waiting = TALLIED[check]
    whole, left = tally.by_area(subject, states, year), tally.by_area(subject, waiting, year)
    return of_areas(check, {area: (n, n - left.get(area, 0)) for area, n in whole.items()})


def of_areas(check: Check, numbers: Mapping[str, tuple[int, int]]) -> Item:
    """A check of areas: for each how many there are, and how many are done."""
    areas = tuple(AreaProgress(area, whole, done) for area, (whole, done) in sorted(numbers.items()))
    return Item(check, STEP_OF[check], areas, all(not each.left for each in areas))


def of_season(
    session: Session, year: int, rounds: Sequence[Round], tally: Tally, areas: Collection[str]
) -> tuple[Item, ...]:
    """Every check of a year, in the order of the steps; few statements, whatever the number of applications."""
    main = next((each for each in rounds if each.kind == RoundKind.MAIN), None)
    plans = of_areas(Check.PLANS, _plans(session, year, areas))
    with_plans = {each.area for each in plans.areas}
    signed_rules = policy_approval.policies_in_force(session, year)
    rules = {area: (1, int(area in signed_rules)) for area in areas if area in with_plans}
    has_form, is_signed = _draw_of(session, main)
    return (
        _of_city(Check.ROUND, done=main is not None),
        of_areas(Check.RULES, rules),
        plans,
        counted(Check.REVIEW, tally, year),
        counted(Check.RETURNED, tally, year),
        _of_city(Check.FORM, done=has_form),
        _of_city(Check.SEED, done=_has_reached(main, RoundStage.DRAWN)),
        _of_city(Check.SIGNED, done=is_signed),
        counted(Check.ANSWERS, tally, year),
        counted(Check.ARRIVALS, tally, year),
    )


def _of_city(check: Check, *, done: bool) -> Item:
    return Item(check, STEP_OF[check], (), done)


def _has_reached(found: Round | None, stage: RoundStage) -> bool:
    return found is not None and STAGES.index(RoundStage(found.stage)) >= STAGES.index(stage)


def _planning() -> ColumnElement[bool]:
    """Kindergartens that have to offer places: public and inclusive ones that are open."""
    return Kindergarten.closed_on.is_(None) & Kindergarten.nature.in_((Nature.PUBLIC, Nature.INCLUSIVE))


def _plan_states(year: int, areas: Collection[str]) -> Select:
    """Each such kindergarten with the state of its plan: approved, or the least of what it has, or none."""
    approved = func.bool_and(Programme.state == ProgrammeState.APPROVED)
    proposed = func.bool_or(Programme.state == ProgrammeState.PROPOSED)
    state = case(
        (approved, ProgrammeState.APPROVED),
        (proposed, ProgrammeState.PROPOSED),
        (func.count(Programme.id) > 0, ProgrammeState.DRAFT),
        else_="none",
    )
    return (
        select(Kindergarten.id, Kindergarten.name, Kindergarten.area_code, Kindergarten.sort_key, state.label("state"))
        .outerjoin(Programme, (Programme.kindergarten_id == Kindergarten.id) & (Programme.year == year))
        .where(_planning(), Kindergarten.area_code.in_(list(areas)))
        .group_by(Kindergarten.id)
    )


def _plans(session: Session, year: int, areas: Collection[str]) -> dict[str, tuple[int, int]]:
    each = _plan_states(year, areas).subquery()
    found = select(each.c.area_code, func.count(), func.count().filter(each.c.state == ProgrammeState.APPROVED))
    return {area: (whole, done) for area, whole, done in session.execute(found.group_by(each.c.area_code))}


def _draw_of(session: Session, main: Round | None) -> tuple[bool, bool]:
    """Whether the form of the draw is declared, and whether two people signed its result."""
    if main is None:
        return False, False
    signed = select(Publication.run_id).join(Run, Run.id == Publication.run_id)
    signed = signed.where(Run.round_id == main.id, Run.state != RunState.SET_ASIDE)
    has_form = exists().where(DeclaredForm.round_id == main.id)
    declared, decided = session.execute(select(has_form, signed.exists())).one()
    return declared, decided


@dataclass(frozen=True)
class OpenRow:
    """A kindergarten with something left: `n` applications or offers, or the `state` of its plan."""

    id: uuid.UUID
    name: str
    area: str
    n: int
    state: str


@dataclass(frozen=True)
class OpenRows:
    """One page of the rows behind a number, counted from 1; `total` kindergartens with `n` cases in all."""

    rows: tuple[OpenRow, ...]
    total: int
    n: int
    number: int
    last: int


def open_rows(session: Session, year: int, check: Check, areas: Collection[str], *, page: int = 1) -> OpenRows:
    """The kindergartens behind the number of a check of `OF_ROWS`, the most first."""
    each = (_open_plans(year, areas) if check == Check.PLANS else _open_cases(year, check, areas)).subquery()
    total, n = session.execute(select(func.count(), func.coalesce(func.sum(each.c.n), 0)).select_from(each)).one()
    last = max(-(-total // ROWS_OF_A_PAGE), 1)
    number = min(max(page, 1), last)
    part = select(each.c.id, each.c.name, each.c.area_code, each.c.n, each.c.state)
    part = part.order_by(each.c.n.desc(), each.c.sort_key, each.c.id)
    rows = session.execute(part.limit(ROWS_OF_A_PAGE).offset((number - 1) * ROWS_OF_A_PAGE))
    return OpenRows(tuple(OpenRow(*row) for row in rows), total, int(n), number, last)


def _open_plans(year: int, areas: Collection[str]) -> Select:
    each = _plan_states(year, areas).subquery()
    one = select(each.c.id, each.c.name, each.c.area_code, each.c.sort_key, each.c.state)
    return one.add_columns(func.count().over(partition_by=each.c.id).label("n")).where(
        each.c.state != ProgrammeState.APPROVED
    )


def _open_cases(year: int, check: Check, areas: Collection[str]) -> Select:
    subject, _whole, waiting = TALLIED[check]
    n = func.sum(SeasonTally.n)
    return (
        select(
            Kindergarten.id,
            Kindergarten.name,
            Kindergarten.area_code,
            Kindergarten.sort_key,
            n.label("n"),
            func.min(SeasonTally.state).label("state"),
        )
        .join(SeasonTally, SeasonTally.kindergarten_id == Kindergarten.id)
        .where(
            SeasonTally.year == year,
            SeasonTally.subject == subject,
            SeasonTally.state.in_(list(waiting)),
            Kindergarten.area_code.in_(list(areas)),
        )
        .group_by(Kindergarten.id)
        .having(n > 0)
    )
