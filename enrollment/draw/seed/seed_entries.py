"""What a witness does: open the session with link and code, read the value back, enter it once.

A witness has no account.  The session belongs to the browser that opened it first; two witnesses of a part use two
browsers.  What one entered is shown to nobody before the other has entered too.
"""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.draw_form import PartForm
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.seed import declared_forms, witness_sessions
from enrollment.draw.seed.witness_rows import SeedEntry, SeedPart, WitnessSession
from enrollment.draw.seed.witness_sessions import SessionState
from enrollment.ground import audit
from enrollment.ground.accounts import DESK_OF_ROLE, SYSTEM, Account
from enrollment.ground.errors import NotFound, Refused


def of_link(session: Session, token: str) -> WitnessSession:
    """The session of a link.  Raises NotFound for an unknown one."""
    found = select(WitnessSession).where(WitnessSession.token_digest == witness_sessions.digest(token))
    one = session.scalars(found.execution_options(populate_existing=True)).one_or_none()
    if one is None:
        raise NotFound
    return one


def open_with_code(
    session: Session, token: str, code: str, *, browser: str, account_id: uuid.UUID | None, now: dt.datetime
) -> bool:
    """Give the session to this browser.  False for a wrong code, which is counted: after five the session is blocked.

    `account_id` is of the person who is signed in in this browser.  Refuses what `require_open` refuses without a
    browser, `witness_other_browser`, `witness_same_browser` and `official_is_no_witness`.
    """
    one, draw = _locked(session, token)
    _require_live(session, one, draw, now)
    if one.approved_at is None:
        raise Refused("witness_not_approved_yet")
    if one.opened_at is not None:
        if one.browser_digest == witness_sessions.digest(browser):
            return True
        raise Refused("witness_other_browser")
    if account_id is not None and _is_official(session, account_id):
        raise Refused("official_is_no_witness")
    if one.code_digest != witness_sessions.code_digest(one, "".join(code.split())):
        one.wrong_codes += 1
        session.flush()
        audit.record(session, "mistype_witness_code", "draw", draw.id, by=SYSTEM, now=now, witness=str(one.id))
        return False
    mine = witness_sessions.digest(browser)
    others = witness_sessions.of_part(session, draw, one.part)
    if any(each.browser_digest == mine and each.attempt == one.attempt for each in others):
        raise Refused("witness_same_browser")
    one.browser_digest, one.opened_at = mine, now
    session.flush()
    audit.record(session, "open_witness_session", "draw", draw.id, by=SYSTEM, now=now, witness=str(one.id))
    return True


def require_open(
    session: Session, token: str, *, browser: str, now: dt.datetime
) -> tuple[WitnessSession, Draw, PartForm]:
    """The session that this browser opened, its draw, and the form of the part.

    Refuses `witness_session_over`, `witness_commitment_replaced`, `witness_entered_already`, `snapshot_outdated`,
    `witness_code_first`, `witness_other_browser` and `beacon_not_public_yet` (with `when`).
    """
    one, draw = _locked(session, token)
    _require_live(session, one, draw, now)
    if one.opened_at is None:
        raise Refused("witness_code_first")
    if one.browser_digest != witness_sessions.digest(browser):
        raise Refused("witness_other_browser")
    part = declared_forms.of_draw(draw).parts[one.part]
    public = part.published_time if one.part == SeedPart.BEACON else None
    if public is not None and now < public:
        raise Refused("beacon_not_public_yet", when=public)
    return one, draw, part


def enter(session: Session, token: str, value: str, *, browser: str, now: dt.datetime) -> SeedEntry:
    """Enter a value once.  The audit trail gets no value, so that nobody reads it before the other witness entered.

    Raises `DrawFormError` for a value outside the form.  Refuses what `require_open` refuses, `seed_before_commitment`
    and `value_of_earlier_commitment`: after a new commitment the numbers are drawn anew.
    """
    one, draw, part = require_open(session, token, browser=browser, now=now)
    if now <= draw.committed_at:
        raise Refused("seed_before_commitment")
    text = part.canonical_text(value, one.part)
    if _was_entered_before(session, draw, one.part, text):
        raise Refused("value_of_earlier_commitment")
    entry = SeedEntry(session_id=one.id, value=text, entered_at=now)
    session.add(entry)
    session.flush()
    audit.record(session, "enter_seed_part", "draw", draw.id, by=SYSTEM, now=now, witness=str(one.id), part=one.part)
    return entry


def _locked(session: Session, token: str) -> tuple[WitnessSession, Draw]:
    one = of_link(session, token)
    draw = session.get_one(Draw, one.draw_id, with_for_update=True, populate_existing=True)
    session.refresh(one, with_for_update=True)
    return one, draw


def _require_live(session: Session, one: WitnessSession, draw: Draw, now: dt.datetime) -> None:
    state = witness_sessions.state_of(one, now, entered=session.get(SeedEntry, one.id) is not None)
    if state == SessionState.ENTERED:
        raise Refused("witness_entered_already")
    if state not in witness_sessions.LIVE or draw.seed is not None:
        raise Refused("witness_session_over")
    if draw.commitment != one.commitment:
        raise Refused("witness_commitment_replaced")
    if session.get_one(Snapshot, draw.snapshot_id).outdated_at is not None:
        raise Refused("snapshot_outdated")


def _is_official(session: Session, account_id: uuid.UUID) -> bool:
    account = session.get_one(Account, account_id)
    return any(DESK_OF_ROLE.get(grant.role) == "officials" for grant in account.grants)


def _was_entered_before(session: Session, draw: Draw, part: str, value: str) -> bool:
    found = (
        select(SeedEntry.session_id)
        .join(WitnessSession, WitnessSession.id == SeedEntry.session_id)
        .where(
            WitnessSession.draw_id == draw.id,
            WitnessSession.part == part,
            WitnessSession.commitment != draw.commitment,
            SeedEntry.value == value,
        )
    )
    return session.scalar(found.limit(1)) is not None
