"""Documents of children.  Only `child_of` finds the child of a document."""

import datetime as dt
import uuid

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.ground.identity import Identity
from enrollment.people.person_rows import DOCUMENTS, RESIDENT, Child, ChildDocument


def child_of(session: Session, index: bytes) -> uuid.UUID | None:
    """The id of the child to whom a document with this blind index (`identity.index_of`) belongs, or None."""
    return session.scalar(select(ChildDocument.child_id).where(ChildDocument.person_index == index))


def documents_of(session: Session, child_id: uuid.UUID) -> list[ChildDocument]:
    """The documents of a child, the current one first, then the newest."""
    newest_first = sorted(DOCUMENTS.of(session, child_id), key=lambda each: each.added_at, reverse=True)
    return sorted(newest_first, key=lambda each: not each.current)


def current_document(session: Session, child_id: uuid.UUID) -> ChildDocument:
    """The current document of a child, locked."""
    found = select(ChildDocument).where(ChildDocument.child_id == child_id, ChildDocument.current)
    return session.scalars(found.with_for_update()).one()


def of_person(session: Session, index: bytes) -> ChildDocument:
    """The stored document with this blind index, of any child."""
    found = select(ChildDocument).where(ChildDocument.person_index == index)
    return session.scalars(found.execution_options(populate_existing=True)).one()


def claim(session: Session, child: Child, found: Identity, *, by: Actor, now: dt.datetime) -> bool:
    """Store a document of the child, not current yet.  False if the person's part of its number is stored already.

    Of two transactions that store the same person, the second waits here for the first.
    """
    written = insert(ChildDocument).values(
        id=uuid.uuid4(),
        child_id=child.id,
        kind=found.kind,
        number=found.number,
        person_index=found.index,
        added_at=now,
        added_by=by.acting_account_id,
        current=False,
    )
    fresh = written.on_conflict_do_nothing(index_elements=["person_index"]).returning(ChildDocument.id)
    return session.scalar(fresh) is not None


def renew(child: Child, document: ChildDocument, number: str) -> None:
    """Store the number of a reissued permit: the person's part is the same, the last digits are new."""
    document.number = number
    if document.current:
        repeat_in_child(child, document)


def make_current(session: Session, child: Child, document: ChildDocument, *, now: dt.datetime) -> bool:
    """Make this document the one that identifies the child.  True if it does so now.

    A resident number stays that document: registers are asked by it, and a passport beside it replaces nothing.
    """
    document.checked_at = document.checked_at or now
    if document.current:
        return True
    if child.id_kind == RESIDENT and document.kind != RESIDENT:
        return False
    others = update(ChildDocument).where(ChildDocument.child_id == child.id, ChildDocument.current)
    session.execute(others.values(current=False, replaced_at=now))
    document.current, document.replaced_at = True, None
    repeat_in_child(child, document)
    session.flush()
    return True


def repeat_in_child(child: Child, document: ChildDocument) -> None:
    """Copy the current document into the columns of the child."""
    child.id_kind, child.id_number, child.id_index = document.kind, document.number, document.person_index
    child.version += 1


def correct_current(session: Session, child: Child, found: Identity) -> None:
    """Correct a mistyped number of the current document.  The wrong number identifies nobody, so it is not kept.

    Refuses `child_already_entered` if the right number belongs to another child.
    """
    document = current_document(session, child.id)
    holder = session.scalars(select(ChildDocument).where(ChildDocument.person_index == found.index)).one_or_none()
    if holder is not None and holder.child_id != child.id:
        raise Refused("child_already_entered", field="id_number")
    if holder is not None and holder.id != document.id:
        session.delete(document)
        session.flush()
        document = holder
        document.current, document.replaced_at = True, None
    if (document.kind, document.number) != (found.kind, found.number):
        document.entered_before = None
    document.kind, document.number, document.person_index = found.kind, found.number, found.index
    session.flush()


def of_family(session: Session, child_id: uuid.UUID) -> list[ChildDocument]:
    """The documents that the child's own family entered."""
    return [document for document in documents_of(session, child_id) if document.joined_from is None]


def question_is_due(session: Session, child_id: uuid.UUID) -> bool:
    """Whether the family still has to answer if the child was entered with another document before."""
    return any(
        asks(document, first) and document.entered_before is None for document, first in _in_order(session, child_id)
    )


def asks(document: ChildDocument, first: bool) -> bool:
    """Whether the family is asked about an earlier entry because of this document.

    Asked for every document except a resident number that was the `first` one.  It depends only on the family's own
    documents, so that it discloses nothing about what others entered.
    """
    return document.kind != RESIDENT or not first


def _in_order(session: Session, child_id: uuid.UUID) -> list[tuple[ChildDocument, bool]]:
    documents = sorted(of_family(session, child_id), key=lambda one: one.added_at)
    return [(document, number == 0) for number, document in enumerate(documents)]


def answer(session: Session, child_id: uuid.UUID, entered_before: str) -> None:
    """Store the family's answer with each document that it concerns."""
    for document, first in _in_order(session, child_id):
        if asks(document, first) and document.entered_before is None:
            document.entered_before = entered_before
    session.flush()
