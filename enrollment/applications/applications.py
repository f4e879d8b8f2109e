"""Applications 入园申请, one for each child and season: starting an application, and finding a guardian's applications."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, lifecycle
from enrollment.applications.application_rows import (
    APPLICATIONS,
    STAGES,
    Application,
    ApplicationVersion,
    Stage,
    Wish,
)
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, random_codes
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.people.children import own_child
from enrollment.people.guardians import require_guardian
from enrollment.people.person_rows import CARE, GUARDIANS, Child, Guardian, Guardianship
from enrollment.season import ages

__all__ = ["STAGES", "Application", "ApplicationVersion", "Stage", "Wish"]


def start(session: Session, child_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime) -> Application:
    """The child's application of a year: the existing one, a withdrawn one made a draft again, or a new draft.

    A child has one row for each season, so that applying again keeps the registration code and the ticket.
    Refuses `child_joined`, `application_was_refused`, to a helper `begun_by_the_family`, and what
    `deadlines.level_to_register` refuses: no draft begins that cannot be handed in.
    """
    child = own_child(session, child_id, by=by)
    if child.is_joined:
        raise Refused("child_joined")
    guardian = require_guardian(session, by=by)
    row = _of_child(child_id, year).with_for_update(key_share=True).execution_options(populate_existing=True)
    earlier = session.scalars(row).first()
    if earlier is not None:
        return _taken_up(session, _visible(earlier, by), child, by=by, now=now)
    level = deadlines.level_to_register(session, child.born, year, now=now)
    written = insert(Application).values(
        id=uuid.uuid4(),
        child_id=child_id,
        year=year,
        entered_by=by.acting_account_id,
        entered_for=by.account_id if by.on_behalf else None,
        level=level,
        stage=Stage.DRAFT,
        version=1,
        child_code=random_codes.pseudonym(),
        family_code=_family_code(session, guardian.id, year),
        agrees_to_central=False,
        on_hold=False,
        created_at=now,
        changed_at=now,
    )
    fresh = written.on_conflict_do_nothing(
        index_elements=["child_id", "year"], index_where=text("stage NOT IN ('refused','withdrawn')")
    ).returning(Application.id)
    application_id = session.scalar(fresh)
    if application_id is None:  # another transaction (the other guardian's) created the same application first
        return _visible(session.scalars(_of_child(child_id, year)).one(), by)
    audit.record(session, "start", "application", application_id, by=by, now=now)
    session.flush()
    return session.get_one(Application, application_id)


def apply_again(session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """Make a withdrawn application a draft again.  False for one that is going on already; then nothing is done.

    Refuses what `start` refuses.
    """
    application = locked(session, application_id, by=by)
    if application.stage not in DEAD_STAGES:
        return False
    start(session, application.child_id, application.year, by=by, now=now)
    return True


def level_of(born: dt.date, year: int) -> str:
    """The class level for a birth date.  Refuses `no_level_for_age`."""
    level = ages.level_for(born, year)
    if level is None:
        raise Refused("no_level_for_age", field="id_number", born=born, year=year)
    return level


def own(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """An application of a child in the signed-in guardian's care.  Raises NotFound for anybody else's."""
    known = _known(session, by)
    if known is None:
        return _one(session, select(Application).where(Application.id == application_id), by)
    found = next((each for each in known if each.id == application_id), None)
    if found is None:
        raise NotFound()
    return found


def _known(session: Session, by: Actor) -> list[Application] | None:
    """All applications of the signed-in guardian's children, as they were read ahead; None if they were not.

    Nothing is read ahead for a helper, who may see less.
    """
    guardians = GUARDIANS.ahead(session, by.account_id)
    if guardians is None or by.on_behalf is not None:
        return None
    children = [care.child_id for guardian in guardians for care in CARE.ahead(session, guardian.id) or ()]
    return [each for child_id in children for each in APPLICATIONS.ahead(session, child_id) or ()]


def locked(session: Session, application_id: uuid.UUID, *, by: Actor, version: int | None = None) -> Application:
    """The same, with its row locked until the end of the transaction.  Raises Stale when `version` is an older one."""
    row = select(Application).where(Application.id == application_id).with_for_update(of=Application, key_share=True)
    application = _one(session, row.execution_options(populate_existing=True), by)
    if version is not None and version != application.version:
        raise Stale()
    return application


def list_own(session: Session, *, by: Actor, year: int | None = None) -> list[Application]:
    """The applications of the signed-in guardian's children, newest year first."""
    known = _known(session, by)
    if known is not None:
        found = [each for each in known if year in (None, each.year)]
        return sorted(found, key=lambda each: (-each.year, each.child.created_at))
    mine = select(Application).join(Child).where(_mine(by))
    if year is not None:
        mine = mine.where(Application.year == year)
    return list(session.scalars(mine.order_by(Application.year.desc(), Child.created_at)))


def children_of_year(session: Session, child_ids: Sequence[uuid.UUID], year: int) -> set[uuid.UUID]:
    """Those of these children who have an application of the year, whoever entered it."""
    known = [APPLICATIONS.ahead(session, child_id) for child_id in child_ids]
    if all(found is not None for found in known):
        return {each.child_id for found in known for each in found or () if each.year == year}
    here = select(Application.child_id).where(Application.year == year, Application.child_id.in_(child_ids))
    return set(session.scalars(here))


def of_family(session: Session, application: Application, *, by: Actor | None = None) -> list[Application]:
    """The applications with its family code, itself included, oldest child first; with `by` only this person's."""
    known = _known(session, by) if by is not None else None
    if known is not None:
        same_code = (application.family_code, application.year)
        theirs = [each for each in known if (each.family_code, each.year) == same_code]
        return sorted(theirs, key=oldest_first)
    same = select(Application).join(Child)
    same = same.where(Application.family_code == application.family_code, Application.year == application.year)
    if by is not None:  # the other guardian may have other children, which this person may not see
        same = same.where(_mine(by))
    return sorted(session.scalars(same), key=oldest_first)


def oldest_first(each: Application) -> tuple[dt.date, dt.datetime, str]:
    """The order in which a family's children are named everywhere."""
    return each.child.born, each.created_at, each.child_code


def _one(session: Session, query, by: Actor) -> Application:
    application = session.scalars(query.where(_mine(by))).one_or_none()
    if application is None:
        raise NotFound()
    return application


def beside_a_helper(session: Session, *, by: Actor) -> bool:
    """Whether the guardian for whom a helper acts has applications that the helper did not enter."""
    others = select(Application.id).where(Application.child_id.in_(in_care_query(by.account_id)), ~_mine(by))
    return session.scalar(others.limit(1)) is not None


def _mine(by: Actor) -> ColumnElement[bool]:
    """SQL condition: what the person may see; for a helper only what it entered, in the season of its mandate."""
    mine = Application.child_id.in_(in_care_query(by.account_id))
    if by.on_behalf is None:
        return mine
    return and_(mine, Application.entered_by == by.on_behalf.helper_id, Application.year == by.on_behalf.year)


def _visible(application: Application, by: Actor) -> Application:
    """The application, unless a helper asks for one that the family began; a helper may not see or change that."""
    if by.on_behalf and application.entered_by != by.on_behalf.helper_id:
        raise Refused("begun_by_the_family", field="id_number")
    return application


def in_care_query(account_id: uuid.UUID | None):
    """The ids of the children whose accepted guardian this account is."""
    return (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == account_id, Guardianship.accepted_at.is_not(None))
    )


def _of_child(child_id: uuid.UUID, year: int):
    return select(Application).where(Application.child_id == child_id, Application.year == year)


def _taken_up(session: Session, earlier: Application, child: Child, *, by: Actor, now: dt.datetime) -> Application:
    if earlier.stage == Stage.REFUSED:
        raise Refused("application_was_refused")
    if earlier.stage == Stage.WITHDRAWN:
        require_oneself(by)
        earlier.level = deadlines.level_to_register(session, child.born, earlier.year, now=now)
        lifecycle.make(session, earlier, "apply_again", by=by, now=now)
        notify_guardians(session, "applied_again", [earlier.id], now=now, by=by)
    return earlier


def _family_code(session: Session, guardian_id: uuid.UUID, year: int) -> str:
    """The family code that the guardian's other children have this year, or a new one."""
    siblings = select(Guardianship.child_id).where(
        Guardianship.guardian_id == guardian_id, Guardianship.accepted_at.is_not(None)
    )
    known = select(Application.family_code).where(Application.year == year, Application.child_id.in_(siblings))
    return session.scalar(known.order_by(Application.created_at).limit(1)) or random_codes.pseudonym()
