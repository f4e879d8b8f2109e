"""Children who are bound 捆绑, and the elder sibling whom a child follows, as they stand.

Locks are taken in one order by everybody, so that two acts wait for each other and never for ever: a guardian, then
applications by id, then the child, then offers by id, then joint decisions, then programmes by id.  A lock on an
application lets others refer to it (`FOR NO KEY UPDATE`): a publication, which holds the offers, writes messages about it.  A verdict on two children locks its hint
after the applications of both; the likeness of a child (`duplicates.find`) is locked last of all.
"""

import uuid
from collections.abc import Iterable

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application


def of(session: Session, application: Application) -> list[Application]:
    """The application and those bound to it, in one order for everybody, so that locks never cross."""
    if application.unit is None:
        return [application]
    bound = select(Application).where(Application.unit == application.unit, Application.year == application.year)
    return list(session.scalars(bound.order_by(Application.id)))


def lock_families(session: Session, application_ids: Iterable[uuid.UUID]) -> None:
    """Lock these applications and those of their families' other children of the year, all at once, by id.

    For a verb that changes more than the application it was asked for: children who are bound belong to one family.
    """
    ids = list(application_ids)
    families = select(Application.family_code, Application.year).where(Application.id.in_(ids))
    theirs = select(Application.id).where(tuple_(Application.family_code, Application.year).in_(families))
    session.execute(theirs.order_by(Application.id).with_for_update(key_share=True))


def codes_bound_with(session: Session, application: Application) -> list[str]:
    """The pseudonyms of the children in the unit, itself included; empty for a separate child."""
    if application.unit is None:
        return []
    return sorted(member.child_code for member in of(session, application))


def code_of_elder(session: Session, application: Application) -> str | None:
    if application.elder_id is None:
        return None
    return session.scalar(select(Application.child_code).where(Application.id == application.elder_id))
