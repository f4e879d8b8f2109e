"""A later deadline of a round 延长登记: two city officials sign the same time, then families are told.

What is signed is "from this deadline to that one".  The first signature is a proposal: it changes nothing, holds also when the
round closes by the clock meanwhile, and is over when the deadline changes or another time is proposed.
"""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, Account, Actor
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import Refused, Stale
from enrollment.season import calendar
from enrollment.season.calendar import Season, require_city_official
from enrollment.season.round_rows import Round, RoundKind, RoundStage, get_round, move
from enrollment.season.rounds import check_dates, enqueue_closing, lock_season, step_of

SUBJECT = "extend_round"
ACT = "propose_extension"


@dataclass(frozen=True)
class Proposal:
    """What the first official signed, for the deadline as it is now."""

    closes_at: dt.datetime
    reason: str
    by: uuid.UUID
    name: str
    at: dt.datetime
    digest: str


def proposal_of(session: Session, found: Round) -> Proposal | None:
    """The last proposal, if the deadline has not changed since and families may still get more time."""
    entry = session.scalars(_proposals(found).order_by(AuditEntry.number.desc()).limit(1)).first()
    if entry is None or found.stage not in (RoundStage.OPEN, RoundStage.CLOSED):
        return None
    closes_at = dt.datetime.fromisoformat(entry.details["after"])
    digest = _digest(found, closes_at, entry.details.get("turn", 0))
    signed = signatures.signatures_of(session, SUBJECT, found.id, digest, office=CITY)
    if not signed:
        return None
    first = signed[0]
    name = session.get_one(Account, first.account_id).name
    return Proposal(closes_at, entry.reason or "", first.account_id, name, first.signed_at, first.digest)


def sign(
    session: Session,
    round_id: uuid.UUID,
    *,
    closes_at: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> bool:
    """Sign a later deadline, as an official of the city.  The second signature for the same time extends the round; one for another
    time is a new proposal, and the signature of the earlier one does not count any more.

    Returns True if it was extended.  Refuses what `extend` refuses, already at the first signature, and `signed_already`.
    """
    found = _check(session, round_id, closes_at=closes_at, reason=reason, by=by, now=now, version=version)
    proposed = proposal_of(session, found)
    if proposed is None or proposed.closes_at != closes_at:
        turn = session.scalar(select(func.count()).select_from(_proposals(found).subquery())) or 0
        signatures.sign(session, SUBJECT, found.id, _digest(found, closes_at, turn), office=CITY, by=by, now=now)
        told = {"after": closes_at.isoformat(), "turn": turn}
        audit.record(session, ACT, "round", found.id, by=by, now=now, reason=reason, **told)
        return False
    if signatures.sign(session, SUBJECT, found.id, proposed.digest, office=CITY, by=by, now=now) < signatures.NEEDED:
        return False
    extend(session, round_id, closes_at=closes_at, reason=reason, by=by, now=now)
    return True


def approve(session: Session, round_id: uuid.UUID, *, digest: str, by: Actor, now: dt.datetime) -> bool:
    """Sign the proposal with this digest.  Raises Stale if it is gone or another one has taken its place."""
    found = get_round(session, round_id, lock=True)
    proposed = proposal_of(session, found)
    if proposed is None or proposed.digest != digest:
        raise Stale()
    return sign(session, round_id, closes_at=proposed.closes_at, reason=proposed.reason, by=by, now=now)


def _proposals(found: Round) -> Select[AuditEntry]:
    return select(AuditEntry).where(
        AuditEntry.subject == "round", AuditEntry.subject_id == str(found.id), AuditEntry.act == ACT
    )


def _digest(found: Round, closes_at: dt.datetime, turn: int) -> str:
    """Of a deadline and the later one, and how often one was proposed before; neither a stage nor a version, which the clock
    changes between two signatures."""
    before, after = (each.astimezone(dt.UTC).isoformat() for each in (found.closes_at, closes_at))
    return hashlib.sha256(f"{found.id} {before} {after}{f' {turn}' if turn else ''}".encode()).hexdigest()


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
    """Move the deadline to a later time and notify families, after the signatures.  A closed round is reopened.

    Refuses `only_the_city`, `reason_needed`, `only_later`, `runs_into_draw`, `dates_out_of_order`, `season_is_closed`,
    and, once the round is frozen, `round_move_not_possible`.
    """
    found = _check(session, round_id, closes_at=closes_at, reason=reason, by=by, now=now, version=version)
    season = lock_season(session, found.year)
    before, found.closes_at = found.closes_at, closes_at
    found.version += 1
    if found.stage == RoundStage.CLOSED:
        move(session, found, "reopen", by=by, now=now)
    session.flush()
    audit.record(
        session, "extend_round", "round", found.id, by=by, now=now, reason=reason,
        before=before.isoformat(), after=closes_at.isoformat(),
    )  # fmt: skip
    _extend_calendar_step(season, found)
    session.flush()
    enqueue_closing(session, found, now=now)
    calendar.enqueue_new_date_notices(session, found.year, step_of(found), found.opens_at, closes_at, now=now)
    return found


def _check(
    session: Session,
    round_id: uuid.UUID,
    *,
    closes_at: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
    version: int | None,
) -> Round:
    """The round with its lock, if it may be extended so."""
    require_city_official(by)
    found = get_round(session, round_id, lock=True)
    if version is not None and version != found.version:
        raise Stale()
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    season = lock_season(session, found.year)
    calendar.require_not_closed(season)
    if found.stage not in (RoundStage.OPEN, RoundStage.CLOSED):
        raise Refused("round_move_not_possible", stage=found.stage, move="reopen")
    if closes_at <= max(found.closes_at, now):
        raise Refused("only_later", field="closes_at")
    check_dates(found.opens_at, closes_at, found.confirm_by)
    _check_before_draw(season, found, closes_at)
    return found


def _check_before_draw(season: Season, found: Round, closes_at: dt.datetime) -> None:
    dates = calendar.spans(season)
    if found.kind == RoundKind.MAIN and "draw" in dates and found.opens_at < dates["draw"][0] < closes_at:
        raise Refused("runs_into_draw", field="closes_at", begins_at=dates["draw"][0])


def _extend_calendar_step(season: Season, found: Round) -> None:
    """Extend the calendar step, so that it does not end before the round closes."""
    for date in season.dates:
        if date.step == step_of(found) and date.begins_at <= found.opens_at < date.ends_at < found.closes_at:
            date.ends_at = found.closes_at
