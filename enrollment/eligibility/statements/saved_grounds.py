"""The grounds of a plain draft in one statement, with the elder sibling that one of them names."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import elder_siblings
from enrollment.applications.application_rows import Application
from enrollment.applications.elder_siblings import ELDERS, Elder, ElderSibling
from enrollment.applications.statements import draft_changes
from enrollment.applications.statements.draft_changes import values_of
from enrollment.applications.statements.keyed_write import Change, Page
from enrollment.eligibility import claims
from enrollment.eligibility.statements.claim_changes import CLAIMED, claim_values
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.sealed.values import Sealed
from enrollment.season.facts import Ground

_NAMED = ("name", "id_number", "id_index", "born")
_TABLE: Any = ElderSibling.__table__
AT_A_KINDERGARTEN = (Ground.ELDER_SIBLING, Ground.SIBLING_RIGHT, Ground.STAFF_CHILD)

PAGE = Page(
    condition="""
        cardinality(%(kindergartens)s::text[]) = (SELECT count(*) FROM kindergarten
                WHERE code = ANY(%(kindergartens)s::text[]) AND closed_on IS NULL)
    """,
    parts=f"""
    {CLAIMED},
    unnamed AS (
        DELETE FROM elder_sibling USING kept WHERE application_id = kept.id AND %(asks_elder)s AND NOT %(names_elder)s),
    named AS (
        INSERT INTO elder_sibling (application_id, {", ".join(_NAMED)})
        SELECT id, {", ".join(f"%({name})s::bytea" for name in _NAMED)} FROM kept WHERE %(names_elder)s
        ON CONFLICT (application_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMED)})
    """,  # noqa: S608 (constants)
)
STATEMENT = draft_changes.statement(PAGE)


def change(
    read: Session,
    application: Application,
    grounds: Mapping[Ground, Any],
    elder: Elder | None,
    *,
    among: Sequence[Ground],
    version: int,
    by: Actor,
    now: dt.datetime,
) -> Change | None:
    """What `claims.set_claims` does.  None where the page is not the newest.

    The answers of `read` are then those after the change.  Refuses what the service refuses.
    """
    if version != application.version:
        return None
    wanted = {ground: claims.details_of(read, ground, detail) for ground, detail in grounds.items()}
    named = None
    if elder is not None and Ground.ELDER_SIBLING in wanted:
        number = application.child.id_number
        named = elder_siblings.checked(elder, child_number=number, today=today(now))
    places = {wanted[ground][claims.DETAIL[ground].value] for ground in AT_A_KINDERGARTEN if ground in wanted}
    changed = claim_values(read, application.id, among, wanted, now=now)
    elder_values = {"asks_elder": Ground.ELDER_SIBLING in among, "names_elder": named is not None} | {
        name: None if named is None else _stored(name, named[name], application) for name in _NAMED
    }
    values = values_of(application, by=by, now=now) | changed | elder_values | {"kindergartens": sorted(places)}
    if Ground.ELDER_SIBLING in among:
        elder_named = [] if named is None else [ElderSibling(application_id=application.id, **named)]
        ELDERS.put(read, application.id, elder_named)
    return Change(STATEMENT, values, PAGE)


def _stored(name: str, value: Any, application: Application) -> Any:
    kind = _TABLE.columns[name].type
    return kind.sealed(value, application.id) if isinstance(kind, Sealed) else value
