"""Children of the signed-in guardian: entering a child, access to it, and the receivers of its messages."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit, identity
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.identity import Identity
from enrollment.people import consents, documents, duplicates
from enrollment.people.guardians import require_guardian, validate_name
from enrollment.people.likeness import name_key
from enrollment.people.person_rows import CARERS, PARENTS, RELATIONS, Child, Guardian, Guardianship


def add_child(
    session: Session,
    *,
    name: str,
    id_kind: str,
    id_number: str,
    relation: str,
    born: dt.date | None = None,
    sex: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> Child:
    """Store a child and its guardianship.  A child that the guardian entered before is returned unchanged, if the name is
    the same; for another name it is refused with what `refuse_other_name` refuses: twins have numbers that are alike.

    Needs the guardian's consent.  A child that another guardian entered is refused with `child_already_entered`,
    which discloses nothing about it; an invitation or a dispute case is needed then.
    """
    consents.require(session, consents.CHILD_DATA, by=by)
    guardian = require_guardian(session, by=by)
    found, values = child_values(name, id_kind, id_number, born, sex, today(now))
    if relation not in RELATIONS:
        raise Refused("relation_missing", field="relation")
    known = documents.child_of(session, found.index)
    if known is not None:
        return _known_child(session, known, values["name"], by=by)
    child = _claimed(session, found, values, by=by, now=now)
    if child is None:  # another transaction stored the document first
        return _known_child(session, documents.child_of(session, found.index), values["name"], by=by)
    session.add(Guardianship(guardian_id=guardian.id, child_id=child.id, relation=relation, since=now, accepted_at=now))
    session.flush()
    audit.record(session, "enter_child", "child", child.id, by=by, now=now)
    duplicates.find(session, child, now=now)
    return child


def _known_child(session: Session, child_id: uuid.UUID | None, name: str, *, by: Actor) -> Child:
    if child_id is None or not is_guardian_of(session, child_id, by=by):
        raise Refused("child_already_entered", field="id_number")
    refuse_other_name(session, child_id, name, by=by)
    return session.get_one(Child, child_id)


def refuse_other_name(session: Session, child_id: uuid.UUID | None, name: str, *, by: Actor) -> None:
    """Refuse the number of one child that was typed for another child of the same guardian: `own_child_has_this_number` with
    the `name` of its child; to a helper, who may not see every child of the family, `number_of_this_family` without it.
    """
    if child_id is None or not is_guardian_of(session, child_id, by=by):
        return
    known = session.get_one(Child, child_id).name
    if name_key(known) == name_key(name):
        return
    if by.on_behalf is not None:
        raise Refused("number_of_this_family", field="id_number")
    raise Refused("own_child_has_this_number", field="id_number", name=known)


def _claimed(session: Session, found: Identity, values: dict, *, by: Actor, now: dt.datetime) -> Child | None:
    """A new child with its first document; None, and nothing written, if the document belongs to another child."""
    with session.begin_nested() as attempt:
        child_id = uuid.uuid4()
        child = Child(id=child_id, created_at=now, version=1, **values | {"id_index": child_id.bytes})
        session.add(child)
        session.flush()
        if not documents.claim(session, child, found, by=by, now=now):
            attempt.rollback()
            return None
    document = documents.of_person(session, found.index)
    document.current, document.checked_at = True, now
    child.id_index = found.index
    return child


def child_values(
    name: str, id_kind: str, id_number: str, born: dt.date | None, sex: str | None, on: dt.date
) -> tuple[Identity, dict]:
    """The document and the columns of a child.  Birth date and sex in the number take precedence over typed values."""
    found = identity.check(id_kind, id_number, today=on)
    born, sex = found.born or born, found.sex or sex
    if born is None:
        raise Refused("born_missing", field="born")
    if born > on:
        raise Refused("born_in_future", field="born")
    if sex not in ("f", "m"):
        raise Refused("sex_missing", field="sex")
    name = validate_name(name)
    values = {"name": name, "id_kind": found.kind, "id_number": found.number, "id_index": found.index}
    return found, values | {"born": born, "sex": sex}


def is_guardian_of(session: Session, child_id: uuid.UUID, *, by: Actor) -> bool:
    """Whether the signed-in person is an accepted guardian of the child."""
    return session.scalar(select(_care_query(by).where(Guardianship.child_id == child_id).exists())) or False


def own_children_born(session: Session, born: dt.date | None, sex: str | None, *, by: Actor) -> list[uuid.UUID]:
    """The ids of the signed-in guardian's children with this birth date and sex."""
    found = select(Child.id, Child.born).where(Child.id.in_(_care_query(by)), Child.sex == sex).order_by(Child.id)
    return [row.id for row in session.execute(found) if row.born == born]


def own_child(session: Session, child_id: uuid.UUID, *, by: Actor) -> Child:
    """A child of the signed-in guardian.  Raises NotFound for other children."""
    if not is_guardian_of(session, child_id, by=by):
        raise NotFound()
    return session.get_one(Child, child_id)


def accounts_of(session: Session, child_id: uuid.UUID) -> list[uuid.UUID]:
    """The accounts of the child's accepted guardians, who may receive messages about it."""
    known = CARERS.ahead(session, child_id)
    if known is not None:
        return [each.guardian.account_id for each in sorted(known, key=lambda each: each.since)]
    of_child = (
        select(Guardian.account_id)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .where(Guardianship.child_id == child_id, Guardianship.accepted_at.is_not(None))
    )
    return list(session.scalars(of_child.order_by(Guardianship.since, Guardianship.guardian_id)))


def has_parent(session: Session, child_id: uuid.UUID) -> bool:
    """Whether a father or a mother is among the child's accepted guardians."""
    known = CARERS.ahead(session, child_id)
    if known is not None:
        return any(each.relation in PARENTS for each in known)
    parent = select(Guardianship.guardian_id).where(
        Guardianship.child_id == child_id,
        Guardianship.accepted_at.is_not(None),
        Guardianship.relation.in_(PARENTS),
    )
    return session.scalar(parent.exists().select()) or False


def relation_of(session: Session, child_id: uuid.UUID, account_id: uuid.UUID | None) -> str | None:
    """How the holder of an account is related to a child; None for somebody who is not its accepted guardian."""
    known = CARERS.ahead(session, child_id)
    if known is not None:
        his = (each for each in known if session.get_one(Guardian, each.guardian_id).account_id == account_id)
        return next((each.relation for each in his if account_id is not None), None)
    relation = (
        select(Guardianship.relation)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(
            Guardianship.child_id == child_id,
            Guardianship.accepted_at.is_not(None),
            Guardian.account_id == account_id,
        )
    )
    return session.scalar(relation)


def _care_query(by: Actor):
    return (
        select(Guardianship.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == by.account_id, Guardianship.accepted_at.is_not(None))
    )
