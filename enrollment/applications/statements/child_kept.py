"""The child's page of a plain draft, saved without another identity, in one statement: at most the relation changes."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import applications, identity_edits
from enrollment.applications.application_rows import Application
from enrollment.applications.statements.draft_changes import KEPT, values_of
from enrollment.applications.statements.keyed_write import DONE, SAVED, Change
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.people import children, guardians
from enrollment.people.person_rows import RELATIONS

STATEMENT = f"""
    WITH kept AS (
        {KEPT}
          AND (SELECT version FROM child WHERE child.id = application.child_id) = %(seen)s
        RETURNING id, child_id),
    corrected AS (
        UPDATE child SET version = child.version + 1 FROM kept
        WHERE child.id = kept.child_id AND child.version = %(seen)s RETURNING child.id),
    related AS (
        UPDATE guardianship SET relation = %(relation)s FROM kept
        WHERE guardianship.child_id = kept.child_id AND guardian_id = %(guardian)s AND relation <> %(relation)s),
    entry AS (
        INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
        SELECT %(now)s, %(account)s, 'correct_child', 'child', child_id, '{{}}' FROM kept),
    {DONE}
    SELECT id, {SAVED} FROM corrected
"""  # noqa: S608 (constants)
"""No row back where the child changed while the statement waited for it; the caller then takes the statement back."""


def change(
    read: Session,
    application: Application,
    said: dict[str, Any],
    *,
    version: int | None,
    by: Actor,
    now: dt.datetime,
) -> Change | None:
    """What `registration.correct_child` does with the same name, document, birth date and sex; None for anything else.

    `version` is the child's, and `said` are the arguments of the service.  Refuses what the service refuses.
    """
    child, guardian, said = application.child, guardians.guardian_of(read, by=by), dict(said)
    relation = said.pop("relation")
    if guardian is None or version != child.version or relation not in RELATIONS:
        return None
    _found, identity = children.child_values(**said, on=today(now))
    is_same = all(identity[name] == getattr(child, name) for name in identity_edits.FIELD_OF_COLUMN)
    if not is_same or applications.level_of(child.born, application.year) != application.level:
        return None
    values = {"seen": version, "relation": relation, "guardian": guardian.id}
    return Change(STATEMENT, values_of(application, by=by, now=now) | values)
