"""A guardian takes over the account that a helper entered from a signed paper, after signing in with its phone number.

The phone alone is not enough, because a helper may have mistyped it: the person must also know the identity number of the
guardian who signed.  Until then nothing of the application is shown.
"""

import datetime as dt
import hmac
import uuid
from dataclasses import dataclass

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from enrollment.applications import applications
from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, identity
from enrollment.ground.accounts import Account, Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.people import guardians
from enrollment.people.consents import Consent
from enrollment.people.mandate_rows import PAPERS, Mandate
from enrollment.people.person_rows import Guardian

MOST_TRIES = 5


@dataclass(frozen=True)
class Waiting:
    """What is shown before the identity is proved: the helper, and the date on the paper."""

    mandate_id: uuid.UUID
    helper: str
    given_at: dt.datetime


def waiting_for_me(session: Session, *, by: Actor) -> list[Waiting]:
    """Papers with the signed-in person's phone number, not taken over or disowned yet, one for each family."""
    account = session.get_one(Account, by.account_id)
    if by.on_behalf or account.phone_index is None:
        return []
    if PAPERS.ahead(session, account.phone_index) == []:
        return []
    rows = session.execute(
        select(Mandate, Account.name)
        .join(Account, Account.id == Mandate.helper_id)
        .where(
            Mandate.phone_index == account.phone_index,
            Mandate.taken_over_at.is_(None),
            Mandate.tries < MOST_TRIES,
        )
        .order_by(Mandate.given_at)
    )
    newest = {row.Mandate.account_id: Waiting(row.Mandate.id, row.name, row.Mandate.given_at) for row in rows}
    return list(newest.values())


def take_over(session: Session, mandate_id: uuid.UUID, id_number: str, *, by: Actor, now: dt.datetime) -> bool:
    """Move everything that was entered from the paper to the signed-in guardian's account.

    Returns False for a wrong number; the caller must commit then too, because the attempt is counted.
    Refuses `nothing_entered_yet`, and `phone_of_another_guardian` if this account already belongs to another guardian.
    """
    mandate = _mine(session, mandate_id, by=by)
    guardian = session.scalars(
        select(Guardian).where(Guardian.account_id == mandate.account_id).with_for_update()
    ).one_or_none()
    if guardian is None or guardian.id_index is None:
        raise Refused("nothing_entered_yet", field="id_number")
    if not hmac.compare_digest(guardian.id_index, identity.index_of(id_number, guardian.id_kind)):
        session.execute(_of_family(mandate).values(tries=Mandate.tries + 1))
        return False
    if guardians.guardian_of(session, by=by) is not None:
        raise Refused("phone_of_another_guardian", field="id_number")
    _move(session, mandate.account_id, guardian, by=by, now=now)
    ids = [application.id for application in applications.list_own(session, by=by)]
    notify_guardians(session, "application_taken_over", ids, now=now, by=by, event=f"taken_over:{mandate_id}")
    return True


def disown(session: Session, mandate_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Record that the person has not signed this paper: its mandates end, and it is not shown again."""
    mandate = _mine(session, mandate_id, by=by)
    audit.record(session, "disown_mandate", "mandate", mandate.id, by=by, now=now)
    session.execute(_of_family(mandate).values(tries=MOST_TRIES))
    live = update(Mandate).where(Mandate.account_id == mandate.account_id, Mandate.ended_at.is_(None))
    session.execute(live.values(ended_at=now, ended_by=by.account_id))
    session.expire_all()


def _mine(session: Session, mandate_id: uuid.UUID, *, by: Actor) -> Mandate:
    require_oneself(by)
    if mandate_id not in {each.mandate_id for each in waiting_for_me(session, by=by)}:
        raise NotFound()
    return session.get_one(Mandate, mandate_id, with_for_update=True, populate_existing=True)


def _of_family(mandate: Mandate) -> Update:
    return update(Mandate).where(Mandate.account_id == mandate.account_id)


def _move(session: Session, paper_account: uuid.UUID, guardian: Guardian, *, by: Actor, now: dt.datetime) -> None:
    """Move everything from the paper's account to the guardian's own account, and close the former."""
    theirs = select(Application.id).where(Application.entered_for == paper_account)
    session.execute(theirs.order_by(Application.id).with_for_update())  # after the guardian: the lock order of `units`
    mine = session.get_one(Account, by.account_id, with_for_update={"key_share": True})
    _end_twofold(session, paper_account, mine.id, now)
    _move_consents(session, paper_account, mine.id, now)
    guardian.account_id, guardian.phone, mine.name = mine.id, mine.phone or "", guardian.name
    guardian.version += 1
    session.flush()
    for table, column in ((Mandate, "account_id"), (Notice, "account_id"), (Application, "entered_for")):
        owner = getattr(table, column)
        moved = update(table).where(owner == paper_account).values({column: mine.id})
        session.execute(moved.values(taken_over_at=now) if table is Mandate else moved)
    session.get_one(Account, paper_account).disabled_at = now
    audit.record(session, "take_over", "account", mine.id, by=by, now=now, from_account=str(paper_account))
    session.flush()
    session.expire_all()


def _end_twofold(session: Session, paper_account: uuid.UUID, mine: uuid.UUID, now: dt.datetime) -> None:
    """If the same helper also has a mandate by code from the guardian, end the one on paper."""
    by_code = select(Mandate.helper_id).where(Mandate.account_id == mine, Mandate.ended_at.is_(None))
    twofold = update(Mandate).where(
        Mandate.account_id == paper_account, Mandate.ended_at.is_(None), Mandate.helper_id.in_(by_code)
    )
    session.execute(twofold.values(ended_at=now, ended_by=mine))


def _move_consents(session: Session, paper_account: uuid.UUID, mine: uuid.UUID, now: dt.datetime) -> None:
    """A consent that the guardian has given itself replaces the consent of the same kind on paper."""
    own = select(Consent.kind).where(Consent.account_id == mine, Consent.withdrawn_at.is_(None))
    earlier = update(Consent).where(
        Consent.account_id == paper_account, Consent.withdrawn_at.is_(None), Consent.kind.in_(own)
    )
    session.execute(earlier.values(withdrawn_at=now))
    session.execute(update(Consent).where(Consent.account_id == paper_account).values(account_id=mine))
