"""Which step of the simulated season should have happened by now, and what keeps the simulated people from it.

The reasons are the refusals of the service functions, as an official's page would show them.  They are asked anew each time,
so that nothing is told that is over.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.draw import participants, replay, snapshot
from enrollment.draw.publication import hours
from enrollment.draw.seed import declared_forms
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.season import rounds
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round
from portal.demo import season
from portal.demo.actors import simulated_draw
from portal.demo.offers import supplementary_round


class SimulatedStep(StrEnum):
    """What simulated officials do where no visitor has begun it."""

    DRAW = "draw"
    SUPPLEMENTARY = "supplementary"
    SUPPLEMENTARY_DRAW = "supplementary_draw"


OF_VISITORS = ("visitor_draws", "visitor_has_a_round")
"""Refusals that say: a visitor has begun this, and goes on with it."""

NOT_YET_DECLARED = "draw_form_missing"
"""What a freeze lacks only because the simulated officials declare the form themselves."""


@dataclass(frozen=True)
class DueStep:
    """A step whose day has come and that has not happened.

    `obstacle` is what keeps it from happening, None if nothing is known; `ends_at` when time alone removes the obstacle.
    """

    step: SimulatedStep
    round: Round
    obstacle: Refused | None = None
    ends_at: dt.datetime | None = None

    @property
    def left_to_visitors(self) -> bool:
        return self.obstacle is not None and self.obstacle.code in OF_VISITORS

    @property
    def holds_the_clock(self) -> bool:
        """Whether the season waits for this step: what comes after it needs its result."""
        return not self.left_to_visitors


def due_step(session: Session, *, now: dt.datetime) -> DueStep | None:
    """The first step that is due at this time of the demo clock; None if there is none."""
    found = rounds.rounds_of_year(session, season.YEAR)
    if not found or now < season.DATES["result"][0]:
        return None
    if found[0].stage != RoundStage.PUBLISHED:
        return _due_draw(session, SimulatedStep.DRAW, found[0], now)
    if now < season.DATES["supplementary"][0]:
        return None
    if len(found) == 1:
        return _due_supplementary(session, found[0], now)
    later = supplementary_round.of_the_demo(session)
    if later is None:
        waits = next((each for each in found[1:] if each.stage != RoundStage.PUBLISHED), None)
        if waits is None:
            return None
        return DueStep(SimulatedStep.SUPPLEMENTARY, waits, Refused("visitor_has_a_round", round=waits.name))
    if later.stage == RoundStage.PUBLISHED or now < season.DATES["arrival"][0]:
        return None
    return _due_draw(session, SimulatedStep.SUPPLEMENTARY_DRAW, later, now)


def _due_supplementary(session: Session, main: Round, now: dt.datetime) -> DueStep:
    """The places that families gave up are handed on first; a replay that a visitor has begun, or a late answer, is waited for."""
    step = SimulatedStep.SUPPLEMENTARY
    try:
        replay.precheck(session, main.id, now=now)
    except Refused as refused:
        unanswered = select(func.max(Offer.answer_by)).where(
            Offer.round_id == main.id, Offer.state == OfferState.OFFERED
        )
        until = session.scalar(unanswered) if refused.code == "answers_still_due" else None
        return DueStep(step, main, refused, until)
    return DueStep(step, main)


def _due_draw(session: Session, step: SimulatedStep, round_: Round, now: dt.datetime) -> DueStep | None:
    if hours.signed_run(session, round_.id) is not None:
        return None  # it is opened at its hour
    if simulated_draw.unfinished(session, round_.id) is not None:
        return DueStep(step, round_)
    if declared_forms.newest(session, round_.id) is not None:
        return DueStep(step, round_, Refused("visitor_draws", round=round_.name))
    try:
        snapshot.precheck(session, round_, now=now)
    except Refused as refused:
        if refused.code != NOT_YET_DECLARED:
            return DueStep(step, round_, refused, _ends_at(session, round_, refused, now))
    return DueStep(step, round_)


def _ends_at(session: Session, round_: Round, refused: Refused, now: dt.datetime) -> dt.datetime | None:
    if refused.code == "round_not_closed":
        return round_.closes_at
    return participants.returned(session, round_, now=now)[1] if refused.code == "returns_have_time" else None
