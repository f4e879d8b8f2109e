"""The officer of a case: one person whose name and office telephone the family is given for questions."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, Role, RoleGrant
from enrollment.ground.errors import NotFound, Refused
from enrollment.review.case_rows import Case

LONGEST_DESK_PHONE = 30


@dataclass(frozen=True)
class Officer:
    """What the family sees.  `phone` is None while the officer has entered none."""

    name: str
    phone: str | None


def choose(session: Session, area_code: str | None) -> uuid.UUID | None:
    """The official of the area with the fewest open cases; if there is no area or it has no official, of the city.

    None if there is no official at all; the case then has no officer and waits on every official's list.
    """
    in_area = (RoleGrant.role == Role.AREA_OFFICIAL) & (RoleGrant.area_code == area_code)
    in_city = RoleGrant.role == Role.CITY_OFFICIAL
    for grant in (in_area, in_city) if area_code else (in_city,):
        open_cases = (
            select(func.count())
            .select_from(Case)
            .where(Case.officer_id == Account.id, Case.settled_at.is_(None))
            .correlate(Account)
            .scalar_subquery()
        )
        officials = select(Account.id).join(RoleGrant).where(grant, Account.disabled_at.is_(None))
        chosen = session.scalar(officials.order_by(open_cases, Account.created_at, Account.id).limit(1))
        if chosen is not None:
            return chosen
    return None


def officer_of(session: Session, case: Case) -> Officer | None:
    """The officer of a case, as the family sees it."""
    if case.officer_id is None:
        return None
    account = session.get_one(Account, case.officer_id)
    return Officer(account.name, account.desk_phone)


def save_desk_phone(session: Session, typed: str, *, by: Actor, now: dt.datetime) -> None:
    """Store the official's office telephone.  Refuses `desk_phone_form`."""
    if not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise NotFound
    phone = " ".join(typed.split())
    digits = sum(character.isdigit() for character in phone)
    if len(phone) > LONGEST_DESK_PHONE or not digits >= 7 or set(phone) - set("0123456789 +-()转,"):
        raise Refused("desk_phone_form", field="desk_phone")
    session.get_one(Account, by.account_id).desk_phone = phone
    audit.record(session, "save_desk_phone", "account", by.account_id, by=by, now=now)
    session.flush()
