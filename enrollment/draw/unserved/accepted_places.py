"""Which places a family without one would accept: said by a guardian, or noted by the officer who called."""

import datetime as dt
import uuid

from sqlalchemy import delete
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.draw.unserved.rows import ACCEPTED, LONGEST_TEXT, AcceptedNature, AcceptedPlaces, ChosenPlace
from enrollment.draw.unserved.scope import locked, row_of, without_a_place
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.people.children import is_guardian_of

WALKS = (10, 20, 30, 45)
"""Minutes on foot that a family can choose as the longest; a longer one is "any"."""


def of(session: Session, application_id: uuid.UUID) -> AcceptedPlaces | None:
    return ACCEPTED.one(session, application_id)


def save(
    session: Session,
    application_id: uuid.UUID,
    *,
    agrees: bool | None,
    minutes: int | None,
    nature: str,
    note: str = "",
    seen: int | None = None,
    by: Actor,
    now: dt.datetime,
) -> AcceptedPlaces:
    """Store what the family said.  One that wants no proposal gets none, also of a placement that is being prepared.

    `seen` is the version of an official's page: an older page does not replace what the family has said since.
    Refuses `choice_missing` and `text_too_long`.  NotFound for who is neither a guardian nor the child's official.
    """
    application = session.get(Application, application_id)
    if application is None:
        raise NotFound("application")
    if by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        if application_id not in without_a_place(session, application.year, [application_id], by=by):
            raise NotFound("application")
    elif by.on_behalf or not is_guardian_of(session, application.child_id, by=by):
        raise NotFound("application")
    if agrees is None:
        raise Refused("choice_missing", field="agrees")
    if nature not in tuple(AcceptedNature) or (minutes is not None and minutes not in WALKS):
        raise Refused("choice_missing", field="nature" if nature not in tuple(AcceptedNature) else "minutes")
    if len(note) > LONGEST_TEXT:
        raise Refused("text_too_long", field="note", most=LONGEST_TEXT)
    locked(session, [application_id])
    session.refresh(application)
    row = row_of(session, application_id)
    if seen is not None and row.version != seen:
        raise Stale
    row.version += 1
    application.agrees_to_central = agrees
    if not agrees:
        session.execute(delete(ChosenPlace).where(ChosenPlace.application_id == application_id))
    said = session.merge(
        AcceptedPlaces(
            application_id=application_id, minutes=minutes, nature=nature, note=note.strip() or None,
            said_at=now, said_by=by.account_id,
        )
    )  # fmt: skip
    audit.record(session, "save_accepted_places", "application", application_id, by=by, now=now, agrees=agrees)
    session.flush()
    return said
