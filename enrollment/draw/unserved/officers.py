"""The official who looks after a child without a place: one person whom the family knows by name.

Without an assignment the children of an area are divided among its officials by their application, so that every family
has an officer from the first hour, and the same one on each visit.  An assignment stands until its official leaves.
"""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from enrollment.draw.unserved.rows import UNSERVED
from enrollment.draw.unserved.scope import locked, row_of, without_a_place
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, Role, RoleGrant
from enrollment.ground.errors import Refused
from enrollment.review.case_officers import Officer


class Officers:
    """The officials of the areas and of the city, read in one statement; with `area` only those of that area and of the city."""

    def __init__(self, session: Session, area: str | None = None):
        self._near: dict[str | None, list[uuid.UUID]] = defaultdict(list)
        self.names: dict[uuid.UUID, str] = {}
        self._phones: dict[uuid.UUID, str | None] = {}
        found = (
            select(Account.id, Account.name, Account.desk_phone, RoleGrant.role, RoleGrant.area_code)
            .join(RoleGrant, RoleGrant.account_id == Account.id)
            .where(RoleGrant.role.in_((Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)), Account.disabled_at.is_(None))
            .order_by(Account.created_at, Account.id)
        )
        if area is not None:  # each name that is read has to be unsealed
            found = found.where(or_(RoleGrant.role == Role.CITY_OFFICIAL, RoleGrant.area_code == area))
        for row in session.execute(found):
            near = row.area_code if row.role == Role.AREA_OFFICIAL else None
            if row.id not in self._near[near]:
                self._near[near].append(row.id)
            self.names[row.id], self._phones[row.id] = row.name, row.desk_phone

    def of_area(self, area: str | None) -> list[uuid.UUID]:
        """Those of the area; the city's where it has none."""
        return self._near.get(area) or self._near.get(None) or []

    def may_have(self, area: str | None) -> list[uuid.UUID]:
        """Who can look after a child of the area: its officials and those of the city."""
        return list(dict.fromkeys([*self._near.get(area, ()), *self._near.get(None, ())]))

    def of(self, application_id: uuid.UUID, area: str | None, assigned: uuid.UUID | None) -> uuid.UUID | None:
        """The officer of a child; None where there is no official at all."""
        if assigned is not None and assigned in self.may_have(area):
            return assigned
        near = self.of_area(area)
        return near[application_id.int % len(near)] if near else None

    def card(self, officer_id: uuid.UUID | None) -> Officer | None:
        """The officer as the family sees it."""
        return None if officer_id is None else Officer(self.names[officer_id], self._phones[officer_id])


def officer_of(session: Session, application_id: uuid.UUID, area: str | None) -> Officer | None:
    """The officer of a child of this area, as its family sees it."""
    found = UNSERVED.one(session, application_id)
    officers = Officers(session, area)
    return officers.card(officers.of(application_id, area, found.officer_id if found else None))


def assign(
    session: Session,
    year: int,
    seen: Mapping[uuid.UUID, int],
    officer_id: uuid.UUID | None,
    *,
    by: Actor,
    now: dt.datetime,
) -> Counter[str]:
    """Give children to an officer; bound children go together.  `seen` has the version of each that the page showed.

    Returns how many were `moved`, and how many stayed because somebody `changed` them meanwhile or because they `left` the
    board.  Refuses `officer_missing`, and `officer_not_here` with `n` for an official of another area.
    """
    if officer_id is None or not seen:
        raise Refused("officer_missing" if officer_id is None else "no_child_ticked", field="officer")
    officers = Officers(session)
    here = without_a_place(session, year, list(seen), by=by)
    foreign = [each.id for each in here.values() if officer_id not in officers.may_have(each.home)]
    if foreign:
        raise Refused("officer_not_here", field="officer", n=len(foreign))
    result: Counter[str] = Counter(left=len(seen) - len(here))
    for application_id in locked(session, here):
        row = row_of(session, application_id)
        if row.version != seen[application_id]:
            result["changed"] += 1
        elif row.officer_id != officer_id:
            before, row.officer_id = row.officer_id, officer_id
            row.version += 1
            audit.record(
                session, "assign_officer", "application", application_id, by=by, now=now,
                before=str(before), officer=str(officer_id),
            )  # fmt: skip
            result["moved"] += 1
    session.flush()
    return result
