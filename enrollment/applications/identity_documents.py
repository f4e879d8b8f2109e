"""Identity documents of a child: adding one, the question about an earlier entry, and joining two rows of one child."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from enrollment.applications import applications, deadlines, edits, identity_edits, submission, units
from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.ground import audit, identity
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.ground.identity import Identity
from enrollment.people import children, documents, duplicates, guardians
from enrollment.people.person_rows import Child, ChildDocument, ChildLikeness, EnteredBefore


def add_document(
    session: Session, application_id: uuid.UUID, *, id_kind: str, id_number: str, by: Actor, now: dt.datetime
) -> bool:
    """Add a document of the same child, for instance the resident number that followed a birth certificate.

    Child, application, registration code, child code and ticket stay the same.  Returns True if the document counts at
    once, because the application is still editable; False if a clerk has to check it first.  Beside a resident number it
    identifies the child too, and does not take its place.  Refuses `document_of_another_birth`, `correction_before_document` where only a correction mends it, `child_already_entered`, `document_there_already`, `on_hold`, `application_is_over`.
    """
    guardians.require_guardian(session, by=by)
    application = applications.locked(session, application_id, by=by)
    child = session.get_one(Child, application.child_id, with_for_update={"key_share": True}, populate_existing=True)
    found = identity.check(id_kind, id_number, today=today(now))
    editable = _is_editable(session, application, now=now)
    _refuse_another_birth(session, child, found, editable=editable)
    document = _stored(session, child, found, seen=editable, by=by, now=now)
    audit.record(session, "add_document", "child", child.id, by=by, now=now, document_kind=found.kind)
    if editable:
        documents.make_current(session, child, document, now=now)
        edits.keep(session, application, by=by, now=now)
    return editable


def _refuse_another_birth(session: Session, child: Child, found: Identity, *, editable: bool) -> None:
    """The family mends an earlier mistake by itself, or asks for a correction once it cannot."""
    if found.born is None or (found.born, found.sex) == (child.born, child.sex):
        return
    free = editable and identity_edits.identity_is_free(session, child.id)
    raise Refused("document_of_another_birth" if free else "correction_before_document", field="id_number")


def _is_editable(session: Session, application: Application, *, now: dt.datetime) -> bool:
    if application.on_hold:
        raise Refused("on_hold")
    if application.stage not in LIVE_STAGES:
        raise Refused("application_is_over")
    try:
        deadlines.require_editable(session, application, now=now)
    except Refused:
        return False
    return True


def _stored(
    session: Session, child: Child, found: Identity, *, seen: bool, by: Actor, now: dt.datetime
) -> ChildDocument:
    """The new row; for a reissued permit the existing row, with the new number."""
    fresh = documents.claim(session, child, found, by=by, now=now)
    document = documents.of_person(session, found.index)
    if document.child_id != child.id:
        raise Refused("child_already_entered", field="id_number")
    if not fresh and document.number == found.number:
        raise Refused("document_there_already", field="id_number")
    if not fresh:
        documents.renew(child, document, found.number)
    if fresh and seen:
        document.checked_at = now
    session.flush()
    return document


def note_known_document(
    session: Session, application_id: uuid.UUID, *, id_kind: str, id_number: str, by: Actor, now: dt.datetime
) -> None:
    """Show the clerks the pair after a number was refused for this child because it belongs to another child.

    A refusal leaves nothing written, so the caller calls this after `child_already_entered`, in the same transaction.
    """
    application = applications.own(session, application_id, by=by)
    index = identity.check(id_kind, id_number, today=today(now)).index
    duplicates.note_pair(session, application.child_id, index, now=now)


def note_known_child(
    session: Session,
    *,
    id_kind: str,
    id_number: str,
    born: dt.date | None,
    sex: str | None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Show the clerks the pairs after a new child was refused with `child_already_entered`.

    A pair is the child with this number and each child of the guardian with the same birth date and sex: a family that
    enters the same child again is refused, and its first entry may be the duplicate.
    """
    found = identity.check(id_kind, id_number, today=today(now))
    for child_id in children.own_children_born(session, found.born or born, found.sex or sex, by=by):
        duplicates.note_pair(session, child_id, found.index, now=now)


def answer_entered_before(
    session: Session,
    application_id: uuid.UUID,
    *,
    entered_before: str,
    id_kind: str = "",
    id_number: str = "",
    by: Actor,
    now: dt.datetime,
) -> Application | None:
    """Store the answer.  With `yes` and a document of another child of the same guardian, the two rows are joined.

    Returns the application that stays after a join, None otherwise.  None does not show whether the document is known; the
    family then needs an invitation or a dispute case, and a clerk sees the pair.  Refuses `entered_before_missing` and what `identity.check` refuses.
    """
    guardians.require_guardian(session, by=by)
    if entered_before not in tuple(EnteredBefore):
        raise Refused("entered_before_missing", field="entered_before")
    yes = entered_before == EnteredBefore.YES
    index = _index_of_other(id_kind, id_number, now=now) if yes else None
    application = applications.own(session, application_id, by=by)
    other = documents.child_of(session, index) if index else None
    if other is not None and (other == application.child_id or not children.is_guardian_of(session, other, by=by)):
        other = None
    # applications before the rows of children, as everywhere
    lock_families_of(session, application.child_id, other or application.child_id)
    documents.answer(session, application.child_id, entered_before)
    audit.record(session, "answer_entered_before", "child", application.child_id, by=by, now=now, answer=entered_before)
    if index is None:
        return None
    if other is not None:
        return _join_own(session, application, other, by=by, now=now)
    duplicates.note_pair(session, application.child_id, index, now=now)
    return None


def _index_of_other(id_kind: str, id_number: str, *, now: dt.datetime) -> bytes:
    return identity.check(id_kind, id_number, today=today(now), field="other_number").index


def _join_own(
    session: Session, application: Application, other: uuid.UUID, *, by: Actor, now: dt.datetime
) -> Application:
    """Join two rows of one child of the same guardian.  Refuses what `submission.withdraw` refuses."""
    require_oneself(by)
    year = application.year
    union = union_of(session, application.child_id, other)
    if union.ends is not None:
        submission.withdraw(session, union.ends.id, by=by, now=now, reason="duplicate")
    join_documents(session, union, own=True, by=by, now=now)
    return applications.start(session, union.stays, year, by=by, now=now)


@dataclass(frozen=True)
class Union:
    """A join of two child rows, by id.  `ends` is the application to end first, if both apply in the same year."""

    stays: uuid.UUID
    goes: uuid.UUID
    ends: Application | None


def lock_families_of(session: Session, one: uuid.UUID, other: uuid.UUID) -> None:
    """Lock the live applications of two children, with those of their families, before their hint is locked."""
    live = select(Application.id).where(Application.child_id.in_((one, other)), Application.stage.in_(LIVE_STAGES))
    units.lock_families(session, session.scalars(live))


def union_of(session: Session, one: uuid.UUID, other: uuid.UUID) -> Union:
    """Decide which row stays: of two applications in a year the one handed in first, else the child that applies.

    The applications of both families are locked.
    """
    lock_families_of(session, one, other)
    live = select(Application).where(Application.child_id.in_((one, other)), Application.stage.in_(LIVE_STAGES))
    found = session.scalars(live.order_by(Application.year.desc()).execution_options(populate_existing=True)).all()
    newest = [each for each in found if each.year == found[0].year]
    ordered = sorted(newest, key=_handed_in_first)
    stays = ordered[0].child_id if ordered else min(one, other)
    ends = ordered[1] if len(ordered) > 1 else None
    return Union(stays, other if stays == one else one, ends)


def _handed_in_first(application: Application) -> tuple:
    submitted = application.submitted_at
    return submitted is None, submitted or application.created_at, application.created_at, application.id


def join_documents(session: Session, union: Union, *, own: bool, by: Actor, now: dt.datetime) -> None:
    """Move the documents to the child that stays; its current document and its submitted wishes do not change.

    `own`: the same family entered both rows, so it may see all the documents.
    """
    rows = select(Child).where(Child.id.in_((union.stays, union.goes))).order_by(Child.id).with_for_update()
    session.execute(rows)
    theirs = update(ChildDocument).where(ChildDocument.child_id == union.goes)
    session.execute(
        theirs.values(child_id=union.stays, current=False, replaced_at=now, joined_from=None if own else union.goes)
    )
    session.get_one(Child, union.goes).id_index = union.goes.bytes
    session.execute(delete(ChildLikeness).where(ChildLikeness.child_id == union.goes))
    session.flush()
    session.expire_all()
    audit.record(session, "join_documents", "child", union.stays, by=by, now=now, from_child=str(union.goes))


def is_joined_to_another(child: Child) -> bool:
    """Whether its documents went over to another row of the same child."""
    return child.id_index == child.id.bytes


def part_documents(session: Session, child_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Give a child back the documents that a join took from it: it was another child after all.

    Without a join nothing changes.  Refuses `number_of_another_child` where its number identifies the other child by now.
    The caller holds the locks of both families.
    """
    child = session.get_one(Child, child_id, with_for_update={"key_share": True}, populate_existing=True)
    if not is_joined_to_another(child):
        return
    index = identity.index_of(child.id_number, child.id_kind)
    lost = select(ChildDocument).where(or_(ChildDocument.joined_from == child_id, ChildDocument.person_index == index))
    documents_lost = session.scalars(lost.with_for_update().execution_options(populate_existing=True)).all()
    own = next((each for each in documents_lost if each.person_index == index), None)
    if own is None or own.current:
        raise Refused("number_of_another_child")
    for each in documents_lost:
        each.child_id, each.joined_from = child_id, None
    own.current, own.replaced_at, child.id_index = True, None, index
    session.flush()
    audit.record(session, "part_documents", "child", child_id, by=by, now=now)
    duplicates.find(session, child, now=now)
