"""Setting targets: one city official proposes with the source, another one signs; every decision is kept."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.coverage.targets import TargetDecision, Targets, TargetScope
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, Actor, Role
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.places.areas import Area

FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_KINDERGARTENS = 10_000


@dataclass(frozen=True)
class Source:
    """The document that sets a target: its name, its number if it has one, its date."""

    name: str
    number: str
    date: dt.date


def propose(
    session: Session,
    year: int,
    scope: TargetScope,
    targets: Targets,
    source: Source,
    *,
    in_force_from: dt.date,
    area: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> TargetDecision:
    """Propose targets; they hold once another city official has signed them.

    Refuses `only_the_city`, `target_year`, `target_empty`, `target_kindergartens`, `target_not_national`, `target_source_missing`, `target_source_date`,
    `target_from_later_year` and `target_is_proposed`.
    """
    _require_city(by)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused("target_year", "year", first=FIRST_YEAR, last=LAST_YEAR)
    if not targets:
        raise Refused("target_empty", "public")
    if targets.high_quality is not None and not 1 <= targets.high_quality <= MOST_KINDERGARTENS:
        raise Refused("target_kindergartens", "high_quality", most=MOST_KINDERGARTENS)
    if targets.high_quality is not None and scope == TargetScope.NATIONAL:
        raise Refused("target_not_national", "high_quality")
    if not source.name.strip():
        raise Refused("target_source_missing", "source_name")
    if source.date > today(now):
        raise Refused("target_source_date", "source_date")
    if in_force_from.year > year:
        raise Refused("target_from_later_year", "in_force_from", year=year)
    area = area if scope == TargetScope.AREA else None
    if scope == TargetScope.AREA and (area is None or session.get(Area, area) is None):
        raise Refused("target_area", "area")
    if _proposal_of(session, year, scope, area) is not None:
        raise Refused("target_is_proposed", "scope")
    made = TargetDecision(
        year=year,
        scope=scope,
        area_code=area,
        public=targets.public,
        inclusive=targets.inclusive,
        high_quality=targets.high_quality,
        in_force_from=in_force_from,
        source_name=source.name.strip(),
        source_number=source.number.strip() or None,
        source_date=source.date,
        proposed_by=by.account_id,
        proposed_at=now,
    )
    session.add(made)
    session.flush()
    audit.record(session, "propose_target", "target_decision", made.id, by=by, now=now, **_said(made))
    return made


def sign(session: Session, decision_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> TargetDecision:
    """The second person's signature.

    Refuses `only_the_city`, `target_is_decided`, `second_person_needed`, and `request_lapsed` and `first_person_left`: then any
    city official withdraws the proposal and proposes anew.
    """
    made = _open_proposal(session, decision_id, by)
    if made.proposed_by == by.account_id:
        raise Refused("second_person_needed")
    signatures.require_open(made.proposed_at, now)
    signatures.require_first_person(session, made.proposed_by, CITY)
    made.signed_by, made.signed_at = by.account_id, now
    session.flush()
    audit.record(session, "sign_target", "target_decision", made.id, by=by, now=now, **_said(made))
    return made


def withdraw(session: Session, decision_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> TargetDecision:
    """End a proposal without effect; the proposer or another city official.  Refuses like `sign`."""
    made = _open_proposal(session, decision_id, by)
    made.withdrawn_by, made.withdrawn_at = by.account_id, now
    session.flush()
    audit.record(session, "withdraw_target", "target_decision", made.id, by=by, now=now, **_said(made))
    return made


def waiting_for(session: Session, *, by: Actor) -> list[TargetDecision]:
    """Open proposals of any year that this person can sign, the oldest first."""
    if not by.is_any(Role.CITY_OFFICIAL):
        return []
    found = select(TargetDecision).where(
        TargetDecision.signed_at.is_(None),
        TargetDecision.withdrawn_at.is_(None),
        TargetDecision.proposed_by != by.account_id,
    )
    return list(session.scalars(found.order_by(TargetDecision.proposed_at)))


def history(session: Session, year: int) -> list[TargetDecision]:
    """Every decision for a year, open and withdrawn ones too, the newest proposal first."""
    found = select(TargetDecision).where(TargetDecision.year == year)
    return list(session.scalars(found.order_by(TargetDecision.proposed_at.desc(), TargetDecision.id)))


def years(session: Session) -> list[int]:
    """The years that have decisions, the newest first."""
    return list(session.scalars(select(TargetDecision.year).distinct().order_by(TargetDecision.year.desc())))


def _require_city(by: Actor) -> None:
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")


def _open_proposal(session: Session, decision_id: uuid.UUID, by: Actor) -> TargetDecision:
    _require_city(by)
    made = session.get(TargetDecision, decision_id, with_for_update=True, populate_existing=True)
    if made is None:
        raise NotFound(decision_id)
    if made.signed_at or made.withdrawn_at:
        raise Refused("target_is_decided")
    return made


def _proposal_of(session: Session, year: int, scope: TargetScope, area: str | None) -> TargetDecision | None:
    found = select(TargetDecision).where(
        TargetDecision.year == year,
        TargetDecision.scope == scope,
        TargetDecision.area_code.is_not_distinct_from(area),
        TargetDecision.signed_at.is_(None),
        TargetDecision.withdrawn_at.is_(None),
    )
    return session.scalars(found).one_or_none()


def _said(made: TargetDecision) -> dict[str, Any]:
    return {
        "year": made.year,
        "scope": made.scope,
        "area": made.area_code,
        "public": made.public.hundredths if made.public else None,
        "inclusive": made.inclusive.hundredths if made.inclusive else None,
        "high_quality": made.high_quality,
        "from": made.in_force_from.isoformat(),
    }
