"""The begin and the end of every change by a family, for all pages.

`begin` locks the application and checks deadline, hold and version in the transaction that saves.  `keep` ends the change:
a draft gets a new version number only; after submission the change is an edit, with a stored version and a receipt.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from enrollment.applications import applications, completeness, deadlines, lifecycle, receipts, reviewer_assignment
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.judgements import endings
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

    `move` names a move other than the normal edit, which sends an application in review back into the queue.
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
    """End one change of several applications.  Returns the receipts of those handed in; the caller notifies the guardians."""
    given = moves or {}
    kept = [_kept(session, member, by=by, now=now, move=given.get(member.id)) for member in members]
    return [receipt for receipt in kept if receipt is not None]


def move_of(application: Application, given: str | None = None) -> str:
    """The move of an edit: one before the review changes nothing else, any other goes back into the queue unless `given` says so."""
    return "edit" if application.stage == Stage.SUBMITTED else given or "edit_in_review"


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
    completeness.require(session, application, by=by, now=now)
    endings.end_outdated(session, application, comparison, by=by, now=now)
    lifecycle.make(session, application, move_of(application, move), by=by, now=now)
    if "wishes" in comparison.changed and application.stage == Stage.SUBMITTED:
        reviewer_assignment.assign_again(session, application, comparison, now=now)
    return receipts.write(session, application, comparison, by=by, now=now)
