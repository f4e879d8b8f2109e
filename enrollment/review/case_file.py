"""Everything that a clerk sees of one application, read in a few statements.

`read_ahead` reads the rows about the application at once; the services then answer from memory, each with its own rule.
For a request that only shows the page.
"""

import functools
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Uuid, bindparam, func, select, union
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from enrollment.applications.application_rows import APPLICATION, BOUND, VERSIONS, WISHES, Application, Wish
from enrollment.applications.claim_rows import CLAIMS, VERIFIED_FACTS
from enrollment.applications.elder_siblings import ELDERS
from enrollment.applications.evidence_rows import PAGES
from enrollment.applications.lifecycle import MOVES_MADE, MoveMade
from enrollment.applications.register_answers import REGISTER_ANSWERS
from enrollment.applications.returned_items import REFUSALS, RETURNED_ITEMS
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.errors import NotFound
from enrollment.ground.reading.read_ahead import Read, ReadAhead, attach, compiled
from enrollment.people.consents import LIVE_CONSENTS
from enrollment.people.household_rows import HOUSEHOLDS
from enrollment.people.person_rows import CARERS, CHILDREN, PARENTS, Child, Guardian, Guardianship
from enrollment.places.areas import all_areas
from enrollment.places.kindergartens import KINDERGARTENS
from enrollment.places.programmes import PROGRAMMES, Programme
from enrollment.review import scope
from enrollment.review.notes import NOTES

GUARDIANS_OF_CASE = Read(Guardian, Guardian.id, unread=(Guardian.id_number,))
"""The guardians of the child with name and phone, which the clerk who has the application sees."""

OF_APPLICATION: tuple[Read[Any], ...] = (
    HOUSEHOLDS,
    CLAIMS,
    ELDERS,
    PAGES,
    RETURNED_ITEMS,
    REGISTER_ANSWERS,
    VERSIONS,
    MOVES_MADE,
    VERIFIED_FACTS,
    REFUSALS,
    NOTES,
    WISHES,
)
READS: tuple[Read[Any], ...] = (
    APPLICATION,
    CHILDREN,
    CARERS,
    GUARDIANS_OF_CASE,
    LIVE_CONSENTS,
    BOUND,
    *OF_APPLICATION,
    PROGRAMMES,
    KINDERGARTENS,
)


def read(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    """The application with everything about it read ahead.  NotFound outside the actor's kindergartens and areas."""
    answer = session.connection().exec_driver_sql(_statement(), {"application": application_id}).scalar_one()
    found = dict(zip(READS, answer, strict=True))
    ahead = ReadAhead()

    def keep(read: Read[Any], covered: Iterable[Any]) -> list[Any]:
        return ahead.add(session, read, covered, found[read])

    applications = keep(APPLICATION, [application_id])
    if not applications or not _in_scope(session, applications[0], by):
        raise NotFound("application")
    application = applications[0]
    (child,) = keep(CHILDREN, [application.child_id])
    set_committed_value(application, "child", child)
    keep(GUARDIANS_OF_CASE, ())
    keep(CARERS, [child.id])
    keep(LIVE_CONSENTS, [application.entered_for or application.entered_by])
    keep(BOUND, [application.unit] if application.unit else [])
    for each in OF_APPLICATION:
        keep(each, [application_id])
    areas = {area.code: area for area in all_areas(session)}
    kindergartens = {each.id: each for each in keep(KINDERGARTENS, ())}
    for kindergarten in kindergartens.values():
        set_committed_value(kindergarten, "area", areas[kindergarten.area_code])
    for programme in keep(PROGRAMMES, ()):
        set_committed_value(programme, "kindergarten", kindergartens[programme.kindergarten_id])
    attach(session, ahead)
    return application


def _in_scope(session: Session, application: Application, by: Actor) -> bool:
    if application.review_kindergarten_id in by.kindergartens:
        return True
    return session.scalar(select(Application.id).where(Application.id == application.id, scope.within(by))) is not None


def guardians_of(session: Session, child: Child) -> list[tuple[Guardianship, Guardian]]:
    """The accepted guardians of the child, parents first."""
    carers = sorted(CARERS.of(session, child.id), key=lambda each: (each.relation not in PARENTS, each.since))
    return [(each, session.get_one(Guardian, each.guardian_id)) for each in carers]


def history_of(session: Session, application_id: uuid.UUID) -> list[MoveMade]:
    """The moves of the application in their order."""
    return sorted(MOVES_MADE.of(session, application_id), key=lambda each: each.number)


def names_of(session: Session, account_ids: Iterable[uuid.UUID | None]) -> Mapping[uuid.UUID, str]:
    """The names of those accounts that belong to staff and officials; families are not named."""
    ids = {each for each in account_ids if each is not None}
    if not ids:
        return {}
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(ids), Account.login.is_not(None)))
    return {row.id: row.name for row in rows}


@functools.cache
def _statement() -> str:
    """The statement: a column for each of `READS`.  Its parameter is `application`."""
    wanted = bindparam("application", type_=Uuid())
    mine = select(Application.child_id, Application.unit, Application.entered_by, Application.entered_for)
    mine_ = mine.where(Application.id == wanted).cte("mine")
    carers = select(Guardianship.guardian_id).where(Guardianship.child_id.in_(select(mine_.c.child_id)), *CARERS.where)
    programmes = select(Wish.programme_id).where(Wish.application_id == wanted)
    scopes: dict[Read[Any], Any] = dict.fromkeys(OF_APPLICATION, wanted) | {
        APPLICATION: wanted,
        CHILDREN: select(mine_.c.child_id),
        CARERS: select(mine_.c.child_id),
        GUARDIANS_OF_CASE: carers,
        LIVE_CONSENTS: union(
            select(mine_.c.entered_by), select(mine_.c.entered_for).where(mine_.c.entered_for.is_not(None))
        ),
        BOUND: select(mine_.c.unit),
        PROGRAMMES: programmes,
        KINDERGARTENS: select(Programme.kindergarten_id).where(Programme.id.in_(programmes)),
    }
    return compiled(select(func.json_build_array(*(read.as_json(scopes[read]).scalar_subquery() for read in READS))))
