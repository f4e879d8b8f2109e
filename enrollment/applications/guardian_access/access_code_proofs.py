"""What a desk needs before it prints an access code: it opens a guardian's account, so one clerk alone cannot have it.

The guardian of an account with a phone reads out a code that was sent to this phone.  Without the phone at hand, or if the
number may be another person's by now, a second person checks the document too and agrees, as for a change of the phone.
A guardian without a phone needs neither: there is nothing that the code could take away from its owner.
"""

import datetime as dt
import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.guardian_access import desk_access
from enrollment.ground import audit, sign_in
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.errors import Refused
from enrollment.people.desk_rows import AccessCode, IdentityCheck, PhoneDoubt

OWN_PHONE = "access code of an account"


def is_needed(account: Account) -> bool:
    """Whether somebody can sign in with the phone of this account."""
    return account.phone_index is not None


def can_be_texted(session: Session, account: Account) -> bool:
    """Whether a code on the phone of this account proves that its guardian is there."""
    return is_needed(account) and bool(account.phone) and session.get(PhoneDoubt, account.id) is None


def send_code(
    session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> str | None:
    """A code for the guardian's phone; None if too many were requested.

    Refuses `identity_check_needed`, and `second_person_for_code` if no code can prove anything.
    """
    account = _served(session, application_id, account_id, by=by)
    desk_access.require_check(session, application_id, account_id, by=by, now=now)
    if not can_be_texted(session, account):
        raise Refused("second_person_for_code", field="code")
    bound_to = str(account_id)
    return sign_in.send_code(
        session, account.phone or "", now=now, purpose=OWN_PHONE, bound_to=bound_to, asker=asker_at_desk(by)
    )


def agree(session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """The second person has checked the document and agrees that a colleague prints a code now.

    Refuses `identity_check_needed`.
    """
    _served(session, application_id, account_id, by=by)
    check = desk_access.require_check(session, application_id, account_id, by=by, now=now)
    session.add(
        IdentityCheck(
            account_id=account_id,
            application_id=application_id,
            purpose=desk_access.AGREEMENT,
            document_kind=check.document_kind,
            document_end=check.document_end,
            checked_by=by.account_id,
            checked_at=now,
        )
    )
    session.flush()
    audit.record(session, "agree_access_code", "account", account_id, by=by, now=now, check=str(check.id))


def is_agreed(
    session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> bool:
    """Whether somebody else agreed in the last half hour, and no code was printed since."""
    printed = select(func.max(AccessCode.issued_at)).where(AccessCode.account_id == account_id).scalar_subquery()
    agreed = select(IdentityCheck.id).where(
        IdentityCheck.application_id == application_id,
        IdentityCheck.account_id == account_id,
        IdentityCheck.purpose == desk_access.AGREEMENT,
        IdentityCheck.checked_by != by.account_id,
        IdentityCheck.checked_at > now - desk_access.CHECK_LIFETIME,
        func.coalesce(IdentityCheck.checked_at > printed, True),
    )
    return session.scalar(agreed.limit(1)) is not None


def is_given(
    session: Session, application_id: uuid.UUID, account: Account, code: str, *, by: Actor, now: dt.datetime
) -> bool:
    """Whether this person may print a code now.  False for a wrong code of the phone; the caller then commits, as it counts.

    Refuses `phone_code_needed` and `second_person_for_code`.
    """
    if not is_needed(account) or is_agreed(session, application_id, account.id, by=by, now=now):
        return True
    if not can_be_texted(session, account):
        raise Refused("second_person_for_code", field="code")
    if not code:
        raise Refused("phone_code_needed", field="code")
    return sign_in.use_code(
        session, account.phone or "", code, now=now, purpose=OWN_PHONE, bound_to=str(account.id),
        asker=asker_at_desk(by),
    )  # fmt: skip


def asker_at_desk(by: Actor) -> sign_in.Asker:
    return sign_in.Asker(browser=str(by.account_id), address=str(by.account_id))


def _served(session: Session, application_id: uuid.UUID, account_id: uuid.UUID, *, by: Actor) -> Account:
    application = desk_access.application_at_desk(session, application_id, by=by)
    return desk_access.guardian_account(session, application, account_id)
