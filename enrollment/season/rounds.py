"""Rounds 批次: who may wish for what, from when until when, and what is frozen when it opens."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.classifications import Level, Nature
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.season import calendar, policy_approval
from enrollment.season.calendar import Season, only_the_city
from enrollment.season.round_rows import (
    KINDS,
    MOVES,
    PAIR_RULES,
    STAGES,
    WITH_WISHES,
    Round,
    RoundKind,
    RoundPolicy,
    RoundProgramme,
    RoundStage,
    move,
    one,
)

__all__ = ["KINDS", "MOVES", "PAIR_RULES", "STAGES", "WITH_WISHES", "Round", "RoundPolicy", "RoundProgramme"]


@dataclass(frozen=True)
class Offered:
    """A programme of the year as a round's filter sees it; the caller brings them, for this wing knows no places."""

    programme_id: uuid.UUID
    area: str
    nature: str
    level: str
    approved: bool


def of_year(session: Session, year: int) -> list[Round]:
    return list(session.scalars(select(Round).where(Round.year == year).order_by(Round.number)))


def open_for_registration(found: Round, now: dt.datetime) -> bool:
    """Whether a family may hand in or change wishes: the round was opened and the clock is inside its dates."""
    return found.stage == RoundStage.OPEN and found.opens_at <= now < found.closes_at


def programmes_of(session: Session, round_id: uuid.UUID) -> list[uuid.UUID]:
    """The programmes frozen into a round that was opened."""
    found = select(RoundProgramme.programme_id).where(RoundProgramme.round_id == round_id)
    return list(session.scalars(found.order_by(RoundProgramme.programme_id)))


def in_filter(found: Round, offered: Offered) -> bool:
    return (
        (not found.areas or offered.area in found.areas)
        and (not found.natures or offered.nature in found.natures)
        and (not found.levels or offered.level in found.levels)
    )


def plan(
    session: Session,
    year: int,
    *,
    name: str,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    confirm_by: dt.datetime,
    by: Actor,
    now: dt.datetime,
    kind: str = RoundKind.MAIN,
    max_wishes: int = 5,
    pair_rule: str = "overhang",
    areas: Iterable[str] = (),
    natures: Iterable[str] = (Nature.PUBLIC, Nature.INCLUSIVE),
    levels: Iterable[str] = (Level.LOWER,),
) -> Round:
    """Add a round to a year.  Refuses `only_the_city`, `no_such_season`, `dates_out_of_order`, `name_needed`."""
    only_the_city(by)
    if session.get(Season, year, with_for_update=True) is None:
        raise Refused("no_such_season", year=year)
    if not name.strip():
        raise Refused("name_needed", field="name")
    _check_dates(opens_at, closes_at, confirm_by)
    if not 1 <= max_wishes <= 20:
        raise Refused("some_wishes", field="max_wishes")
    number = (session.scalar(select(func.max(Round.number)).where(Round.year == year)) or 0) + 1
    planned = Round(
        year=year,
        number=number,
        kind=kind,
        name=name.strip(),
        max_wishes=max_wishes,
        pair_rule=pair_rule,
        areas=sorted(areas),
        natures=list(natures),
        levels=list(levels),
        opens_at=opens_at,
        closes_at=closes_at,
        confirm_by=confirm_by,
    )
    session.add(planned)
    session.flush()
    audit.record(session, "plan_round", "round", planned.id, by=by, now=now, number=number, kind=kind)
    return planned


def _check_dates(opens_at: dt.datetime, closes_at: dt.datetime, confirm_by: dt.datetime) -> None:
    if closes_at <= opens_at:
        raise Refused("dates_out_of_order", field="closes_at")
    if confirm_by <= closes_at:
        raise Refused("dates_out_of_order", field="confirm_by")


def open(session: Session, round_id: uuid.UUID, offered: Iterable[Offered], *, by: Actor, now: dt.datetime) -> Round:
    """Open a planned round and freeze what it is about: its programmes and each area's signed policy with digest.

    `offered` are the year's programmes; `draw.opening.open_round` brings them.  Families can register from
    `opens_at`.  Refuses `only_the_city`, `another_round_open`, `no_programmes`, `places_not_approved`,
    `policy_not_signed`, `pair_rule_differs` (each with the areas or numbers), `round_move_not_possible`.
    """
    only_the_city(by)
    found = one(session, round_id, lock=True)
    session.get(Season, found.year, with_for_update=True)
    chosen = [programme for programme in offered if in_filter(found, programme)]
    signed = _check_ready(session, found, chosen)
    move(session, found, "open", by=by, now=now, programmes=len(chosen))
    rows = [{"round_id": found.id, "programme_id": programme.programme_id} for programme in chosen]
    session.execute(insert(RoundProgramme), rows)
    found.policies = [
        RoundPolicy(area_code=area, policy_id=policy.id, digest=policy.digest)
        for area, policy in sorted(signed.items())
    ]
    session.flush()
    _close_when_due(session, found, now=now)
    return found


def hindrances(session: Session, found: Round, offered: Iterable[Offered]) -> list[Refused]:
    """Everything that stands in the way of opening, for the page that prepares it."""
    faults = []
    open_now = select(Round).where(
        Round.year == found.year, Round.stage == RoundStage.OPEN, Round.kind.in_(WITH_WISHES)
    )
    if other := session.scalars(open_now.where(Round.id != found.id)).first():
        faults.append(Refused("another_round_open", name=other.name))
    chosen = [programme for programme in offered if in_filter(found, programme)]
    if not chosen:
        return [*faults, Refused("no_programmes")]
    waiting = [programme for programme in chosen if not programme.approved]
    areas = {programme.area for programme in chosen}
    signed = policy_approval.all_in_force(session, found.year)
    unsigned = sorted(areas - signed.keys())
    rules = {area: policy_approval.rules_of(signed[area]) for area in areas & signed.keys()}
    differing = sorted(area for area, read in rules.items() if read.pair_rule != found.pair_rule)
    if waiting:
        faults.append(Refused("places_not_approved", count=len(waiting), areas=sorted({row.area for row in waiting})))
    if unsigned:
        faults.append(Refused("policy_not_signed", areas=unsigned))
    if differing:
        faults.append(Refused("pair_rule_differs", field="pair_rule", areas=differing))
    return faults


def _check_ready(session: Session, found: Round, chosen: list[Offered]) -> dict[str, policy_approval.Policy]:
    for hindrance in hindrances(session, found, chosen):
        raise hindrance
    areas = {programme.area for programme in chosen}
    return {area: made for area, made in policy_approval.all_in_force(session, found.year).items() if area in areas}


def _close_when_due(session: Session, found: Round, *, now: dt.datetime) -> None:
    key = f"close_round:{found.id}:{found.closes_at.isoformat()}"
    jobs.enqueue(session, "close_round", {"round_id": str(found.id)}, key=key, now=now, due=found.closes_at)


def close(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Round:
    """Close registration once the deadline has passed.  Drafts stay drafts: what was not submitted takes no part.

    Nobody closes before the announced deadline, for families rely on it: refuses `before_the_deadline`.
    """
    found = one(session, round_id, lock=True)
    if not by.is_any(Role.SYSTEM):
        only_the_city(by)
    if now < found.closes_at:
        raise Refused("before_the_deadline", closes_at=found.closes_at)
    move(session, found, "close", by=by, now=now)
    return found


def close_if_due(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """The clock's way to close: says False when it was extended or is closed already."""
    found = one(session, round_id, lock=True)
    if found.stage != RoundStage.OPEN or now < found.closes_at:
        return False
    close(session, round_id, by=by, now=now)
    return True


def extend(
    session: Session,
    round_id: uuid.UUID,
    *,
    closes_at: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> Round:
    """Give families more time; all with a live application are told.  A round that has just closed opens again.

    Never shortens.  Refuses `only_the_city`, `reason_needed`, `only_later`, `runs_into_draw`, `dates_out_of_order`,
    and, once the round is frozen, `round_move_not_possible`.
    """
    only_the_city(by)
    found = one(session, round_id, lock=True)
    if version is not None and version != found.version:
        raise Stale()
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    if found.stage not in (RoundStage.OPEN, RoundStage.CLOSED):
        raise Refused("round_move_not_possible", stage=found.stage, move="reopen")
    if closes_at <= max(found.closes_at, now):
        raise Refused("only_later", field="closes_at")
    _check_dates(found.opens_at, closes_at, found.confirm_by)
    season = one_season(session, found.year)
    _check_before_draw(season, found, closes_at)
    before, found.closes_at = found.closes_at, closes_at
    found.version += 1
    if found.stage == RoundStage.CLOSED:
        move(session, found, "reopen", by=by, now=now)
    session.flush()
    audit.record(
        session, "extend_round", "round", found.id, by=by, now=now, reason=reason,
        before=before.isoformat(), after=closes_at.isoformat(),
    )  # fmt: skip
    _stretch_registration(season, found)
    session.flush()
    _close_when_due(session, found, now=now)
    calendar.tell_all(session, found.year, _step_of(found), found.opens_at, closes_at, now=now)
    return found


def one_season(session: Session, year: int) -> Season:
    found = session.get(Season, year, with_for_update=True)
    if found is None:
        raise NotFound(year)
    return found


def _step_of(found: Round) -> str:
    return "supplementary" if found.kind == RoundKind.SUPPLEMENTARY else "registration"


def _check_before_draw(season: Season, found: Round, closes_at: dt.datetime) -> None:
    dates = calendar.spans(season)
    if found.kind == RoundKind.MAIN and "draw" in dates and found.opens_at < dates["draw"][0] < closes_at:
        raise Refused("runs_into_draw", field="closes_at", begins_at=dates["draw"][0])


def _stretch_registration(season: Season, found: Round) -> None:
    """The calendar says what the round does: its step never ends before the round closes."""
    for date in season.dates:
        if date.step == _step_of(found) and date.begins_at <= found.opens_at < date.ends_at < found.closes_at:
            date.ends_at = found.closes_at


def outside_the_calendar(session: Session, season: Season) -> list[tuple[Round, str]]:
    """Rounds whose registration does not lie within the calendar's step for it, with the code of that step."""
    dates = calendar.spans(season)
    found = []
    for row in of_year(session, season.year):
        step = _step_of(row)
        if row.kind in WITH_WISHES and step in dates:
            begins_at, ends_at = dates[step]
            if row.opens_at < begins_at or row.closes_at > ends_at:
                found.append((row, step))
    return found
