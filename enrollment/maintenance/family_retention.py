"""A family leaves the books: its applications of a year that is long over, and then the people of whom nothing is left.

Deleted in batches of whole families, because children of one family name each other.  The rows above this wing (offers,
tickets, placements) have gone before; an admitted child stays on the roll of its kindergarten.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, ApplicationVersion, Wish
from enrollment.applications.elder_siblings import ElderSibling
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.applications.returned_items import RefusalProposal, ReturnedItem
from enrollment.eligibility.claims import Claim, VerifiedFact
from enrollment.eligibility.sibling_entitlements import Entitlement
from enrollment.ground.accounts import Account, RoleGrant
from enrollment.ground.audit import AuditEntry
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.outbox import Notice
from enrollment.ground.retention import THIRTY_DAYS, Moment, name_of, rows
from enrollment.ground.sign_in import WebSession
from enrollment.people.consents import Consent
from enrollment.people.guardians import Child, Guardian, Guardianship, Invitation
from enrollment.people.household_rows import Household
from enrollment.people.mandate_rows import Mandate
from enrollment.review.cases import Case
from enrollment.season.calendar import SeasonDate

OF_AN_APPLICATION = (
    RegisterAnswer, VerifiedFact, ElderSibling, Claim, EvidencePage, Household, Wish, ReturnedItem, RefusalProposal, Notice, MoveMade,
    ApplicationVersion,
)  # fmt: skip


def seasons_over_before(session: Session, moment: dt.datetime) -> list[int]:
    """Years whose last day was before a moment, the oldest first."""
    ended = select(SeasonDate.year).group_by(SeasonDate.year).having(func.max(SeasonDate.ends_at) <= moment)
    return list(session.scalars(ended.order_by(SeasonDate.year)))


def next_families(session: Session, moment: Moment, limit: int) -> tuple[int, list[uuid.UUID]] | None:
    """A year that is over for a year, and the applications of at most `limit` of its families, locked; None when all went.

    A family with an open case stays until the case is settled.
    """
    for year in seasons_over_before(session, moment.years_ago(1)):
        chosen = _families_of(year).distinct().order_by(Application.family_code).limit(limit)
        theirs = select(Application.id).where(Application.year == year, Application.family_code.in_(chosen))
        ids = list(session.scalars(theirs.order_by(Application.id).with_for_update()))
        if ids:
            return year, ids
    return None


def season_with_families(session: Session, moment: Moment) -> int | None:
    """The oldest year over for a year that still has families to go."""
    years = seasons_over_before(session, moment.years_ago(1))
    return next((year for year in years if session.scalar(_families_of(year).limit(1)) is not None), None)


def _families_of(year: int):
    """The codes of a year's families; those with an open case left out."""
    open_case = select(Case.application_id).where(Case.settled_at.is_(None), Case.application_id.is_not(None))
    disputed = select(Application.family_code).where(Application.id.in_(open_case))
    return select(Application.family_code).where(Application.year == year, Application.family_code.not_in(disputed))


def applications(session: Session, ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete applications with all they hold.  The door for their year is open."""
    gone: Counter[str] = Counter()
    children = list(session.scalars(select(Application.child_id).where(Application.id.in_(ids))))
    for table in OF_AN_APPLICATION:
        gone += all_of(session, table, table.application_id.in_(ids))
    session.execute(update(Case).where(Case.application_id.in_(ids)).values(application_id=None))
    gone += all_of(session, Application, Application.id.in_(ids))
    return gone + _people(session, children)


def _people(session: Session, child_ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete the children who are in no other application, and the guardians whose last child that was."""
    busy = select(Application.child_id).where(Application.child_id.in_(child_ids))
    left = list(session.scalars(select(Child.id).where(Child.id.in_(child_ids), Child.id.not_in(busy))))
    guardians = list(
        session.scalars(select(Guardianship.guardian_id).where(Guardianship.child_id.in_(left)).distinct())
    )
    gone = all_of(session, Notice, Notice.child_id.in_(left))
    gone += all_of(session, Invitation, Invitation.child_id.in_(left))
    gone += all_of(session, Guardianship, Guardianship.child_id.in_(left))
    gone += all_of(session, Child, Child.id.in_(left))
    return gone + all_of(session, Guardian, Guardian.id.in_(guardians), *_without_a_child())


def _without_a_child() -> tuple[ColumnElement[bool], ...]:
    cared_for = select(Guardianship.guardian_id).where(Guardianship.guardian_id == Guardian.id)
    invited = select(Invitation.id).where(Invitation.invited_by == Guardian.id)
    return ~cared_for.exists(), ~invited.exists()


def guardians_without_a_child(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Whoever said who they are a year ago and never entered a child; not while they are signed in."""
    here = select(WebSession.digest).where(WebSession.account_id == Guardian.account_id)
    return rows(
        session, Guardian, Guardian.created_at < moment.years_ago(1), ~here.exists(), *_without_a_child(), limit=limit
    )


def all_of(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> Counter[str]:
    gone = session.execute(delete(table).where(*conditions).execution_options(synchronize_session=False))
    count = gone.rowcount  # type: ignore[attr-defined]
    return Counter({name_of(table): count}) if count else Counter()


def mandates(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """With the season they were given for; one under which something is kept because of an open case stays with it."""
    years = seasons_over_before(session, moment.years_ago(1))
    entered = select(Application.id).where(
        Application.entered_for == Mandate.account_id,
        Application.entered_by == Mandate.helper_id,
        Application.year == Mandate.year,
    )
    return rows(session, Mandate, Mandate.year.in_(years), ~entered.exists(), limit=limit)


def invitations(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, Invitation, Invitation.made_at < moment.now - THIRTY_DAYS, limit=limit)


def entitlements(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, Entitlement, Entitlement.expires_on < today(moment.now), limit=limit)


def cases(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, Case, Case.settled_at < moment.years_ago(3), limit=limit)


def accounts(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Empty the accounts of families that took no part since a season which ended two years ago, and of who left the
    offices before it.

    The row stays, because signatures and histories name it for years; nothing in it tells whose it was.
    """
    years = seasons_over_before(session, moment.years_ago(2))
    if not years:
        return Counter()
    since = session.scalars(select(func.max(SeasonDate.ends_at)).where(SeasonDate.year.in_(years))).one()
    families = select(Account).where(
        Account.phone.is_not(None), Account.login.is_(None), Account.created_at < since, *_silent(since)
    )
    staff = select(Account).where(Account.login.is_not(None), Account.disabled_at < since)
    return _emptied(session, families, moment.now, limit) + _emptied(session, staff, moment.now, limit)


def _silent(since: dt.datetime) -> list[ColumnElement[bool]]:
    """Nothing is left of the person in the books, and no act of theirs is younger."""
    traces = (
        select(Guardian.id).where(Guardian.account_id == Account.id),
        select(Application.id).where(Application.entered_by == Account.id),
        select(Application.id).where(Application.entered_for == Account.id),
        select(Case.id).where(Case.account_id == Account.id),
        select(AuditEntry.number).where(AuditEntry.account_id == Account.id, AuditEntry.at >= since),
        select(WebSession.digest).where(WebSession.account_id == Account.id, WebSession.seen_at >= since),
    )
    return [~trace.exists() for trace in traces]


def _emptied(session: Session, whose: Select[Account], now: dt.datetime, limit: int) -> Counter[str]:
    found = session.scalars(whose.limit(limit).with_for_update(skip_locked=True)).all()
    ids = [account.id for account in found]
    for account in found:
        account.name = "—"
        account.login = account.password_hash = account.second_factor = account.second_factor_used = None
        account.phone = account.phone_index = None
        account.disabled_at = account.disabled_at or now
    session.flush()
    gone = all_of(session, Consent, Consent.account_id.in_(ids)) if ids else Counter()
    gone += all_of(session, RoleGrant, RoleGrant.account_id.in_(ids)) if ids else Counter()
    return gone + Counter(account=len(ids)) if ids else Counter()
