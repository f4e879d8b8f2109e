"""Desks: whom a kindergarten or an area may serve at its desk, and the identity check before each act there."""

import datetime as dt
import hmac
import uuid

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, or_, select, true, union
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Wish
from enrollment.ground import audit, identity
from enrollment.ground.accounts import Account, Actor, Role, actor_of
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.random_codes import typed_registration_code
from enrollment.people.desk_rows import IdentityCheck
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import ID_KINDS, Guardian, Guardianship
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.scope import scope_condition

CHECK_LIFETIME = dt.timedelta(minutes=30)
"""How long a clerk may act on a check, on the assumption that the guardian is still at the desk."""

SHOWN_CHARACTERS = 4

WRONG_CHECKS = 5
WRONG_CHECKS_WITHIN = dt.timedelta(hours=24)
"""So many documents that differ are forgiven one person at one guardian's account in this time: a slip, but no guessing."""

AGREEMENT = "access_code"
"""Purpose of the check with which a second person agrees that a colleague prints a code; nothing else is done on it."""

DESK_ROLES = (Role.CLERK, Role.HEAD, Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)


def application_at_desk(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """An application that this desk may serve: with a wish in the clerk's kindergarten or the official's area."""
    found = select(Application).where(Application.id == application_id, _served_condition(by))
    application = session.scalars(found).one_or_none()
    if application is None:
        raise NotFound
    return application


def can_serve(session: Session, application_id: uuid.UUID | None, account_id: uuid.UUID | None) -> bool:
    """Whether this account may still serve the family at a desk: the first of two people for a request that waits."""
    account = session.get(Account, account_id, populate_existing=True) if account_id is not None else None
    if account is None or account.disabled_at is not None:
        return False
    by = actor_of(account)
    if not by.is_any(*DESK_ROLES):
        return False
    found = select(Application.id).where(Application.id == application_id, _served_condition(by))
    return session.scalar(found) is not None


def find_by_code(session: Session, registration_code: str, *, by: Actor) -> Application | None:
    """The application with this registration code, if this desk may serve it."""
    coded = Application.registration_code == typed_registration_code(registration_code)
    return session.scalars(select(Application).where(coded, _served_condition(by))).first()


def served_query(by: Actor) -> Select[uuid.UUID] | CompoundSelect[uuid.UUID]:
    """The ids of the applications that this desk may serve."""
    found = _served(by)
    return select(Application.id) if found is None else union(*found)


def _served_condition(by: Actor) -> ColumnElement[bool]:
    found = _served(by)
    return true() if found is None else or_(*(Application.id.in_(each) for each in found))


def _served(by: Actor) -> list[Select[uuid.UUID]] | None:
    """The ids in three parts, each of which an index finds: the review's, the wishes', the homes'; None for all of the city."""
    if not by.is_any(*DESK_ROLES) or by.on_behalf is not None:
        raise NotFound
    if by.is_any(Role.CITY_OFFICIAL):
        return None
    mine = select(Kindergarten.id).where(scope_condition(by))
    return [
        select(Application.id).where(Application.review_kindergarten_id.in_(mine)),
        select(Wish.application_id).join(Programme).where(Programme.kindergarten_id.in_(mine)),
        select(Household.application_id).where(Household.home_area.in_(by.areas)),
    ]


def reads_returned_items(session: Session, application: Application, *, by: Actor) -> bool:
    """Whether this person may read what a family has to complete: the kindergarten that reviews it, and its area.

    Items and notes name grounds, papers and health.  Other desks print them for a guardian whose identity they have checked.
    """
    reviewing = select(Kindergarten.id).where(
        Kindergarten.id == application.review_kindergarten_id, scope_condition(by)
    )
    return session.scalar(reviewing) is not None


def guardians_at_desk(session: Session, application: Application) -> list[Guardianship]:
    """The child's accepted guardians, in the order in which they became guardians."""
    theirs = select(Guardianship).where(
        Guardianship.child_id == application.child_id, Guardianship.accepted_at.is_not(None)
    )
    return list(session.scalars(theirs.order_by(Guardianship.since, Guardianship.guardian_id)))


def guardian_account(session: Session, application: Application, account_id: uuid.UUID) -> Account:
    """The account of one of the child's guardians.  Raises NotFound for another account."""
    for guardianship in guardians_at_desk(session, application):
        if guardianship.guardian.account_id == account_id:
            return session.get_one(Account, account_id)
    raise NotFound


def check_identity(
    session: Session,
    application_id: uuid.UUID,
    account_id: uuid.UUID,
    *,
    document_kind: str,
    document_end: str,
    purpose: str,
    by: Actor,
    now: dt.datetime,
) -> IdentityCheck | None:
    """Record which document the clerk saw.  None if it is not the guardian's; the caller then commits, because that counts.

    The clerk enters the last four characters from the document itself; the page does not show them.
    Refuses `id_kind`, and `too_many_checks` after `WRONG_CHECKS` documents that differed.
    """
    application = application_at_desk(session, application_id, by=by)
    guardian_account(session, application, account_id)
    if document_kind not in ID_KINDS:
        raise Refused("id_kind", field="document_kind")
    session.get_one(
        Account, by.account_id, with_for_update={"key_share": True}
    )  # a clerk's checks run one after the other
    if _wrong_checks(session, account_id, by=by, now=now) >= WRONG_CHECKS:
        raise Refused("too_many_checks", field="document_end")
    guardian = session.scalars(select(Guardian).where(Guardian.account_id == account_id)).one()
    typed = identity.normalise_number(document_end)[-SHOWN_CHARACTERS:]
    kept = (guardian.id_number or "")[-SHOWN_CHARACTERS:]
    same = document_kind == guardian.id_kind and hmac.compare_digest(typed.encode(), kept.encode())
    if not kept or not same:
        audit.record(session, "check_identity_differs", "account", account_id, by=by, now=now, purpose=purpose)
        session.flush()
        return None
    check = IdentityCheck(
        account_id=account_id,
        application_id=application.id,
        purpose=purpose,
        document_kind=document_kind,
        document_end=typed,
        checked_by=by.account_id,
        checked_at=now,
    )
    session.add(check)
    session.flush()
    audit.record(session, "check_identity", "account", account_id, by=by, now=now, check=str(check.id), purpose=purpose)
    return check


def _wrong_checks(session: Session, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    wrong = select(func.count()).where(
        AuditEntry.subject == "account",
        AuditEntry.subject_id == str(account_id),
        AuditEntry.act == "check_identity_differs",
        AuditEntry.account_id == by.account_id,
        AuditEntry.at > now - WRONG_CHECKS_WITHIN,
    )
    return session.scalar(wrong) or 0


def require_check(
    session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> IdentityCheck:
    """The clerk's identity check of this guardian in the last half hour.  Refuses `identity_check_needed` without one."""
    check = current_check(session, application_id, account_id, by=by, now=now)
    if check is None:
        raise Refused("identity_check_needed")
    return check


def current_check(
    session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> IdentityCheck | None:
    """The newest check of this guardian by this clerk that is not older than half an hour; None without one."""
    recent = select(IdentityCheck).where(
        IdentityCheck.application_id == application_id,
        IdentityCheck.account_id == account_id,
        IdentityCheck.checked_by == by.account_id,
        IdentityCheck.purpose != AGREEMENT,
        IdentityCheck.checked_at > now - CHECK_LIFETIME,
    )
    return session.scalars(recent.order_by(IdentityCheck.checked_at.desc()).limit(1)).first()
