"""A telephone number that the carrier may have given to another person (ADR 58).

Carriers give a number out again about 90 days after it was given up, and a one-time code then reaches the new holder.  When
nobody has proven the number of a guardian's account for the days that the policy says, a code alone opens the account only
in a browser that has signed in with the number before.  Elsewhere one more question is asked, the end of the guardian's
document; until it is answered no message about the family goes to the number (`PhoneDoubt`).

Who has never applied with the number says so.  The account then loses it after the waiting time of a phone change without
the old phone (`phone_changes.SESSION_WAIT`), as a `PhoneChange` without a new number: the former holder is told on every
other way, and objects by the answer, from a session, or at a desk (`phone_changes.stop_at_desk`).
"""

import datetime as dt
import hmac
import secrets
import uuid
from enum import StrEnum

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import desk_access, phone_change_course
from enrollment.applications.guardian_access.phone_changes import SESSION_WAIT, was_stopped
from enrollment.ground import audit, identity
from enrollment.ground.accounts import SYSTEM, Account, Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.people.desk_rows import PhoneChange, PhoneChangeWay, PhoneDoubt
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import policy_approval
from enrollment.season.rules import LEAST_DOUBT_DAYS, PHONE_DOUBT_DAYS

FREE_TRIES = 5
"""Wrong answers in a row before each further one waits for `PAUSE`: a slip is forgiven, and a number is not guessed."""

PAUSE = dt.timedelta(hours=24)
NOTE_AGAIN_AFTER = dt.timedelta(days=1)
"""A proof is not written again so soon, so that an ordinary sign-in changes no row."""


class Answer(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    TOO_MANY = "too_many"


def is_doubted(session: Session, account: Account, *, known_browser: bool, now: dt.datetime) -> bool:
    """Whether a code for the phone is not enough to open this account in this browser."""
    unproven = now - _proven_at(account)
    if account.phone_index is None or known_browser or unproven < dt.timedelta(days=LEAST_DOUBT_DAYS):
        return False
    if unproven < dt.timedelta(days=_doubt_days(session, account.id)):
        return False
    on_file = select(Guardian.id).where(Guardian.account_id == account.id, Guardian.id_number.is_not(None))
    return session.scalar(on_file) is not None


def note_proof(session: Session, account: Account, *, now: dt.datetime) -> None:
    """The guardian has proven that the number is theirs: a doubt ends, and so does the release to a new holder."""
    if account.phone_index is None or now - _proven_at(account) < NOTE_AGAIN_AFTER:
        return
    account.phone_proven_at = now
    if session.scalar(delete(PhoneDoubt).where(PhoneDoubt.account_id == account.id).returning(PhoneDoubt.since)):
        stop_release(session, account.id, by=SYSTEM, now=now)
    session.flush()


def begin(session: Session, account: Account, *, now: dt.datetime) -> None:
    """From now on no message about the family goes to the number, until the question is answered."""
    began = insert(PhoneDoubt).values(account_id=account.id, since=now, tries=0)
    if session.execute(began.on_conflict_do_nothing().returning(PhoneDoubt.account_id)).first() is not None:
        audit.record(session, "doubt_phone", "account", account.id, by=SYSTEM, now=now)


def answer(session: Session, account: Account, typed: str, *, now: dt.datetime) -> Answer:
    """Compare the end of the document with the guardian's.  The caller commits after a wrong answer too, which counts."""
    phone_change_course.lock_account(session, account.id)
    doubt = session.get(PhoneDoubt, account.id, with_for_update=True, populate_existing=True)
    guardian = session.scalars(select(Guardian).where(Guardian.account_id == account.id)).one_or_none()
    if doubt is None or guardian is None:
        raise NotFound
    if doubt.tries >= FREE_TRIES and doubt.tried_at is not None and now < doubt.tried_at + PAUSE:
        return Answer.TOO_MANY
    shown = desk_access.SHOWN_CHARACTERS
    given, kept = identity.normalise_number(typed)[-shown:], (guardian.id_number or "")[-shown:]
    if not kept or not hmac.compare_digest(given.encode(), kept.encode()):
        doubt.tries, doubt.tried_at = doubt.tries + 1, now
        session.flush()
        return Answer.WRONG
    note_proof(session, account, now=now)
    return Answer.RIGHT


def disclaim(session: Session, account: Account, *, now: dt.datetime) -> PhoneChange:
    """Whoever holds the number now has never applied with it: the account loses it after the waiting time.

    A second time gives the release that waits.  Refuses `phone_held` for some time after the guardian objected, and
    `phone_soon_free` while the account changes to another number anyway.
    """
    phone_change_course.lock_account(session, account.id)
    if session.get(PhoneDoubt, account.id) is None:
        raise NotFound
    waiting = phone_change_course.open_change(session, account.id)
    if waiting is not None and waiting.way != PhoneChangeWay.NEW_HOLDER:
        raise Refused("phone_soon_free")
    if waiting is not None:
        return waiting
    if was_stopped(session, account.id, PhoneChangeWay.NEW_HOLDER, now=now):
        raise Refused("phone_held")
    change = PhoneChange(
        account_id=account.id,
        way=PhoneChangeWay.NEW_HOLDER,
        old_answered=False,
        asked_at=now,
        stop_digest=phone_change_course.stop_digest(secrets.token_urlsafe(24)),
    )
    session.add(change)
    session.flush()
    audit.record(
        session, "request_phone_change", "account", account.id, by=SYSTEM, now=now, change=str(change.id),
        way=PhoneChangeWay.NEW_HOLDER,
    )  # fmt: skip
    phone_change_course.start(session, change, now + SESSION_WAIT, by=SYSTEM, now=now)
    return change


def release_of(session: Session, account_id: uuid.UUID) -> PhoneChange | None:
    """The release of the account's number to a new holder that waits."""
    change = phone_change_course.open_change(session, account_id)
    return change if change is not None and change.way == PhoneChangeWay.NEW_HOLDER else None


def stop_release(session: Session, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """The number stays with the account.  False if no release was waiting."""
    change = release_of(session, account_id)
    return change is not None and phone_change_course.stop(session, change.id, by=by, now=now)


def _proven_at(account: Account) -> dt.datetime:
    return account.phone_proven_at or account.created_at


def _doubt_days(session: Session, account_id: uuid.UUID) -> int:
    """The shortest time of the areas where the account's children live or are reviewed, of each child's newest season."""
    areas = (
        select(Application.year, Household.home_area, Kindergarten.area_code)
        .join(Guardianship, Guardianship.child_id == Application.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .outerjoin(Household, Household.application_id == Application.id)
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(Guardian.account_id == account_id, Guardianship.accepted_at.is_not(None))
        .where(or_(Household.home_area.is_not(None), Kindergarten.area_code.is_not(None)))
    )
    rows = session.execute(areas).all()
    newest = max((row.year for row in rows), default=None)
    here = {area for year, *found in rows if year == newest for area in found if area}
    policies = [policy_approval.policy_in_force(session, newest, area) for area in here] if newest else []
    return min((policy_approval.rules_of(each).phone_doubt_days for each in policies if each), default=PHONE_DOUBT_DAYS)
