"""Sessions of witnesses as officials see them: requested by one, approved by another, revoked by any."""

import datetime as dt
import hashlib
import secrets
import unicodedata
import uuid
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw import draws
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.seed import declared_forms
from enrollment.draw.seed.witness_rows import SeedEntry, SeedPart, WitnessOffice, WitnessSession
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import CITY, DESK_OF_ROLE, Account, Actor, RoleGrant
from enrollment.ground.errors import NotFound, Refused
from enrollment.season.calendar import require_city_official
from enrollment.season.round_rows import Round

LIFETIME = dt.timedelta(hours=2)
WITNESSES_NEEDED = 2
MOST_WRONG_CODES = 5
CODE_DIGITS = 8
LONGEST_NAME = 40
LONGEST_REASON = 300


class SessionState(StrEnum):
    """What can still happen to a session, or how it ended.  It is computed, not stored."""

    REQUESTED = "requested"
    APPROVED = "approved"
    OPENED = "opened"
    ENTERED = "entered"
    EXPIRED = "expired"
    REVOKED = "revoked"
    BLOCKED = "blocked"


LIVE = frozenset([SessionState.REQUESTED, SessionState.APPROVED, SessionState.OPENED, SessionState.ENTERED])
"""The states in which a session takes the place of one of the two witnesses."""


def request(
    session: Session,
    round_id: uuid.UUID,
    part: SeedPart,
    *,
    name: str,
    office: WitnessOffice,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> tuple[WitnessSession, str]:
    """Request a session for a named witness.  Returns its row and the token of its link, which is shown once.

    `reason` is public and needed for another pair of entries after two that differ.  Refuses `no_draw_is_open`,
    `snapshot_outdated`, `part_not_declared`, `part_is_agreed`, `say_why`, `witnesses_enough`,
    `witness_name_missing`, `witness_named_already`, `witness_is_an_official`.
    """
    require_city_official(by)
    draw = lock_draw(session, round_id)
    if part not in declared_forms.of_draw(draw).parts:
        raise Refused("part_not_declared")
    attempt = _attempt(session, draw, part, reason)
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("witness_name_missing", field="name")
    entries = entries_of(session, draw, part)
    others = [
        each
        for each in of_part(session, draw, part)
        if each.attempt == attempt and state_of(each, now, entered=each.id in entries) in LIVE
    ]
    if any(_comparable(each.name) == _comparable(name) for each in others):
        raise Refused("witness_named_already", field="name")
    if len(others) >= WITNESSES_NEEDED:
        raise Refused("witnesses_enough")
    if _comparable(name) in _names_of_officials(session):
        raise Refused("witness_is_an_official", field="name")
    token = secrets.token_urlsafe(24)
    made = WitnessSession(
        draw_id=draw.id,
        commitment=draw.commitment,
        part=part,
        attempt=attempt,
        name=name,
        office=office,
        reason=reason.strip()[:LONGEST_REASON] or None if attempt > 1 else None,
        token_digest=digest(token),
        requested_by=by.account_id,
        requested_at=now,
        expires_at=now + LIFETIME,
        wrong_codes=0,
    )
    session.add(made)
    session.flush()
    audit.record(session, "request_witness", "draw", draw.id, by=by, now=now, witness=str(made.id), part=part)
    return made, token


def approve(session: Session, session_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> str:
    """Approve a session that another official requested.  Returns the code for the witness, which is shown once.

    Refuses `second_person_needed`, `witness_session_over`, `witness_approved_already`, and `first_person_left`: then the session is
    revoked, and requested anew.
    """
    require_city_official(by)
    one = _locked(session, session_id)
    _require_live(session, one, now)
    if one.approved_at is not None:
        raise Refused("witness_approved_already")
    if one.requested_by == by.account_id:
        raise Refused("second_person_needed")
    signatures.require_first_person(session, one.requested_by, CITY)
    code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    one.approved_by, one.approved_at, one.expires_at = by.account_id, now, now + LIFETIME
    one.code_digest = code_digest(one, code)
    session.flush()
    audit.record(session, "approve_witness", "draw", one.draw_id, by=by, now=now, witness=str(one.id), part=one.part)
    return code


def revoke(session: Session, session_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """End a session in which nothing was entered, for example because its link went to the wrong person.

    Refuses `witness_session_over` and `witness_entered_already`.
    """
    require_city_official(by)
    one = _locked(session, session_id)
    if session.get(SeedEntry, one.id) is not None:
        raise Refused("witness_entered_already")
    _require_live(session, one, now)
    one.revoked_by, one.revoked_at = by.account_id, now
    session.flush()
    audit.record(session, "revoke_witness", "draw", one.draw_id, by=by, now=now, witness=str(one.id), part=one.part)


def lock_draw(session: Session, round_id: uuid.UUID) -> Draw:
    """The round's draw that waits for its seed, locked.  Refuses `no_draw_is_open` and `snapshot_outdated`."""
    round_ = session.get(Round, round_id)
    if round_ is None:
        raise NotFound
    draw = draws.waiting_for_seed(session, round_.year)
    if draw is None or session.get_one(Snapshot, draw.snapshot_id).round_id != round_id:
        raise Refused("no_draw_is_open")
    session.refresh(draw, with_for_update=True)
    if draw.seed is not None:
        raise Refused("no_draw_is_open")
    if session.get_one(Snapshot, draw.snapshot_id, populate_existing=True).outdated_at is not None:
        raise Refused("snapshot_outdated")
    return draw


def of_part(session: Session, draw: Draw, part: str) -> list[WitnessSession]:
    """The sessions of a part for the draw's present commitment, the oldest first, in the same order on every machine."""
    found = select(WitnessSession).where(
        WitnessSession.draw_id == draw.id,
        WitnessSession.commitment == draw.commitment,
        WitnessSession.part == part,
    )
    return sorted(session.scalars(found), key=lambda each: (each.attempt, each.requested_at, each.name, each.id))


def state_of(one: WitnessSession, now: dt.datetime, *, entered: bool) -> SessionState:
    if entered:
        return SessionState.ENTERED
    if one.revoked_at is not None:
        return SessionState.REVOKED
    if one.wrong_codes >= MOST_WRONG_CODES:
        return SessionState.BLOCKED
    if one.expires_at <= now:
        return SessionState.EXPIRED
    if one.opened_at is not None:
        return SessionState.OPENED
    return SessionState.REQUESTED if one.approved_at is None else SessionState.APPROVED


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def code_digest(one: WitnessSession, code: str) -> bytes:
    """The digest of a code with the session's token, without which the few digits could be tried out."""
    return hashlib.sha256(one.token_digest + code.encode()).digest()


def entries_of(session: Session, draw: Draw, part: str) -> dict[uuid.UUID, SeedEntry]:
    """What was entered for the present commitment, by session."""
    found = (
        select(SeedEntry)
        .join(WitnessSession, WitnessSession.id == SeedEntry.session_id)
        .where(
            WitnessSession.draw_id == draw.id,
            WitnessSession.commitment == draw.commitment,
            WitnessSession.part == part,
        )
    )
    return {entry.session_id: entry for entry in session.scalars(found)}


def _attempt(session: Session, draw: Draw, part: str, reason: str) -> int:
    """The number of the pair that still needs entries."""
    sessions = of_part(session, draw, part)
    last = max((each.attempt for each in sessions), default=1)
    entries = entries_of(session, draw, part)
    values = [entries[each.id].value for each in sessions if each.attempt == last and each.id in entries]
    if len(values) < WITNESSES_NEEDED:
        if last > 1 and not reason.strip():
            raise Refused("say_why", field="reason")
        return last
    if len(set(values)) == 1:
        raise Refused("part_is_agreed")
    if not reason.strip():
        raise Refused("say_why", field="reason")
    return last + 1


def _require_live(session: Session, one: WitnessSession, now: dt.datetime) -> None:
    draw = session.get_one(Draw, one.draw_id)
    over = draw.seed is not None or draw.commitment != one.commitment
    if over or state_of(one, now, entered=session.get(SeedEntry, one.id) is not None) not in LIVE:
        raise Refused("witness_session_over")


def _locked(session: Session, session_id: uuid.UUID) -> WitnessSession:
    one = session.get(WitnessSession, session_id, with_for_update=True, populate_existing=True)
    if one is None:
        raise NotFound
    return one


def _comparable(name: str) -> str:
    """A name without what tells two spellings of it apart."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _names_of_officials(session: Session) -> set[str]:
    roles = [role for role, desk in DESK_OF_ROLE.items() if desk == "officials"]
    holding = select(RoleGrant.account_id).where(RoleGrant.role.in_(roles))
    found = session.scalars(select(Account).where(Account.id.in_(holding), Account.disabled_at.is_(None)))
    return {_comparable(account.name) for account in found}
