"""The child's page of a plain draft, saved without another identity, in one statement: at most the relation changes."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from enrollment.applications import applications, identity_edits
from enrollment.applications.application_rows import Application
from enrollment.applications.statements import draft_changes
from enrollment.applications.statements.draft_changes import IN_CARE, values_of
from enrollment.applications.statements.keyed_write import Change, Page
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.people import children, guardians
from enrollment.people.person_rows import CARERS, RELATIONS

PAGE = Page(
    before=f"""
    held AS (
        SELECT application.id, application.child_id FROM application
        WHERE application.id = %(application)s AND application.version = %(version)s AND {IN_CARE}
        FOR NO KEY UPDATE),
    same AS (
        SELECT child.id AS of_child FROM child JOIN held ON held.child_id = child.id
        WHERE child.version = %(seen)s FOR NO KEY UPDATE OF child),
    """,  # noqa: S608 (constants)
    source="FROM same",
    condition="application.child_id = same.of_child",
    returning=", application.child_id AS of_child",
    parts="""
    corrected AS (
        UPDATE child SET version = child.version + 1 FROM kept WHERE child.id = kept.of_child),
    related AS (
        UPDATE guardianship SET relation = %(relation)s FROM kept
        WHERE guardianship.child_id = kept.of_child AND guardian_id = %(guardian)s AND relation <> %(relation)s),
    entry AS (
        INSERT INTO audit_entry (at, account_id, act, subject, subject_id, details)
        SELECT %(now)s, %(account)s, 'correct_child', 'child', of_child, '{}' FROM kept)
    """,
)
"""The application is locked before its child, as everywhere, and nothing is written before both are known to be as they were read:
a child that changed while the statement waited gives no row, and no answer under the request's key."""

STATEMENT = draft_changes.statement(PAGE)


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

    `version` is the child's, and `said` are the arguments of the service.  The answers of `read` are then those after the change.
    Refuses what the service refuses.
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
    for care in CARERS.of(read, child.id):
        if care.guardian_id == guardian.id:
            set_committed_value(care, "relation", relation)
    return Change(STATEMENT, values_of(application, by=by, now=now) | values, PAGE)
