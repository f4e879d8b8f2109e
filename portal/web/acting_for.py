"""The family that a helper acts for.  The session keeps the mandate's id, so the end of the session ends the acting."""

import uuid
from dataclasses import dataclass

from flask import g, session
from flask_login import current_user

from enrollment.applications import mandates
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.vault import mask
from enrollment.people import guardians
from portal.web.unit_of_work import clock, db

FIELD = "acting"
"""The hidden form field with the family's token: a page left open in another tab cannot write into another family."""


@dataclass(frozen=True)
class Family:
    """The family that the helper acts for: the actor for service calls, and the name and phone that pages show."""

    actor: Actor
    mandate: Mandate
    name: str
    phone: str

    @property
    def token(self) -> str:
        return str(self.mandate.id)


def current_family() -> Family | None:
    """The family of this helper's session; None when there is none or its mandate has ended."""
    mandate_key = session.get(FIELD)
    if mandate_key is None:
        return None
    mandate_id = uuid.UUID(mandate_key)
    actor = mandates.acting_for(db(), mandate_id, by=current_user.actor, now=clock())
    if actor is None:
        session.pop(FIELD)
        return None
    return family_of(db().get_one(Mandate, mandate_id), actor)


def token() -> str | None:
    """What a form of this page says of the family that a helper acts for; None where nobody acts for another."""
    return g.acting.token if "acting" in g else None


def start(mandate_id: uuid.UUID) -> None:
    session[FIELD] = str(mandate_id)


def stop() -> None:
    session.pop(FIELD, None)


def family_of(mandate: Mandate, actor: Actor) -> Family:
    """The family with its masked name, such as `张*三`, and the last four digits of its phone number."""
    guardian = guardians.guardian_of(db(), by=actor)
    name = guardian.name if guardian is not None else mandate.signed_name
    return Family(actor, mandate, mask(name, keep_start=1, keep_end=1), phone_end(mandate))


def phone_end(mandate: Mandate) -> str:
    """The last four digits of the family's phone number, or nothing."""
    return (db().get_one(Account, mandate.account_id).phone or "")[-4:]
