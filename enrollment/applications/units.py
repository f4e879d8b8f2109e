"""Queries and locks of bound 捆绑 children, and of the elder sibling that a child follows.

Every transaction takes locks in the same order, so that no deadlock is possible: a guardian, then
applications by id, then the child, then offers by id, then joint decisions, then programmes by id.  A lock on an
application lets others refer to it (`FOR NO KEY UPDATE`): a publication, which holds the offers, writes messages about it.  A verdict on two children locks its hint
after the applications of both; the likeness of a child (`duplicates.find`) is locked last of all.
"""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from enrollment.applications import applications
from enrollment.applications.application_rows import BOUND, Application
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused, Stale


def of(session: Session, application: Application) -> list[Application]:
    """The application and those bound to it, by id, which is the lock order."""
    if application.unit is None:
        return [application]
    bound = (each for each in BOUND.of(session, application.unit) if each.year == application.year)
    return sorted(bound, key=lambda each: each.id)


def lock_families(session: Session, application_ids: Iterable[uuid.UUID]) -> None:
    """Lock these applications and those of their families' other children of the year, all at once, by id.

    For a service function that changes several applications: bound children belong to one family.
    """
    ids = list(application_ids)
    families = select(Application.family_code, Application.year).where(Application.id.in_(ids))
    theirs = select(Application.id).where(tuple_(Application.family_code, Application.year).in_(families))
    session.execute(theirs.order_by(Application.id).with_for_update(key_share=True))


def others_of(session: Session, application: Application) -> list[Application]:
    """The applications bound to this one, as they are now; empty for a separate child."""
    session.flush()
    return [member for member in of(session, application) if member.id != application.id]


def in_care(session: Session, members: Iterable[Application], *, by: Actor) -> list[Application]:
    """The members in this person's care; for a helper those that the helper entered."""
    mine = {each.id for each in applications.list_own(session, by=by)}
    return [member for member in members if member.id in mine]


def require_care(session: Session, members: Sequence[Application], *, by: Actor) -> None:
    """Refuse `bound_beyond_your_care` if a member is not in this person's care, because all members share one list.

    The caller has checked that one of them is in this person's care.
    """
    if len(members) > 1 and len(in_care(session, members, by=by)) < len(members):
        raise Refused("bound_beyond_your_care", field="wishes")


def stamp(members: Iterable[Application]) -> str:
    """The versions of these applications as one text: what a page was rendered from."""
    return ".".join(f"{member.id.hex[:8]}-{member.version}" for member in sorted(members, key=lambda each: each.id))


def require_stamp(members: Iterable[Application], seen: str | None) -> None:
    """Raise Stale when one of the members changed since the page was rendered; None checks nothing."""
    if seen is not None and seen != stamp(members):
        raise Stale()


def codes_bound_with(session: Session, application: Application) -> list[str]:
    """The pseudonyms of the children in the unit, itself included; empty for a separate child."""
    if application.unit is None:
        return []
    return sorted(member.child_code for member in of(session, application))


def code_of_elder(session: Session, application: Application) -> str | None:
    """The pseudonym of the elder sibling that the child follows, or None."""
    if application.elder_id is None:
        return None
    return session.scalar(select(Application.child_code).where(Application.id == application.elder_id))
