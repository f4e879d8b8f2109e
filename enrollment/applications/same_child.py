"""Two rows that turn out to be one child: which application stays, and whose documents go over."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.people.person_rows import Child, ChildDocument, ChildLikeness


@dataclass(frozen=True)
class Union:
    """`stays` and `goes` are children; `ends` is the application that must end first, if both apply in one year."""

    stays: uuid.UUID
    goes: uuid.UUID
    ends: Application | None


def union_of(session: Session, one: uuid.UUID, other: uuid.UUID) -> Union:
    """What stays: of two applications of a year the one that was handed in first, else the child that applies at all.

    The applications of both families are locked.
    """
    live = select(Application).where(Application.child_id.in_((one, other)), Application.stage.in_(LIVE_STAGES))
    units.lock_families(session, session.scalars(live.with_only_columns(Application.id)))
    found = session.scalars(live.order_by(Application.year.desc()).execution_options(populate_existing=True)).all()
    newest = [each for each in found if each.year == found[0].year]
    ordered = sorted(newest, key=_handed_in_first)
    stays = ordered[0].child_id if ordered else min(one, other)
    ends = ordered[1] if len(ordered) > 1 else None
    return Union(stays, other if stays == one else one, ends)


def _handed_in_first(application: Application) -> tuple:
    submitted = application.submitted_at
    return submitted is None, submitted or application.created_at, application.created_at, application.id


def join_documents(session: Session, union: Union, *, by: Actor, now: dt.datetime) -> None:
    """The documents go over to the child that stays; its current document and its handed-in list do not change."""
    rows = select(Child).where(Child.id.in_((union.stays, union.goes))).order_by(Child.id).with_for_update()
    session.execute(rows)
    theirs = update(ChildDocument).where(ChildDocument.child_id == union.goes)
    session.execute(theirs.values(child_id=union.stays, current=False, replaced_at=now))
    session.get_one(Child, union.goes).id_index = union.goes.bytes
    session.execute(delete(ChildLikeness).where(ChildLikeness.child_id == union.goes))
    session.flush()
    session.expire_all()
    audit.record(session, "join_documents", "child", union.stays, by=by, now=now, from_child=str(union.goes))
