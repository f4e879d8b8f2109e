"""The family's own page about its child's needs, and the readings by those who look after the child."""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications
from enrollment.applications.child_needs.rows import ChildNeeds, NeedKind
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import Refused, Stale

LONGEST_NOTE = 300


def of_family(session: Session, application_id: uuid.UUID, *, by: Actor) -> ChildNeeds | None:
    """What the family told.  NotFound for anybody else's application; refuses `only_the_guardian` to a helper."""
    require_oneself(by)
    applications.own(session, application_id, by=by)
    return session.get(ChildNeeds, application_id)


def save(
    session: Session,
    application_id: uuid.UUID,
    *,
    kinds: Sequence[str],
    note: str,
    agrees: bool,
    version: int,
    by: Actor,
    now: dt.datetime,
) -> ChildNeeds | None:
    """Store what the family tells; nothing ticked and nothing written deletes it.  At any time, also after the deadline:
    it is no part of what is reviewed, of a receipt, or of the draw.

    `version` is that of the page (0 without a row).  Refuses `only_the_guardian` to a helper, `needs_without_consent`, `choice_missing`, `text_too_long` and
    `needs_only_cleared`.  Stale if another guardian saved meanwhile.
    """
    require_oneself(by)
    applications.own(session, application_id, by=by)
    application = applications.locked(session, application_id, by=by)
    row = session.get(ChildNeeds, application_id, populate_existing=True)
    if version != (row.version if row is not None else 0):
        raise Stale
    if application.stage not in LIVE_STAGES and (kinds or note.strip()):
        raise Refused("needs_only_cleared")
    if any(kind not in tuple(NeedKind) for kind in kinds):
        raise Refused("choice_missing", field="kinds")
    if len(note) > LONGEST_NOTE:
        raise Refused("text_too_long", field="note", most=LONGEST_NOTE)
    if not kinds and not note.strip():
        if row is not None:
            session.delete(row)
            audit.record(session, "delete_child_needs", "application", application_id, by=by, now=now)
            session.flush()
        return None
    if not agrees:
        raise Refused("needs_without_consent", field="agrees")
    if row is None:
        row = ChildNeeds(application_id=application_id, version=0)
        session.add(row)
    row.kinds = [kind for kind in NeedKind if kind in kinds]
    row.note = note.strip() or None
    row.said_by, row.agreed_at, row.version = by.account_id, now, row.version + 1
    session.flush()
    audit.record(session, "save_child_needs", "application", application_id, by=by, now=now)
    return row


def read_for_care(
    session: Session, application_ids: Collection[uuid.UUID], *, reason: str, by: Actor, now: dt.datetime
) -> dict[uuid.UUID, ChildNeeds]:
    """What families told about these children, for those who look after them.  Each reading is audited; the family sees it.

    The caller answers for the scope: the officer of an Article 17 case, or the kindergarten that has the child.
    """
    told = select(ChildNeeds).where(ChildNeeds.application_id.in_(application_ids))
    found = {each.application_id: each for each in session.scalars(told)}
    for application_id in sorted(found, key=str):
        audit.record(session, "read_child_needs", "application", application_id, by=by, now=now, reason=reason)
    return found
