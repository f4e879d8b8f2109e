"""The years with their calendars, the rounds and the policies in force, kept in the process (`ground.reading.catalogue`)."""

import uuid
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.reading.catalogue import Part
from enrollment.season.calendar import Season
from enrollment.season.policy_rows import Policy
from enrollment.season.round_rows import Round, RoundPolicy


def _years(session: Session) -> tuple[Season, ...]:
    return tuple(session.scalars(select(Season).order_by(Season.year.desc())))


def _rounds(session: Session) -> tuple[Round, ...]:
    return tuple(session.scalars(select(Round).order_by(Round.year, Round.number)))


@dataclass(frozen=True)
class Policies:
    """Policies by id, and those in force by year and area."""

    by_id: dict[uuid.UUID, Policy]
    in_force: dict[int, dict[str, Policy]]


def _policies(session: Session) -> Policies:
    in_force = Policy.signed_at.is_not(None) & Policy.withdrawn_at.is_(None)
    found = session.scalars(select(Policy).where(in_force | Policy.id.in_(select(RoundPolicy.policy_id)))).all()
    years: dict[int, dict[str, Policy]] = defaultdict(dict)
    for each in found:
        if each.signed_at is not None and each.withdrawn_at is None:
            years[each.year][each.area_code] = each
    return Policies({each.id: each for each in found}, dict(years))


YEARS = Part("years", ("season", "season_date"), _years)
"""Every year with its dates, the newest first."""

ROUNDS = Part("rounds", ("round", "round_policy"), _rounds)
"""Every round with its policies, by year and number."""

POLICIES = Part("policies", ("policy", "round_policy"), _policies)
"""The policies in force, and those that a round applies."""


def in_force(session: Session, year: int) -> dict[str, Policy] | None:
    """The policy in force of each area; None where they are not kept."""
    kept = POLICIES.of(session)
    if kept is None:
        return None
    return kept.in_force.get(year, {})


def round_of(session: Session, round_id: uuid.UUID) -> Round:
    """A round that is known to exist."""
    kept = ROUNDS.of(session)
    return session.get_one(Round, round_id) if kept is None else next(each for each in kept if each.id == round_id)
