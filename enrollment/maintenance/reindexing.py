"""Blind indexes of numbers and names, written again after the rule that computes them has changed.

Names and numbers are sealed, so a migration cannot do it.  A batch is a transaction of the caller; running it again does
nothing.
"""

import datetime as dt
import uuid
from collections.abc import Callable

from sqlalchemy import Select, or_, select, true
from sqlalchemy.orm import Session

from enrollment.eligibility import households
from enrollment.ground import identity
from enrollment.people import documents, duplicates
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child, ChildDocument, Guardian
from enrollment.places.roll_rows import RollChild

BATCH = 500

Batch = Callable[[Session, uuid.UUID | None, dt.datetime], uuid.UUID | None]
"""A function that does the rows after an id and returns the id of the last one; None if nothing was left."""


def reindex_children(session: Session, after: uuid.UUID | None, now: dt.datetime) -> uuid.UUID | None:
    """Give children their document and their likeness, and documents the index of the person's part.

    Two children of one person get a hint for the clerk's desk.
    """
    children = session.scalars(_next(select(Child), Child.id, after)).all()
    for child in children:
        if child.is_joined:
            continue
        if not documents.documents_of(session, child.id):
            _add_document(session, child)
        for document in documents.documents_of(session, child.id):
            _reindex_document(session, child, document, now)
        duplicates.find(session, child, now=now)
    return children[-1].id if children else None


def _add_document(session: Session, child: Child) -> None:
    session.add(
        ChildDocument(
            child_id=child.id,
            kind=child.id_kind,
            number=child.id_number,
            person_index=child.id_index,
            added_at=child.created_at,
            current=True,
            checked_at=child.created_at,
        )
    )
    session.flush()


def _reindex_document(session: Session, child: Child, document: ChildDocument, now: dt.datetime) -> None:
    index = identity.index_of(document.number, document.kind)
    if index == document.person_index:
        return
    if documents.child_of(session, index) is not None:
        duplicates.note_pair(session, child.id, index, now=now)
        return
    document.person_index = index
    if document.current:
        child.id_index = index
    session.flush()


def reindex_guardians(session: Session, after: uuid.UUID | None, now: dt.datetime) -> uuid.UUID | None:
    """A guardian whose permit another account has keeps the old index; the next save is refused."""
    found = select(Guardian).where(Guardian.id_number.is_not(None))
    guardians = session.scalars(_next(found, Guardian.id, after)).all()
    for guardian in guardians:
        index = identity.index_of(guardian.id_number or "", guardian.id_kind)
        if index != guardian.id_index and not _taken(session, select(Guardian.id).where(Guardian.id_index == index)):
            guardian.id_index = index
            session.flush()
    return guardians[-1].id if guardians else None


def reindex_homes(session: Session, after: uuid.UUID | None, now: dt.datetime) -> uuid.UUID | None:
    """Give homes the likeness that finds several families at one dwelling."""
    homes = session.scalars(_next(select(Household), Household.application_id, after)).all()
    for home in homes:
        households.note_dwelling(session, home)
    return homes[-1].application_id if homes else None


def reindex_roll(session: Session, after: uuid.UUID | None, now: dt.datetime) -> uuid.UUID | None:
    """A row whose permit another kindergarten has on its roll keeps the old index."""
    found = select(RollChild).where(RollChild.id_number.is_not(None))
    children = session.scalars(_next(found, RollChild.id, after)).all()
    for child in children:
        index = identity.index_of(child.id_number or "")
        until = or_(RollChild.left_on.is_(None), RollChild.left_on > child.entered_on)
        begun = true() if child.left_on is None else RollChild.entered_on < child.left_on
        on_roll = select(RollChild.id).where(RollChild.id_index == index, RollChild.id != child.id, until, begun)
        if index != child.id_index and not _taken(session, on_roll):
            child.id_index = index
            session.flush()
    return children[-1].id if children else None


def _next(query: Select, key, after: uuid.UUID | None) -> Select:
    later = query if after is None else query.where(key > after)
    return later.order_by(key).limit(BATCH).with_for_update(key_share=True)


def _taken(session: Session, query: Select) -> bool:
    return session.scalar(query.limit(1)) is not None


TABLES: dict[str, Batch] = {
    "child": reindex_children,
    "guardian": reindex_guardians,
    "household": reindex_homes,
    "roll_child": reindex_roll,
}
