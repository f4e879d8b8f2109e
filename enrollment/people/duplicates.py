"""Finding children who may be entered twice.  Hints are shown to clerks only, never to a family."""

import datetime as dt
import uuid

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from enrollment.people import likeness
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import Child, ChildLikeness

LIKE_THIS_CHILD = text("""
    INSERT INTO duplicate_hint (id, child_a, child_b, found_at)
    SELECT gen_random_uuid(), least(one.child_id, other.child_id), greatest(one.child_id, other.child_id), :now
    FROM child_likeness AS one
    JOIN child_likeness AS other ON other.child_id <> one.child_id
        AND (other.sound_index = one.sound_index OR other.name_index = one.name_index
            OR other.letters_index = one.letters_index OR other.month_index = one.month_index)
    JOIN child AS this ON this.id = one.child_id
    JOIN child AS that ON that.id = other.child_id
    WHERE one.child_id = :child
        AND NOT coalesce(other.month_index = one.month_index AND other.name_index <> one.name_index
            AND this.id_kind = 'resident' AND that.id_kind = 'resident', false)
    ON CONFLICT (child_a, child_b) DO NOTHING
""")

OF_THIS_DOCUMENT = text("""
    INSERT INTO duplicate_hint (id, child_a, child_b, found_at)
    SELECT gen_random_uuid(), least(child_id, :child), greatest(child_id, :child), :now
    FROM child_document WHERE person_index = :index AND child_id <> :child
    ON CONFLICT (child_a, child_b) DO NOTHING
""")


def find(session: Session, child: Child, *, now: dt.datetime) -> None:
    """Write a hint for each child with the same name (by characters, by sound, or with swapped characters), birth date and
    sex, and with the same name, sex and month of birth unless two resident numbers tell two birth dates.

    A pair that has a row already keeps it with its verdict.  If two transactions enter children with such names, the
    second waits for the first, and finds its child.
    """
    session.flush()
    indexes = likeness.indexes_of(child.name, child.born, child.sex)
    # until the end of the transaction; it is the last lock that an entry or a correction takes
    session.execute(select(func.pg_advisory_xact_lock(likeness.lock_key(child.name, child.born, child.sex))))
    written = insert(ChildLikeness).values(child_id=child.id, **indexes)
    session.execute(written.on_conflict_do_update(index_elements=["child_id"], set_=indexes))
    session.execute(LIKE_THIS_CHILD, {"child": child.id, "now": now})


def hint_of(session: Session, one: uuid.UUID, other: uuid.UUID, *, now: dt.datetime) -> DuplicateHint:
    """The hint of this pair, locked; a new one if nobody saw the likeness.  The caller holds both families' locks."""
    child_a, child_b = sorted((one, other))
    written = insert(DuplicateHint).values(id=uuid.uuid4(), child_a=child_a, child_b=child_b, found_at=now)
    session.execute(written.on_conflict_do_nothing(index_elements=["child_a", "child_b"]))
    found = select(DuplicateHint).where(DuplicateHint.child_a == child_a, DuplicateHint.child_b == child_b)
    return session.scalars(found.with_for_update().execution_options(populate_existing=True)).one()


def note_pair(session: Session, child_id: uuid.UUID, index: bytes, *, now: dt.datetime) -> None:
    """Write a hint if the document that a family states for its child belongs to another child.

    It is one statement with or without a match, so that the response time does not disclose the result.
    """
    session.execute(OF_THIS_DOCUMENT, {"child": child_id, "index": index, "now": now})
