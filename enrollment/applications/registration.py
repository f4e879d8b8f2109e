"""Entering and correcting guardians and children, and starting a new season for a known child.

Each of these functions changes both people and applications.
"""

import datetime as dt
import uuid

from sqlalchemy import delete
from sqlalchemy.orm import Session

from enrollment.applications import applications, deadlines, edits, identity_edits, lifecycle, wishes
from enrollment.applications.applications import Application, Stage, Wish
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused, Stale
from enrollment.people import children, consents, documents, duplicates, guardians, person_rows
from enrollment.people.person_rows import Child, Guardian, Guardianship
from enrollment.season import ages, calendar, openings


def save_guardian(
    session: Session,
    *,
    name: str,
    id_kind: str,
    id_number: str,
    version: int | None = None,
    by: Actor,
    now: dt.datetime,
) -> Guardian:
    """Store or correct the identity of the signed-in person.  An empty number keeps the stored one.

    Handed-in applications contain the guardian's details, so a correction is an edit of each and their deadline applies.
    Applications of a season that is over are not changed.
    Refuses `guardian_said_it_itself` to a helper who would change the guardian's own answers, and `consent_needed`
    before the guardian has agreed that an identity is stored.
    """
    if guardians.guardian_of(session, by=by) is None:
        consents.require(session, consents.CHILD_DATA, by=by)
    handed_in = [each for each in applications.list_own(session, by=by) if each.stage in lifecycle.WITH_AUTHORITY]
    guardians.lock_guardian(session, by=by)
    if not may_say_guardian(session, by=by):
        raise Refused("guardian_said_it_itself")
    mine = [each for each in handed_in if not calendar.is_over(session, each.year, now)]
    open_now = [edits.begin(session, each.id, by=by, now=now) for each in sorted(mine, key=lambda one: one.id)]
    known = guardians.guardian_of(session, by=by)
    if known is not None and not id_number.strip() and known.id_number:
        id_kind, id_number = known.id_kind or id_kind, known.id_number
    guardian = guardians.save_guardian(
        session, name=name, id_kind=id_kind, id_number=id_number, version=version if known else None, by=by, now=now
    )
    for application in open_now:
        edits.keep(session, application, by=by, now=now)
    return guardian


def may_say_guardian(session: Session, *, by: Actor) -> bool:
    """Whether the actor may store or correct the guardian's identity.

    A helper may if nobody has stored it yet, or if it was stored under the helper's own mandate and no application that
    the helper did not enter depends on it.
    """
    guardian = guardians.guardian_of(session, by=by) if by.on_behalf else None
    if by.on_behalf is None or guardian is None:
        return True
    return guardian.created_at >= by.on_behalf.since and not applications.beside_a_helper(session, by=by)


def enter_child(
    session: Session,
    year: int,
    *,
    name: str,
    id_kind: str,
    id_number: str,
    relation: str,
    born: dt.date | None = None,
    sex: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> Application:
    """Store the child and start its application of the year.  Repeating it returns the same application.

    Refuses what `people.add_child` and `applications.start` refuse, for instance `child_already_entered`, or
    `own_child_has_this_number` where the guardian entered another child with it.
    """
    child = children.add_child(
        session,
        name=name,
        id_kind=id_kind,
        id_number=id_number,
        relation=relation,
        born=born,
        sex=sex,
        by=by,
        now=now,
    )
    return applications.start(session, child.id, year, by=by, now=now)


def correct_child(
    session: Session,
    application_id: uuid.UUID,
    *,
    name: str,
    id_kind: str,
    id_number: str,
    relation: str,
    born: dt.date | None = None,
    sex: str | None = None,
    version: int | None = None,
    by: Actor,
    now: dt.datetime,
) -> Application:
    """Correct the child of an application.  `version` is the child's.

    A new class level removes the wishes of a draft, which belong to the old level.  Those of a returned application go to the same
    kindergartens' programmes of the new one (`wishes.carry`), which is refused with `level_without_wishes` where none is left.  It
    is refused with `level_would_change` for bound children and while the application is with the authority; so is a draft's new level without registration, as `deadlines.level_to_register` does.  After a list with the child was frozen, a change of name, birth date, sex or document
    is refused with `identity_needs_a_request`.
    """
    guardian = guardians.require_guardian(session, by=by)
    application = edits.begin(session, application_id, by=by, now=now)
    child = session.get_one(Child, application.child_id, with_for_update={"key_share": True}, populate_existing=True)
    if version is not None and version != child.version:
        raise Stale()
    if relation not in person_rows.RELATIONS:
        raise Refused("relation_missing", field="relation")
    found, values = children.child_values(name, id_kind, id_number, born, sex, today(now))
    identity_edits.require_free_identity(session, child, values)
    if (found.kind, found.number) != (child.id_kind, child.id_number):
        holder = documents.child_of(session, found.index)
        children.refuse_other_name(session, None if holder == child.id else holder, values["name"], by=by)
        documents.correct_current(session, child, found)
    looks_different = (child.name, child.born, child.sex) != (values["name"], values["born"], values["sex"])
    _change_level(session, application, values["born"], now)
    for field, value in values.items():
        setattr(child, field, value)
    child.version += 1
    session.get_one(Guardianship, (guardian.id, child.id)).relation = relation
    audit.record(session, "correct_child", "child", child.id, by=by, now=now)
    edits.keep(session, application, by=by, now=now)
    if looks_different:
        duplicates.find(session, child, now=now)
    return application


def _change_level(session: Session, application: Application, born: dt.date, now: dt.datetime) -> None:
    if applications.level_of(born, application.year) == application.level:
        return
    if application.stage in lifecycle.WITH_AUTHORITY or application.unit is not None:
        raise Refused("level_would_change", field="id_number")
    if application.stage == Stage.RETURNED:
        _carry_wishes(session, application, applications.level_of(born, application.year))
        return
    level = deadlines.level_to_register(session, born, application.year, now=now)
    session.execute(delete(Wish).where(Wish.application_id == application.id))
    application.level = level
    application.elder_id = None


def _carry_wishes(session: Session, application: Application, level: str) -> None:
    """Change the level of an application that takes part in the draw as it is: it stays in its rounds, and with a wish."""
    listed = wishes.carried(session, application, level)
    if not any(each.programme_id for each in listed):
        raise Refused("level_without_wishes", field="id_number")
    wishes.carry(session, application, level, {each.round_id for each in listed})


def returning_children(session: Session, year: int, *, by: Actor, now: dt.datetime) -> list[Child]:
    """Children who applied in an earlier year, not yet in this one, and whose class level has or will have registration."""
    before = {each.child_id: each for each in applications.list_own(session, by=by) if each.year < year}
    if not before:
        return []
    begun = applications.children_of_year(session, list(before), year)
    waiting = [each.child for child_id, each in before.items() if child_id not in begun and not each.child.is_joined]
    return sorted(
        (child for child in waiting if _has_registration(session, child, year, now)), key=lambda one: one.born
    )


def _has_registration(session: Session, child: Child, year: int, now: dt.datetime) -> bool:
    level = ages.level_for(child.born, year)
    times = openings.window(session, year, level, now=now) if level else None
    return times is not None and (times.open or times.coming) is not None


def begin_next_season(session: Session, child_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime) -> Application:
    """Start the child's draft of the year.  Repeating it returns the same draft.

    Refuses `consent_needed` and what `applications.start` refuses.
    """
    require_oneself(by)
    children.own_child(session, child_id, by=by)
    consents.require(session, consents.CHILD_DATA, by=by)
    return applications.start(session, child_id, year, by=by, now=now)
