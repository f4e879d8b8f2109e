"""The household of a plain draft in one statement, with the grounds that follow from it."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.statements import draft_changes
from enrollment.applications.statements.draft_changes import values_of
from enrollment.applications.statements.keyed_write import Change, Page
from enrollment.eligibility import claims, households
from enrollment.eligibility.statements.claim_changes import CLAIMED, claim_values
from enrollment.ground import city_time
from enrollment.ground.accounts import Actor
from enrollment.ground.sealed.values import Sealed
from enrollment.people import likeness
from enrollment.people.household_rows import ANSWERS, HOUSEHOLDS, Household

_COLUMNS = sorted(ANSWERS)
_TABLE: Any = Household.__table__

PAGE = Page(
    condition="coalesce((SELECT version FROM household WHERE application_id = application.id), 0) = %(seen)s",
    parts=f"""
    stored AS (
        INSERT INTO household (application_id, version, {", ".join(_COLUMNS)})
        SELECT id, 1, {", ".join(f"%({name})s" for name in _COLUMNS)} FROM kept
        ON CONFLICT (application_id) DO UPDATE SET version = household.version + 1,
            {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}),
    likened AS (
        INSERT INTO home_likeness (application_id, dwelling_index)
        SELECT id, %(dwelling)s::bytea FROM kept WHERE %(dwelling)s::bytea IS NOT NULL
        ON CONFLICT (application_id) DO UPDATE SET dwelling_index = excluded.dwelling_index),
    unlikened AS (
        DELETE FROM home_likeness USING kept
        WHERE home_likeness.application_id = kept.id AND %(dwelling)s::bytea IS NULL),
    {CLAIMED}
    """,  # noqa: S608 (constants)
)
STATEMENT = draft_changes.statement(PAGE)


def change(
    read: Session, application: Application, said: dict[str, Any], *, version: int, by: Actor, now: dt.datetime
) -> Change | None:
    """What `households.save` does; `version` is that of the household, 0 before the first save.

    None where the page is not the newest.  The answers of `read` are then those after the change.  Refuses what the service
    refuses.
    """
    known = HOUSEHOLDS.one(read, application.id)
    if version != (known.version if known else 0):
        return None
    answers = dict.fromkeys(_COLUMNS) | {name: getattr(known, name) for name in _COLUMNS if known is not None}
    answers |= households.checked(read, said, city_time.today(now))
    saved = Household(application_id=application.id, version=version + 1, **answers)
    wanted = claims.following(saved)
    changed = claim_values(read, application.id, tuple(claims.carried_by(saved)), wanted, now=now)
    HOUSEHOLDS.put(read, application.id, [saved])
    values = values_of(application, by=by, now=now) | {"seen": version} | changed
    values["dwelling"] = likeness.dwelling_index(saved.home_area, saved.home_estate, saved.home_address)
    values |= {name: _stored(name, answers[name], application) for name in _COLUMNS}
    return Change(STATEMENT, values, PAGE)


def _stored(name: str, value: Any, application: Application) -> Any:
    kind = _TABLE.columns[name].type
    return kind.sealed(value, application.id) if isinstance(kind, Sealed) else value
