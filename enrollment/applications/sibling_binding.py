"""Children of one family who enter together: bound 捆绑 twins and siblings of one class level, and an elder sibling.

Bound children share one place in the draw and are placed together or not at all at each wish; separate children are
drawn each for itself.  The parents choose.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.validation import LARGEST_UNIT
from enrollment.applications import applications, deadlines, edits, units, wishes
from enrollment.applications.applications import Application, Stage, Wish
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.places.areas import LEVELS


def may_bind(session: Session, application: Application, *, by: Actor | None = None) -> list[Application]:
    """The family's other live applications of the same year and level, oldest child first."""
    family = applications.of_family(session, application, by=by)
    return [
        other
        for other in family
        if other.id != application.id and other.level == application.level and other.stage in LIVE_STAGES
    ]


def elders(
    session: Session, application: Application, *, now: dt.datetime, by: Actor | None = None
) -> list[Application]:
    """The family's applications for a higher class level in the same year that can take part."""
    mine = LEVELS.index(application.level)
    family = applications.of_family(session, application, by=by)
    return [other for other in family if LEVELS.index(other.level) > mine and _can_take_part(session, other, now=now)]


def _can_take_part(session: Session, application: Application, *, now: dt.datetime) -> bool:
    """Whether it is handed in, or a draft whose level has or will have a registration."""
    if application.stage != Stage.DRAFT:
        return application.stage in LIVE_STAGES
    times = deadlines.of(session, application, now=now)
    return (times.open or times.coming) is not None


def bind(session: Session, application_ids: Sequence[uuid.UUID], *, by: Actor, now: dt.datetime) -> uuid.UUID:
    """Bind children of one family and level.  They share the wishes of the first one from now on.

    Refuses `bind_two_or_more`, `bind_one_family`, `bind_one_level`, `bound_already` and what any edit refuses.
    """
    ids = list(dict.fromkeys(application_ids))
    if not 2 <= len(ids) <= LARGEST_UNIT:
        raise Refused("bind_two_or_more", field="together", most=LARGEST_UNIT)
    units.lock_families(session, ids)
    members = [edits.begin(session, each, by=by, now=now) for each in ids]
    first = members[0]
    if len({(member.family_code, member.year) for member in members}) > 1:
        raise Refused("bind_one_family", field="together")
    if len({member.level for member in members}) > 1:
        raise Refused("bind_one_level", field="together")
    bound = {member.unit for member in members}
    if first.unit is not None and len(bound) == 1:
        return first.unit
    if bound != {None}:
        raise Refused("bound_already", field="together")
    unit = uuid.uuid4()
    for member in members:
        member.unit = unit
        audit.record(session, "bind", "application", member.id, by=by, now=now, unit=str(unit))
    session.flush()
    for member in members[1:]:
        _copy_wishes(session, first, member, now)
    for member in members:
        edits.keep(session, member, by=by, now=now)
    notify_guardians(session, "siblings_bound", [each.id for each in members], now=now, by=by, event=f"bound:{unit}")
    return unit


def separate(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Let every child of the unit be drawn for itself.  Each keeps the wishes that they shared."""
    units.lock_families(session, [application_id])
    application = applications.locked(session, application_id, by=by)
    members = [edits.begin(session, member.id, by=by, now=now) for member in units.of(session, application)]
    if application.unit is None:
        return
    unit = application.unit
    for member in members:
        member.unit = None
        audit.record(session, "separate", "application", member.id, by=by, now=now)
    session.flush()
    for member in members:
        edits.keep(session, member, by=by, now=now)
    event = f"separated:{unit}"
    notify_guardians(session, "siblings_separated", [each.id for each in members], now=now, by=by, event=event)


def leave(session: Session, application: Application) -> None:
    """Take a withdrawn application out of its unit; one child alone is no unit.  The caller holds the family's locks."""
    if application.unit is None:
        return
    others = [member for member in units.of(session, application) if member.id != application.id]
    application.unit = None
    if len(others) == 1:
        others[0].unit = None
    session.flush()


def follow_elder(
    session: Session, application_id: uuid.UUID, elder_id: uuid.UUID | None, *, by: Actor, now: dt.datetime
) -> None:
    """Say that an elder sibling applies this year too, so that where the elder is placed the younger may follow; None takes it back."""
    application = edits.begin(session, application_id, by=by, now=now)
    if elder_id is not None and elder_id not in {elder.id for elder in elders(session, application, now=now, by=by)}:
        raise Refused("not_an_elder_sibling", field="elder")
    if application.elder_id == elder_id:
        return
    application.elder_id = elder_id
    audit.record(session, "follow_elder", "application", application_id, by=by, now=now, elder=str(elder_id))
    edits.keep(session, application, by=by, now=now)


def choose(
    session: Session,
    application_id: uuid.UUID,
    *,
    bound: bool,
    elder_id: uuid.UUID | None,
    version: int | None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """What the family says on one page: bound to all its siblings of the level or separate, and which elder one to follow."""
    units.lock_families(session, [application_id])
    application = edits.begin(session, application_id, by=by, now=now, version=version)
    siblings = may_bind(session, application, by=by)
    if bound and siblings and application.unit is None:
        bind(session, [application.id, *(other.id for other in siblings)], by=by, now=now)
    elif not bound and application.unit is not None:
        separate(session, application.id, by=by, now=now)
    follow_elder(session, application.id, elder_id, by=by, now=now)


def _copy_wishes(session: Session, source: Application, target: Application, now: dt.datetime) -> None:
    rounds = session.scalars(select(Wish.round_id).where(Wish.application_id == source.id).distinct())
    for round_id in list(rounds):
        wanted = [wish.programme_id for wish in wishes.of(session, source.id, round_id)]
        wishes.write(session, target, round_id, wanted)
