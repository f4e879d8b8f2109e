"""Rounds 批次: planning, opening and closing, and the programmes that take part."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.bulk_copy import write_rows
from enrollment.ground.classifications import Level, Nature
from enrollment.ground.errors import NotFound, Refused
from enrollment.season import calendar, calendar_validation, holidays, policy_approval
from enrollment.season.calendar import Season, SeasonStage, require_city_official
from enrollment.season.calendar_validation import Conflict
from enrollment.season.kept_years import ROUNDS
from enrollment.season.round_rows import (
    KINDS,
    KINDS_WITH_WISHES,
    MOVES,
    PAIR_RULES,
    STAGES,
    Round,
    RoundKind,
    RoundPolicy,
    RoundProgramme,
    RoundStage,
    get_round,
    move,
)

__all__ = ["KINDS", "KINDS_WITH_WISHES", "MOVES", "PAIR_RULES", "STAGES", "Round", "RoundPolicy", "RoundProgramme"]


@dataclass(frozen=True)
class ProgrammeCandidate:
    """The columns of a programme that the filter of a round uses.  The caller passes them: `season` does not import `places`."""

    programme_id: uuid.UUID
    area: str
    nature: str
    level: str
    approved: bool


def rounds_of_year(session: Session, year: int) -> list[Round]:
    kept = ROUNDS.of(session)
    if kept is not None:
        return [each for each in kept if each.year == year]
    return list(session.scalars(select(Round).where(Round.year == year).order_by(Round.number)))


def open_for_registration(found: Round, now: dt.datetime) -> bool:
    """Whether families may submit or change wishes: the round is open and `now` is within its dates."""
    return found.stage == RoundStage.OPEN and found.opens_at <= now < found.closes_at


def programmes_of(session: Session, round_id: uuid.UUID) -> list[uuid.UUID]:
    """The programmes of an opened round."""
    found = select(RoundProgramme.programme_id).where(RoundProgramme.round_id == round_id)
    return list(session.scalars(found.order_by(RoundProgramme.programme_id)))


def matches_filter(found: Round, offered: ProgrammeCandidate) -> bool:
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
    """Add a round to a year that is not closed.

    Refuses `only_the_city`, `no_such_season`, `season_is_closed`, `dates_out_of_order`, `name_needed`, `round_name_taken`:
    families tell the rounds of a year apart by their names.
    """
    require_city_official(by)
    season = session.get(Season, year, with_for_update=True)
    if season is None:
        raise Refused("no_such_season", year=year)
    calendar.require_not_closed(season)
    if not name.strip():
        raise Refused("name_needed", field="name")
    if session.scalar(select(Round.id).where(Round.year == year, Round.name == name.strip()).limit(1)) is not None:
        raise Refused("round_name_taken", field="name")
    check_dates(opens_at, closes_at, confirm_by)
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


def check_dates(opens_at: dt.datetime, closes_at: dt.datetime, confirm_by: dt.datetime) -> None:
    if closes_at <= opens_at:
        raise Refused("dates_out_of_order", field="closes_at")
    if confirm_by <= closes_at:
        raise Refused("dates_out_of_order", field="confirm_by")


def open_planned_round(
    session: Session, round_id: uuid.UUID, offered: Iterable[ProgrammeCandidate], *, by: Actor, now: dt.datetime
) -> Round:
    """Open a planned round and store its programmes and each area's signed policy with its digest.

    `offered` are the programmes of the year; `draw.round_opening.open_round` passes them.  Families can register from
    `opens_at`; of a supplementary round those without a place are told then.  Refuses `only_the_city`, `season_not_announced`, `another_round_open`, `no_programmes`, `places_not_approved`,
    `policy_not_signed`, `pair_rule_differs` (each with the areas or numbers), `round_move_not_possible`.
    """
    require_city_official(by)
    found = get_round(session, round_id, lock=True)
    session.get(Season, found.year, with_for_update=True, populate_existing=True)
    chosen = [programme for programme in offered if matches_filter(found, programme)]
    signed = _check_ready(session, found, chosen)
    move(session, found, "open", by=by, now=now, programmes=len(chosen))
    rows = [{"round_id": found.id, "programme_id": programme.programme_id} for programme in chosen]
    write_rows(session, insert(RoundProgramme), rows)
    found.policies = [
        RoundPolicy(area_code=area, policy_id=policy.id, digest=policy.digest)
        for area, policy in sorted(signed.items())
    ]
    session.flush()
    enqueue_closing(session, found, now=now)
    if found.kind == RoundKind.SUPPLEMENTARY:
        due, told = max(found.opens_at, now), {"round_id": str(found.id)}
        jobs.enqueue(session, "tell_round_open", told, key=f"tell_round_open:{found.id}", now=now, due=due)
    return found


def opening_faults(session: Session, found: Round, offered: Iterable[ProgrammeCandidate]) -> list[Refused]:
    """All reasons why the round cannot be opened, for the page that prepares it."""
    faults = []
    season = session.get_one(Season, found.year)
    if season.stage != SeasonStage.ANNOUNCED:
        faults.append(Refused("season_not_announced", year=found.year))
    open_now = select(Round).where(
        Round.year == found.year, Round.stage == RoundStage.OPEN, Round.kind.in_(KINDS_WITH_WISHES)
    )
    if other := session.scalars(open_now.where(Round.id != found.id)).first():
        faults.append(Refused("another_round_open", name=other.name))
    chosen = [programme for programme in offered if matches_filter(found, programme)]
    if not chosen:
        return [*faults, Refused("no_programmes")]
    waiting = [programme for programme in chosen if not programme.approved]
    areas = {programme.area for programme in chosen}
    signed = policy_approval.policies_in_force(session, found.year)
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


def _check_ready(session: Session, found: Round, chosen: list[ProgrammeCandidate]) -> dict[str, policy_approval.Policy]:
    for hindrance in opening_faults(session, found, chosen):
        raise hindrance
    areas = {programme.area for programme in chosen}
    return {
        area: made for area, made in policy_approval.policies_in_force(session, found.year).items() if area in areas
    }


def enqueue_closing(session: Session, found: Round, *, now: dt.datetime) -> None:
    """The job that closes the round at its deadline."""
    key = f"close_round:{found.id}:{found.closes_at.isoformat()}"
    jobs.enqueue(session, "close_round", {"round_id": str(found.id)}, key=key, now=now, due=found.closes_at)


def close(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Round:
    """Close registration after the deadline.  Drafts stay drafts and do not take part.

    Refuses `before_the_deadline`, because families rely on the announced time.
    """
    found = get_round(session, round_id, lock=True)
    if not by.is_any(Role.SYSTEM):
        require_city_official(by)
    if now < found.closes_at:
        raise Refused("before_the_deadline", closes_at=found.closes_at)
    move(session, found, "close", by=by, now=now)
    return found


def close_if_due(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """Close a round whose deadline has passed; False if it was extended or is not open."""
    found = get_round(session, round_id, lock=True)
    if found.stage != RoundStage.OPEN or now < found.closes_at:
        return False
    close(session, round_id, by=by, now=now)
    return True


def warnings_of(session: Session, found: Round) -> list[Conflict]:
    """The deadlines of a round with wishes that fall on a day off: its registration, and the answers to its offers."""
    if found.kind not in KINDS_WITH_WISHES:
        return []
    step, confirmation = step_of(found), (found.closes_at, found.confirm_by)
    dates = {step: (found.opens_at, found.closes_at), "confirmation": confirmation}
    warned = calendar_validation.warnings_of(dates, holidays.of_year(session, found.year))
    return [warning for warning in warned if warning.code == "deadline_on_rest_day"]


def lock_season(session: Session, year: int) -> Season:
    found = session.get(Season, year, with_for_update=True)
    if found is None:
        raise NotFound(year)
    return found


def step_of(found: Round) -> str:
    """The step of the calendar in which this round takes registrations."""
    return "supplementary" if found.kind == RoundKind.SUPPLEMENTARY else "registration"


def rounds_outside_calendar(session: Session, season: Season) -> list[tuple[Round, str]]:
    """Rounds whose registration is not within their calendar step, with the code of the step."""
    dates = calendar.spans(season)
    found = []
    for row in rounds_of_year(session, season.year):
        step = step_of(row)
        if row.kind in KINDS_WITH_WISHES and step in dates:
            begins_at, ends_at = dates[step]
            if row.opens_at < begins_at or row.closes_at > ends_at:
                found.append((row, step))
    return found
