"""The values of a correction before and after, as JSON objects with the same keys."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.corrections import level_changes
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground import identity
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.people import children, documents
from enrollment.people.guardians import validate_name
from enrollment.people.person_rows import Child, Guardian
from enrollment.review import fact_values
from enrollment.review.correction_rows import CorrectionKind, CorrectionRequest
from enrollment.season.facts import Fact

Values = dict[str, Any]

TYPED = {
    CorrectionKind.NAME: ("name",),
    CorrectionKind.BIRTH_DATE: ("born",),
    CorrectionKind.DOCUMENT: ("name", "id_kind", "id_number"),
    CorrectionKind.SEX: ("sex",),
    CorrectionKind.OTHER_IDENTITY: ("name", "id_kind", "id_number"),
}
"""The fields that the form has for each kind of identity correction."""

CHILD_COLUMNS = ("name", "id_kind", "id_number", "born", "sex")
LEVEL = "level"
"""The class level of the application, beside the columns of the child, where a birth date changes it."""

GUARDIAN_COLUMNS = ("name", "id_kind", "id_number")


def before_of(request: CorrectionRequest) -> Values:
    before: Values = json.loads(request.before)
    return before


def after_of(request: CorrectionRequest) -> Values:
    after: Values = json.loads(request.after)
    return after


def as_text(values: Values) -> str:
    """Canonical JSON; it is stored and signed in this form."""
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def of_child(child: Child) -> Values:
    return {column: _plain(getattr(child, column)) for column in CHILD_COLUMNS}


def of_guardian(guardian: Guardian) -> Values:
    return {column: getattr(guardian, column) for column in GUARDIAN_COLUMNS}


def of_fact(session: Session, application_id: uuid.UUID, fact: Fact) -> Any:
    """The value of a fact: the clerk's finding or, without a finding, the family's claim; None if there is no value."""
    found = session.get(VerifiedFact, (application_id, fact.value), populate_existing=True)
    if found is not None:
        return found.value
    return claimed_facts(session, application_id).get(fact)


def change_of_child(
    session: Session, application: Application, kind: CorrectionKind, typed: Mapping[str, Any], *, now: dt.datetime
) -> tuple[Values, Values]:
    """The columns of the child that a correction would change, with their values before and after.

    A birth date or sex in the number takes precedence: a new number may change them too, and they cannot be changed
    without the number.  An adopted child gets a new name with the new number: `DOCUMENT` may change both at once, and keeps
    the name where none is entered.  A birth date of another level changes the level too.  Refuses
    `correction_changes_nothing`, and what `level_changes.level_of` and `children.child_values` refuse.
    """
    child = session.get_one(Child, application.child_id)
    entered = {name: typed.get(name) for name in TYPED[kind]}
    if kind == CorrectionKind.DOCUMENT and not (entered["name"] or "").strip():
        del entered["name"]
    said = {column: getattr(child, column) for column in CHILD_COLUMNS} | entered
    _found, values = children.child_values(
        said["name"], said["id_kind"], said["id_number"], said["born"], said["sex"], today(now)
    )
    level = level_changes.level_of(session, application, values["born"], field=TYPED[kind][-1])
    before, after = _difference(of_child(child), {column: _plain(values[column]) for column in CHILD_COLUMNS}, kind)
    return (before, after) if level is None else (before | {LEVEL: application.level}, after | {LEVEL: level})


def change_of_guardian(guardian: Guardian, typed: Mapping[str, Any], *, now: dt.datetime) -> tuple[Values, Values]:
    """The same for the name and document of a guardian; an empty field keeps the stored value."""
    before = of_guardian(guardian)
    after = before | {name: value for name in GUARDIAN_COLUMNS if (value := (typed[name] or "").strip())}
    if after["id_number"] == before["id_number"]:
        after["id_kind"] = before["id_kind"]
    else:
        found = identity.check(after["id_kind"], after["id_number"], today=today(now))
        after |= {"id_kind": found.kind, "id_number": found.number}
    after["name"] = validate_name(after["name"])
    return _difference(before, after, CorrectionKind.OTHER_IDENTITY)


def change_of_fact(session: Session, application_id: uuid.UUID, fact: Fact, value: Any) -> tuple[Values, Values]:
    """The same for one fact; the value None means that the fact does not apply.

    Refuses `fact_value_not_understood` and `correction_changes_nothing`.
    """
    if value is not None:
        fact_values.check(session, fact, value)
    before = of_fact(session, application_id, fact)
    if before == value:
        raise Refused("correction_changes_nothing", field=fact.value)
    return {fact.value: before}, {fact.value: value}


def is_held_by_another_child(session: Session, child: Child, kind: str, number: str) -> bool:
    """Whether the document identifies another child already."""
    return documents.child_of(session, identity.index_of(number, kind)) not in (None, child.id)


def is_held_by_another_guardian(session: Session, guardian: Guardian, kind: str | None, number: str) -> bool:
    """Whether the document identifies another guardian already."""
    holder = session.scalar(select(Guardian.id).where(Guardian.id_index == identity.index_of(number, kind)))
    return holder not in (None, guardian.id)


def _difference(before: Values, after: Values, kind: CorrectionKind) -> tuple[Values, Values]:
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        raise Refused("correction_changes_nothing", field=TYPED[kind][-1])
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
