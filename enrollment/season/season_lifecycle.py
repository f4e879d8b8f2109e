"""The stages of an admission year: preparation → announced → closed.

Announcing needs two city officials, who sign the same digest of the calendar; closing is one decision, after the last
step is over.  No other module sets `announced_at` and `closed_at`.
"""

import datetime as dt
import hashlib
import json
import uuid

from sqlalchemy.orm import Session

from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.signatures import Signature
from enrollment.season import calendar, holidays, seasons
from enrollment.season.calendar import Season, SeasonStage, require_city_official
from enrollment.season.calendar_validation import CalendarWarnings, Conflict, late_notice, warnings_of

SIGNATURES_NEEDED = 2

MOVES = {
    "announce": (SeasonStage.PREPARATION, SeasonStage.ANNOUNCED),
    "close": (SeasonStage.ANNOUNCED, SeasonStage.CLOSED),
}
"""All moves of a year: from, to."""


def subject_id(year: int) -> uuid.UUID:
    """The subject of the signatures: signatures know their subject by a UUID, a season is known by its year."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"season:{year}")


def digest_of(season: Season) -> str:
    """The digest that the two officials sign: the year, the hotline, and every step with its dates."""
    content = {
        "year": season.year,
        "hotline": season.hotline,
        "dates": {
            date.step: [moment.astimezone(dt.UTC).isoformat() for moment in (date.begins_at, date.ends_at)]
            for date in season.dates
        },
    }
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def signatures_of(session: Session, season: Season) -> list[Signature]:
    """The signatures under the calendar as it is now; one under other dates does not count."""
    return signatures.signatures_of(session, "season", subject_id(season.year), digest_of(season), office=CITY)


def warnings(session: Session, season: Season, *, now: dt.datetime) -> list[Conflict]:
    """What both people sign in spite of: warnings about the dates, and a notice that comes late."""
    dates, days = calendar.spans(season), holidays.of_year(session, season.year)
    return [*warnings_of(dates, days), *late_notice(dates, days, now=now)]


def announce(
    session: Session, year: int, *, digest: str, accept_warnings: bool = False, by: Actor, now: dt.datetime
) -> int:
    """Sign the year's calendar; with the second person's signature the year is announced.  Returns how many have signed.

    `digest` is that of the calendar which the person saw.  Refuses `only_the_city`, `calendar_changed`,
    `signed_already`, `season_move_not_possible`; raises CalendarWarnings unless this person accepts them.
    """
    require_city_official(by)
    season = _locked(session, year)
    _check_stage(season, "announce")
    if digest != digest_of(season):
        raise Refused("calendar_changed")
    said = warnings(session, season, now=now)
    if said and not accept_warnings:
        raise CalendarWarnings(said)
    count = signatures.sign(session, "season", subject_id(season.year), digest, office=CITY, by=by, now=now)
    if count >= SIGNATURES_NEEDED:
        season.announced_at = now
        _record(session, season, "announce", by=by, now=now, digest=digest)
    return count


def may_close(session: Session, year: int, *, under_way: str | None, by: Actor, now: dt.datetime) -> Season:
    """The year, locked, if it can be closed now.  `under_way` is the name of a round that is not over.

    Refuses `season_not_over`, `round_under_way`, `season_move_not_possible`.
    """
    require_city_official(by)
    season = _locked(session, year)
    _check_stage(season, "close")
    end = seasons.last_step_ends_at(season)
    if end is not None and now < end:
        raise Refused("season_not_over", ends_at=end)
    if under_way is not None:
        raise Refused("round_under_way", name=under_way)
    return season


def close(session: Session, season: Season, *, by: Actor, now: dt.datetime) -> Season:
    """Close a year of which `may_close` said that it can be closed.  It stays readable."""
    season.closed_at = now
    _record(session, season, "close", by=by, now=now)
    return season


def _locked(session: Session, year: int) -> Season:
    season = session.get(Season, year, with_for_update=True, populate_existing=True)
    if season is None:
        raise NotFound(year)
    return season


def _check_stage(season: Season, move: str) -> None:
    if season.stage != MOVES[move][0]:
        raise Refused("season_move_not_possible", stage=season.stage, move=move)


def _record(session: Session, season: Season, move: str, *, by: Actor, now: dt.datetime, **details: str) -> None:
    session.flush()
    before, after = MOVES[move]
    audit.record(
        session, f"{move}_season", "season", season.year, by=by, now=now, before=before, after=after, **details
    )
