"""The worklist of an official: open tasks in the areas where this person decides."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.corrections import reinstatements, request_list
from enrollment.corrections.reinstatements import Reinstatement
from enrollment.coverage import target_decisions
from enrollment.coverage.targets import TargetDecision
from enrollment.draw import draw_jobs, draw_rooms, freed_places, participants, runs
from enrollment.draw.draw_rooms import DrawRoom
from enrollment.ground.accounts import Actor, Role
from enrollment.offers import revocations
from enrollment.offers.revocations import Revocable
from enrollment.places.kindergartens import Kindergarten, Page
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.reports.tables import exports
from enrollment.review import cases
from enrollment.season import policy_approval, rounds, season_lifecycle, seasons
from enrollment.season.calendar import Season, SeasonStage
from enrollment.season.policy_rows import Policy
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round
from enrollment.staff_accounts import listing


@dataclass
class Worklist:
    """`to_announce` are years in preparation that another person signed, `to_close_year` years whose calendar is over.

    `to_sign` are policies without this person's signature; `programmes` and `without_policy` are by area; `unreviewed` by round.

    `in_draw` are draws with a running or interrupted job, or that wait for this person; `cases` are open disputes by due
    date; `to_revoke` are offers that another person signed to revoke, `to_reinstate` refused applications that another person signed to reinstate; `corrections` counts undecided requests, `accounts` and `exports` what somebody else asked for; `targets` were proposed by another official; `to_replay` are rounds with free places that
    children on the waitlist want, and without a daily replay.
    """

    to_sign: list[Policy] = field(default_factory=list)
    to_try: list[Policy] = field(default_factory=list)
    without_policy: list[str] = field(default_factory=list)
    programmes: dict[str, int] = field(default_factory=dict)
    to_announce: list[Season] = field(default_factory=list)
    to_close_year: list[Season] = field(default_factory=list)
    to_open: list[Round] = field(default_factory=list)
    to_close: list[Round] = field(default_factory=list)
    to_freeze: list[Round] = field(default_factory=list)
    unreviewed: dict[uuid.UUID, int] = field(default_factory=dict)
    in_draw: list[DrawRoom] = field(default_factory=list)
    to_replay: list[Round] = field(default_factory=list)
    cases: Page | None = None
    to_revoke: list[Revocable] = field(default_factory=list)
    to_reinstate: list[Reinstatement] = field(default_factory=list)
    corrections: int = 0
    accounts: int = 0
    exports: int = 0
    targets: list[TargetDecision] = field(default_factory=list)


def official_worklist(
    session: Session, season: Season, areas: Sequence[str], *, by: Actor, now: dt.datetime
) -> Worklist:
    agenda = Worklist()
    decides = by.is_any(Role.CITY_OFFICIAL, Role.AREA_OFFICIAL)
    if decides:
        _policies(session, season, areas, agenda, by)
        agenda.cases = cases.listing(session, by=by)
        agenda.to_revoke = [
            each for each in revocations.waiting(session, by=by) if each.proposed and each.proposed.by != by.account_id
        ]
        again = reinstatements.waiting(session, by=by)
        agenda.to_reinstate = [each for each in again if each.proposed and each.proposed.by != by.account_id]
        agenda.corrections = request_list.count_undecided(session, by=by)
        agenda.accounts = listing.waiting_for(session, by=by, now=now)
        agenda.exports = exports.waiting_for(session, by=by, now=now)
        agenda.programmes = proposed_programmes(session, season.year, areas)
    if by.is_any(Role.CITY_OFFICIAL):
        agenda.targets = target_decisions.waiting_for(session, by=by)
        _years(session, agenda, by, now)
        _rounds(session, season, agenda, now)
        _draw_rooms(session, season, agenda, by, now)
    return agenda


def _policies(session: Session, season: Season, areas: Sequence[str], agenda: Worklist, by: Actor) -> None:
    for made in policy_approval.waiting_for_signature(session, season.year, areas):
        if made.dry_run_at is None:
            agenda.to_try.append(made)
        elif all(row.account_id != by.account_id for row in policy_approval.signers(session, made)):
            agenda.to_sign.append(made)
    in_force = policy_approval.policies_in_force(session, season.year)
    waiting = {made.area_code for made in [*agenda.to_sign, *agenda.to_try]}
    with_programmes = _areas_with_programmes(session, season.year)
    agenda.without_policy = [area for area in areas if area in with_programmes - in_force.keys() - waiting]


def _areas_with_programmes(session: Session, year: int) -> set[str]:
    found = select(Kindergarten.area_code).join(Programme, Programme.kindergarten_id == Kindergarten.id)
    return set(session.scalars(found.where(Programme.year == year).distinct()))


def proposed_programmes(session: Session, year: int, areas: Sequence[str]) -> dict[str, int]:
    """Programmes that wait for approval, by area."""
    found = (
        select(Kindergarten.area_code, func.count())
        .join(Programme, Programme.kindergarten_id == Kindergarten.id)
        .where(
            Programme.year == year, Programme.state == ProgrammeState.PROPOSED, Kindergarten.area_code.in_(list(areas))
        )
        .group_by(Kindergarten.area_code)
    )
    return {area: count for area, count in session.execute(found)}


def _years(session: Session, agenda: Worklist, by: Actor, now: dt.datetime) -> None:
    """Of every year: the first signature under a new year is asked for on the pages of another."""
    for season in seasons.all_years(session):
        signed = {one.account_id for one in season_lifecycle.signatures_of(session, season)}
        if season.stage == SeasonStage.PREPARATION and signed and by.account_id not in signed:
            agenda.to_announce.append(season)
        elif season.stage == SeasonStage.ANNOUNCED and seasons.is_past(season, now):
            agenda.to_close_year.append(season)


def _rounds(session: Session, season: Season, agenda: Worklist, now: dt.datetime) -> None:
    for row in rounds.rounds_of_year(session, season.year):
        if row.stage == RoundStage.PLANNED:
            agenda.to_open.append(row)
        elif row.stage == RoundStage.OPEN and now >= row.closes_at:
            agenda.to_close.append(row)
        elif row.stage == RoundStage.CLOSED and not draw_jobs.is_going_on(session, row.id):
            agenda.to_freeze.append(row)
            agenda.unreviewed[row.id] = participants.count(session, row, participants.AWAITING_DECISION)


def _draw_rooms(session: Session, season: Season, agenda: Worklist, by: Actor, now: dt.datetime) -> None:
    """Rooms whose next act this person may do: a run is signed by each person once."""
    for row in rounds.rounds_of_year(session, season.year):
        if row.stage not in (RoundStage.CLOSED, RoundStage.FROZEN, RoundStage.DRAWN, RoundStage.PUBLISHED):
            continue
        room = draw_rooms.of_round(session, row.id)
        signed = room.to_sign and any(one.account_id == by.account_id for one in runs.signed_by(session, room.to_sign))
        waits = not signed and (room.to_sign or room.step in ("seed", "run"))
        refused = room.publication is not None and room.publication.refused_at is not None
        if room.at_work or room.broke_off or refused or waits:
            agenda.in_draw.append(room)
        elif row.kind in rounds.KINDS_WITH_WISHES and _waits_for_a_replay(session, room, now):
            agenda.to_replay.append(row)


def _waits_for_a_replay(session: Session, room: DrawRoom, now: dt.datetime) -> bool:
    if (
        room.published is None
        or room.to_sign
        or room.signed
        or room.in_progress
        or room.approvals >= runs.SIGNATURES_NEEDED
    ):
        return False
    return freed_places.replay_is_due(session, room.published, now=now)
