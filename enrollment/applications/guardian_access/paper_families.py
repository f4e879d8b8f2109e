"""The account for the family of a signed paper.  A name alone says nothing: two families may have the same.

Papers of one helper with the same phone number and the same name are of one family.  A family without a phone is known only
to the helper, who picks it from the list of earlier ones; otherwise a paper without a phone is that of a new family.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground.accounts import Account, Actor, Role, RoleGrant
from enrollment.ground.errors import NotFound
from enrollment.people.mandate_rows import Mandate
from enrollment.people.person_rows import Child, Guardian, Guardianship


@dataclass(frozen=True)
class EarlierFamily:
    """A family without a phone for which the helper has acted: who signed last and when, and the children it entered."""

    account_id: uuid.UUID
    name: str
    signed_on: dt.date | None
    children: tuple[str, ...]


def without_phone(session: Session, *, by: Actor) -> list[EarlierFamily]:
    """The helper's families with a paper and without a phone number, the latest paper first."""
    papers = (
        select(Mandate.account_id, Mandate.signed_name, Mandate.signed_on)
        .join(Account, Account.id == Mandate.account_id)
        .where(
            Mandate.helper_id == by.account_id,
            Mandate.way == "paper",
            Mandate.phone_index.is_(None),
            Mandate.taken_over_at.is_(None),
            Account.phone.is_(None),
            Account.disabled_at.is_(None),
        )
        .order_by(Mandate.given_at.desc())
    )
    newest: dict[uuid.UUID, Any] = {}
    for row in session.execute(papers):
        newest.setdefault(row.account_id, row)
    names = _children(session, list(newest), by=by)
    return [
        EarlierFamily(account_id, row.signed_name or "", row.signed_on, names.get(account_id, ()))
        for account_id, row in newest.items()
    ]


def _children(session: Session, account_ids: list[uuid.UUID], *, by: Actor) -> dict[uuid.UUID, tuple[str, ...]]:
    if not account_ids:
        return {}
    entered = (
        select(Guardian.account_id, Child.id, Child.name)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .join(Child, Child.id == Guardianship.child_id)
        .join(Application, Application.child_id == Child.id)
        .where(Guardian.account_id.in_(account_ids), Application.entered_by == by.account_id)
        .order_by(Child.created_at)
    )
    found: dict[uuid.UUID, dict[uuid.UUID, str]] = {}
    for row in session.execute(entered):
        found.setdefault(row.account_id, {})[row.id] = row.name
    return {account_id: tuple(children.values()) for account_id, children in found.items()}


def account_of_paper(
    session: Session,
    index: bytes | None,
    name: str,
    phone: str,
    picked: uuid.UUID | None,
    *,
    by: Actor,
    now: dt.datetime,
) -> uuid.UUID:
    """The account for the family of this paper.  Raises NotFound if `picked` is none of the helper's families."""
    if picked is not None:
        if picked not in {each.account_id for each in without_phone(session, by=by)}:
            raise NotFound
        return picked
    if index is not None:
        earlier = select(Mandate).where(
            Mandate.helper_id == by.account_id, Mandate.phone_index == index, Mandate.taken_over_at.is_(None)
        )
        for mandate in session.scalars(earlier.order_by(Mandate.given_at.desc())):
            if mandate.signed_name == name and session.get_one(Account, mandate.account_id).disabled_at is None:
                return mandate.account_id
    account = Account(name=name, phone=phone or None, created_at=now, grants=[RoleGrant(role=Role.GUARDIAN)])
    session.add(account)
    session.flush()
    return account.id
