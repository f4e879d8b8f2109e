"""A second guardian joins by an invitation; every guardian of the child is told."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import notify_guardians
from enrollment.ground.accounts import Actor
from enrollment.people import invitations
from enrollment.people.person_rows import Guardianship


def accept_invitation(
    session: Session, invitation_id: uuid.UUID, *, relation: str, by: Actor, now: dt.datetime
) -> Guardianship:
    """Become a guardian of the child.  Repeating it changes nothing.  Refuses what `invitations.accept` refuses."""
    joined = invitations.accept(session, invitation_id, relation=relation, by=by, now=now)
    theirs = select(Application.id).where(Application.child_id == joined.child_id)
    ids = list(session.scalars(theirs.order_by(Application.id)))
    event = f"joined:{joined.guardian_id}"
    notify_guardians(session, "guardian_joined", ids, now=now, by=by, event=event)
    return joined
