"""Retention of families: applications of past seasons, then children and guardians without other rows.

Whole families are deleted together, because the children of a family refer to each other.  Offers, tickets and
placements are deleted first (`draw_retention`); an admitted child stays on the roll of its kindergarten.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, ApplicationVersion, Wish
from enrollment.applications.child_needs.rows import ChildNeeds
from enrollment.applications.elder_siblings import ElderSibling
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.applications.returned_items import RefusalProposal, ReturnedItem
from enrollment.delivery.message_choices import MessageChoice
from enrollment.delivery.wechat import WechatBinding
from enrollment.eligibility.claims import Claim, VerifiedFact
from enrollment.eligibility.sibling_entitlements import Entitlement
from enrollment.family_messages.rows import FamilyMessageItem
from enrollment.ground.accounts import Account, RoleGrant
from enrollment.ground.audit import AuditEntry
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.outbox import Notice
from enrollment.ground.retention import THIRTY_DAYS, Moment, delete_rows, table_name
from enrollment.ground.sign_in import WebSession
from enrollment.open_days.rows import OpenDayVisit
from enrollment.people.consents import Consent
from enrollment.people.desk_rows import AccessCode, AccessCodeUse, DeskContact, IdentityCheck, PhoneChange, PhoneDoubt
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.household_rows import HomeLikeness, Household
from enrollment.people.invitations import Invitation
from enrollment.people.mandate_rows import Mandate
from enrollment.people.person_rows import Child, ChildDocument, ChildLikeness, Guardian, Guardianship
from enrollment.people.sign_on_bindings import SignOnBinding
from enrollment.results.letters import LetterRow
from enrollment.review.case_rows import Case, GuardianRequest
from enrollment.review.correction_rows import CorrectionMove, CorrectionPage, CorrectionRequest
from enrollment.review.notes import ReviewNote
from enrollment.review.plausibility.rows import PlausibilityVerdict
from enrollment.review.queue.bulk_rows import BulkItem
from enrollment.season.calendar import SeasonDate

TABLES_OF_AN_APPLICATION = (
    ReviewNote, PlausibilityVerdict, ChildNeeds, BulkItem, RegisterAnswer, VerifiedFact, ElderSibling, Claim, EvidencePage, HomeLikeness, Household, Wish, ReturnedItem, RefusalProposal, Notice, MoveMade,
    ApplicationVersion, LetterRow, OpenDayVisit, FamilyMessageItem,
)  # fmt: skip


def seasons_ended_before(session: Session, moment: dt.datetime) -> list[int]:
    """Years whose last day was before a time, the oldest first."""
    ended = select(SeasonDate.year).group_by(SeasonDate.year).having(func.max(SeasonDate.ends_at) <= moment)
    return list(session.scalars(ended.order_by(SeasonDate.year)))


def next_family_batch(session: Session, moment: Moment, limit: int) -> tuple[int, list[uuid.UUID]] | None:
    """A season that ended a year ago and the ids of applications of at most `limit` families, locked; None if none is left.

    A family with an open case stays until the case is settled.
    """
    for year in seasons_ended_before(session, moment.years_ago(1)):
        chosen = _family_codes_query(year).distinct().order_by(Application.family_code).limit(limit)
        theirs = select(Application.id).where(Application.year == year, Application.family_code.in_(chosen))
        ids = list(session.scalars(theirs.order_by(Application.id).with_for_update()))
        if ids:
            return year, ids
    return None


def oldest_overdue_season(session: Session, moment: Moment) -> int | None:
    """The oldest season that ended a year ago and still has families to delete."""
    years = seasons_ended_before(session, moment.years_ago(1))
    return next((year for year in years if session.scalar(_family_codes_query(year).limit(1)) is not None), None)


def _family_codes_query(year: int):
    """Codes of the families of a year, without those with an open case."""
    open_case = select(Case.application_id).where(Case.settled_at.is_(None), Case.application_id.is_not(None))
    disputed = select(Application.family_code).where(Application.id.in_(open_case))
    return select(Application.family_code).where(Application.year == year, Application.family_code.not_in(disputed))


def delete_applications(session: Session, ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete applications and their dependent rows.  The caller granted the permit for their year."""
    gone: Counter[str] = Counter()
    children = list(session.scalars(select(Application.child_id).where(Application.id.in_(ids))))
    gone += _delete_corrections(session, ids)
    gone += _delete_desk_rows(session, ids)
    for table in TABLES_OF_AN_APPLICATION:
        gone += delete_all(session, table, table.application_id.in_(ids))
    session.execute(update(Case).where(Case.application_id.in_(ids)).values(application_id=None))
    gone += delete_all(session, Application, Application.id.in_(ids))
    return gone + _delete_people(session, children)


def _delete_corrections(session: Session, ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete the requests about these applications; one about a sibling that names one of them goes with it."""
    about = CorrectionRequest.application_id.in_(ids) | CorrectionRequest.duplicate_of.in_(ids)
    theirs = list(session.scalars(select(CorrectionRequest.id).where(about)))
    gone = delete_all(session, CorrectionMove, CorrectionMove.request_id.in_(theirs))
    gone += delete_all(session, CorrectionPage, CorrectionPage.request_id.in_(theirs))
    return gone + delete_all(session, CorrectionRequest, CorrectionRequest.id.in_(theirs))


def _delete_desk_rows(session: Session, ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete identity checks of these applications and the codes issued after them.  A phone change stays with its account."""
    checks = select(IdentityCheck.id).where(IdentityCheck.application_id.in_(ids))
    codes = select(AccessCode.id).where(AccessCode.identity_check_id.in_(checks))
    changed = update(PhoneChange).where(PhoneChange.application_id.in_(ids))
    session.execute(changed.values(application_id=None, identity_check_id=None))
    gone = delete_all(session, AccessCodeUse, AccessCodeUse.access_code_id.in_(codes))
    gone += delete_all(session, AccessCode, AccessCode.identity_check_id.in_(checks))
    gone += delete_all(session, DeskContact, DeskContact.application_id.in_(ids))
    return gone + delete_all(session, IdentityCheck, IdentityCheck.application_id.in_(ids))


def _delete_people(session: Session, child_ids: Collection[uuid.UUID]) -> Counter[str]:
    """Delete children without another application, and guardians without another child."""
    busy = select(Application.child_id).where(Application.child_id.in_(child_ids))
    left = list(session.scalars(select(Child.id).where(Child.id.in_(child_ids), Child.id.not_in(busy))))
    guardians = list(
        session.scalars(select(Guardianship.guardian_id).where(Guardianship.child_id.in_(left)).distinct())
    )
    gone = delete_all(session, Notice, Notice.child_id.in_(left))
    gone += delete_all(session, Invitation, Invitation.child_id.in_(left))
    gone += delete_all(session, GuardianRequest, GuardianRequest.child_id.in_(left))
    gone += delete_all(session, Guardianship, Guardianship.child_id.in_(left))
    gone += delete_all(session, ChildLikeness, ChildLikeness.child_id.in_(left))
    gone += delete_all(session, ChildDocument, ChildDocument.child_id.in_(left))
    gone += delete_all(session, DuplicateHint, or_(DuplicateHint.child_a.in_(left), DuplicateHint.child_b.in_(left)))
    gone += delete_all(session, Child, Child.id.in_(left))
    return gone + delete_all(session, Guardian, Guardian.id.in_(guardians), *_no_child_conditions())


def _no_child_conditions() -> tuple[ColumnElement[bool], ...]:
    cared_for = select(Guardianship.guardian_id).where(Guardianship.guardian_id == Guardian.id)
    invited = select(Invitation.id).where(Invitation.invited_by == Guardian.id)
    corrected = select(CorrectionRequest.id).where(CorrectionRequest.guardian_id == Guardian.id)
    return ~cared_for.exists(), ~invited.exists(), ~corrected.exists()


def delete_guardians_without_children(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete guardians of a year ago who never entered a child and are not signed in."""
    here = select(WebSession.digest).where(WebSession.account_id == Guardian.account_id)
    return delete_rows(
        session,
        Guardian,
        Guardian.created_at < moment.years_ago(1),
        ~here.exists(),
        *_no_child_conditions(),
        limit=limit,
    )


def delete_all(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> Counter[str]:
    gone = session.execute(delete(table).where(*conditions).execution_options(synchronize_session=False))
    count = gone.rowcount  # type: ignore[attr-defined]
    return Counter({table_name(table): count}) if count else Counter()


def delete_mandates(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete mandates a year after their season, except those whose applications are kept for an open case."""
    years = seasons_ended_before(session, moment.years_ago(1))
    entered = select(Application.id).where(
        Application.entered_for == Mandate.account_id,
        Application.entered_by == Mandate.helper_id,
        Application.year == Mandate.year,
    )
    return delete_rows(session, Mandate, Mandate.year.in_(years), ~entered.exists(), limit=limit)


def delete_invitations(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, Invitation, Invitation.made_at < moment.now - THIRTY_DAYS, limit=limit)


def delete_entitlements(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, Entitlement, Entitlement.expires_on < today(moment.now), limit=limit)


def delete_cases(session: Session, moment: Moment, limit: int) -> Counter[str]:
    over = Case.settled_at < moment.years_ago(3)
    requests = GuardianRequest.case_id.in_(select(Case.id).where(over))
    if gone := delete_rows(session, GuardianRequest, requests, limit=limit):
        return gone
    session.execute(update(Invitation).where(Invitation.case_id.in_(select(Case.id).where(over))).values(case_id=None))
    return delete_rows(session, Case, over, limit=limit)


def empty_accounts(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Empty the accounts of families that did not take part since a season that ended two years ago, and of staff disabled
    before it.

    The row stays, because signatures and histories refer to it; it contains no personal data.
    """
    years = seasons_ended_before(session, moment.years_ago(2))
    if not years:
        return Counter()
    since = session.scalars(select(func.max(SeasonDate.ends_at)).where(SeasonDate.year.in_(years))).one()
    has_role = select(RoleGrant.id).where(RoleGrant.account_id == Account.id).exists()  # an emptied account has none
    families = select(Account).where(
        has_role, Account.login.is_(None), Account.created_at < since, *_inactive_conditions(since)
    )
    staff = select(Account).where(Account.login.is_not(None), Account.disabled_at < since)
    return _empty(session, families, moment.now, limit) + _empty(session, staff, moment.now, limit)


def _inactive_conditions(since: dt.datetime) -> list[ColumnElement[bool]]:
    """Conditions: no row refers to the person as a family, and no act or session is newer than `since`."""
    traces = (
        select(Guardian.id).where(Guardian.account_id == Account.id),
        select(Application.id).where(Application.entered_by == Account.id),
        select(Application.id).where(Application.entered_for == Account.id),
        select(Case.id).where(Case.account_id == Account.id),
        select(AuditEntry.number).where(AuditEntry.account_id == Account.id, AuditEntry.at >= since),
        select(WebSession.digest).where(WebSession.account_id == Account.id, WebSession.seen_at >= since),
    )
    return [~trace.exists() for trace in traces]


def _empty(session: Session, whose: Select[Account], now: dt.datetime, limit: int) -> Counter[str]:
    found = session.scalars(whose.limit(limit).with_for_update(skip_locked=True)).all()
    ids = [account.id for account in found]
    for account in found:
        account.name = "—"
        account.login = account.password_hash = account.second_factor = account.second_factor_used = None
        account.phone = account.phone_index = account.desk_phone = None
        account.disabled_at = account.disabled_at or now
    session.flush()
    gone = delete_all(session, PhoneChange, PhoneChange.account_id.in_(ids)) if ids else Counter()
    gone += delete_all(session, PhoneDoubt, PhoneDoubt.account_id.in_(ids)) if ids else Counter()
    gone += delete_all(session, Consent, Consent.account_id.in_(ids)) if ids else Counter()
    gone += delete_all(session, MessageChoice, MessageChoice.account_id.in_(ids)) if ids else Counter()
    gone += delete_all(session, WechatBinding, WechatBinding.account_id.in_(ids)) if ids else Counter()
    gone += delete_all(session, SignOnBinding, SignOnBinding.account_id.in_(ids)) if ids else Counter()
    gone += delete_all(session, RoleGrant, RoleGrant.account_id.in_(ids)) if ids else Counter()
    return gone + Counter(account=len(ids)) if ids else Counter()
