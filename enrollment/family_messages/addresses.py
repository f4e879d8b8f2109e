"""Postal addresses of families whom no text message reaches, for labels, envelopes and letters."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.family_messages import sending
from enrollment.family_messages.rows import FamilyMessage
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import PARENTS, Guardian, Guardianship
from enrollment.places.areas import Area


@dataclass(frozen=True)
class Address:
    """`lines` from the district to the door, as they stand on a letter in China; `code` tells letters apart."""

    code: str
    to: str
    lines: tuple[str, ...]


def out_of_reach(session: Session, message: FamilyMessage) -> list[Address]:
    """An address for each child of the message whose family gets no text message, by registration code.

    It goes to a parent, or else to the guardian of longest standing.  A family that gave no address has none here.
    """
    silent = [application_id for application_id, _code in sending.reach_of(session, message).out_of_reach]
    return of_applications(session, silent)


def of_applications(session: Session, application_ids: Collection[uuid.UUID]) -> list[Address]:
    """The same for these applications.  The caller has checked that the actor serves them."""
    return list(by_application(session, application_ids).values())


def by_application(session: Session, application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Address]:
    """The same by application, in the order of the registration codes."""
    found = (
        select(Application.id, Application.registration_code, Guardian.name, Area.name.label("area"), Household)
        .join(Household, Household.application_id == Application.id)
        .join(Guardianship, Guardianship.child_id == Application.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .outerjoin(Area, Area.code == Household.home_area)
        .where(Application.id.in_(application_ids), Guardianship.accepted_at.is_not(None))
        .order_by(
            Application.registration_code,
            Application.id,
            case((Guardianship.relation.in_(PARENTS), 0), else_=1),
            Guardianship.since,
        )
    )
    first: dict[uuid.UUID, Address] = {}
    for row in session.execute(found):
        home = row.Household
        if not home.home_address or row.id in first:
            continue
        near = "".join(part for part in (home.home_street, home.home_community, home.home_estate) if part)
        parts = ("" if home.home_outside else f"成都市{row.area or ''}", near, home.home_address)
        first[row.id] = Address(row.registration_code or "", row.name, tuple(part for part in parts if part))
    return first


def reads_english(session: Session, application_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these applications of which a guardian chose English for its messages."""
    found = (
        select(Application.id)
        .join(Guardianship, Guardianship.child_id == Application.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .join(Account, Account.id == Guardian.account_id)
        .where(Application.id.in_(application_ids), Guardianship.accepted_at.is_not(None), Account.language == "en")
    )
    return set(session.scalars(found))


def record_printing(
    session: Session, message: FamilyMessage, sheet: str, count: int, *, by: Actor, now: dt.datetime
) -> None:
    """Record who printed how many addresses, and on what."""
    audit.record(session, "print_addresses", "family_message", message.id, by=by, now=now, sheet=sheet, lines=count)
