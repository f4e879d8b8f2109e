"""How a family's change begins and ends, whichever page it comes from.

`begin` locks the application and asks for deadline, hold and version at the moment of saving.  `keep` ends it: a draft
is only touched, while a change after submission is an edit of its own, with a version and a receipt of what changed.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from enrollment.applications import applications, completeness, deadlines, lifecycle, receipts, reviewer_assignment
from enrollment.applications.application_rows import Application, Stage
from enrollment.ground.accounts import Actor


def begin(
    session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime, version: int | None = None
) -> Application:
    """The application, locked and open to change.  Raises Stale, NotFound, or Refused with the reason."""
    application = applications.locked(session, application_id, by=by, version=version)
    deadlines.require_editable(session, application, now=now)
    return application


def keep(session: Session, application: Application, *, by: Actor, now: dt.datetime, move: str | None = None) -> None:
    """End a change, and tell the guardians of its receipt.  Refuses what would leave a handed-in application incomplete.

    `move` names the move where it is not the plain edit, which sends an application under review back into the queue.
    """
    keep_all(session, [application], by=by, now=now, moves={application.id: move} if move else {})


def keep_all(
    session: Session,
    members: Sequence[Application],
    *,
    by: Actor,
    now: dt.datetime,
    moves: Mapping[uuid.UUID, str] | None = None,
) -> None:
    """End one change of several bound applications: a receipt of each, and one message to each guardian."""
    receipts.tell(session, keep_each(session, members, by=by, now=now, moves=moves), by=by, now=now)


def keep_each(
    session: Session,
    members: Sequence[Application],
    *,
    by: Actor,
    now: dt.datetime,
    moves: Mapping[uuid.UUID, str] | None = None,
) -> list[receipts.Receipt]:
    """End one change of several applications, of which the caller tells the guardians; the receipts of those handed in."""
    given = moves or {}
    kept = [_kept(session, member, by=by, now=now, move=given.get(member.id)) for member in members]
    return [receipt for receipt in kept if receipt is not None]


def _kept(
    session: Session, application: Application, *, by: Actor, now: dt.datetime, move: str | None
) -> receipts.Receipt | None:
    session.flush()
    if application.stage not in lifecycle.WITH_AUTHORITY:
        application.version += 1
        application.changed_at = now
        session.flush()
        return None
    comparison = receipts.compare(session, application)
    if not comparison.changed:
        return None
    completeness.require(session, application, by=by)
    if application.stage == Stage.SUBMITTED:
        move = "edit"
    lifecycle.make(session, application, move or "edit_in_review", by=by, now=now)
    if "wishes" in comparison.changed and application.stage == Stage.SUBMITTED:
        reviewer_assignment.assign(session, application)
    return receipts.write(session, application, comparison, by=by, now=now)
