"""For which family a helper acts now.  The session keeps the mandate's id, so signing out or being away too long ends it."""

import uuid
from dataclasses import dataclass

from flask import session
from flask_login import current_user

from enrollment.applications import mandates
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.vault import masked
from enrollment.people import guardians
from portal.web.unit_of_work import clock, db

FIELD = "acting"
"""Each form names the family that it was shown for: a page left open in another tab writes nothing of one into another."""


@dataclass(frozen=True)
class Family:
    """The family that is helped: the actor for its verbs, and how a page calls it."""

    actor: Actor
    mandate: Mandate
    name: str
    phone: str

    @property
    def token(self) -> str:
        return str(self.mandate.id)


def current_family() -> Family | None:
    """The family of this helper's session, while its mandate lasts."""
    kept = session.get(FIELD)
    if kept is None:
        return None
    mandate_id = uuid.UUID(kept)
    actor = mandates.acting_for(db(), mandate_id, by=current_user.actor, now=clock())
    if actor is None:
        session.pop(FIELD)
        return None
    return family_of(db().get_one(Mandate, mandate_id), actor)


def begin(mandate_id: uuid.UUID) -> None:
    session[FIELD] = str(mandate_id)


def leave() -> None:
    session.pop(FIELD, None)


def family_of(mandate: Mandate, actor: Actor) -> Family:
    """`张*三`, as far as a name is known, and the end of the phone number."""
    guardian = guardians.guardian_of(db(), by=actor)
    name = guardian.name if guardian is not None else mandate.signed_name
    phone = db().get_one(Account, mandate.account_id).phone or ""
    return Family(actor, mandate, masked(name, keep_start=1, keep_end=1), phone[-4:])
