"""Warnings that somebody may be taking over a guardian's account: to every guardian of the children of the account."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import outbox
from enrollment.ground.accounts import Actor
from enrollment.people.person_rows import Guardian, Guardianship


def live_applications(session: Session, account_id: uuid.UUID) -> list[uuid.UUID]:
    """The live applications of the account's children, of the newest season of each child."""
    theirs = (
        select(Application.id)
        .ext(distinct_on(Application.child_id))
        .join(Guardianship, Guardianship.child_id == Application.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(
            Guardian.account_id == account_id,
            Guardianship.accepted_at.is_not(None),
            Application.stage.in_(LIVE_STAGES),
        )
    )
    return list(session.scalars(theirs.order_by(Application.child_id, Application.year.desc())))


def warn(
    session: Session, kind: str, account_id: uuid.UUID, *, event: str, now: dt.datetime, by: Actor | None = None
) -> None:
    """Write the warning.  An account without a live application is warned alone."""
    about = live_applications(session, account_id)
    if about:
        notify_guardians(session, kind, about, now=now, event=event, by=by)
    else:
        outbox.tell(session, kind, account_id=account_id, key=f"{event}:{account_id}", now=now)
