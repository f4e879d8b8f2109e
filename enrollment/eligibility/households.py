"""Storing where the family is registered, lives and works."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from enrollment.applications import applications, edits
from enrollment.applications.applications import Application, Stage
from enrollment.eligibility import claims
from enrollment.ground import city_time
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused, Stale
from enrollment.people import likeness
from enrollment.people.household_rows import ANSWERS, HUKOU_KINDS, HomeLikeness, Household, household_of
from enrollment.places.areas import all_areas

__all__ = ["ANSWERS", "HUKOU_KINDS", "Household", "household_of"]

LONGEST_TEXT = 120

IN_THE_CITY = (
    "home_area", "home_street", "home_community", "home_estate", "home_longitude", "home_latitude", "home_owned",
)  # fmt: skip
"""Columns of a home that are stored only if it lies in the city."""


def save(
    session: Session,
    application_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
    **said: Any,
) -> Household:
    """Store where the family is registered, lives and works; `said` are columns of the table, all of them optional.

    `version` is the version of the household (0 before the first save).  The grounds that follow from these answers are
    claimed at the same time, so the family is not asked twice.  Refuses unknown areas and kinds, with their field.
    """
    application = edits.begin(session, application_id, by=by, now=now)
    household = session.get(Household, application_id, populate_existing=True)
    if version is not None and version != (household.version if household else 0):
        raise Stale()
    values = checked(session, said, city_time.today(now))
    if household is None:
        household = Household(application_id=application_id, **values)
        session.add(household)
    else:
        for field, value in values.items():
            setattr(household, field, value)
        household.version += 1
    session.flush()
    note_dwelling(session, household)
    claims.follow_household(session, application, household, now=now)
    edits.keep(session, application, by=by, now=now)
    return household


def note_dwelling(session: Session, household: Household) -> None:
    """Write the likeness of the home, or delete it where the address has no room."""
    index = likeness.dwelling_index(household.home_area, household.home_estate, household.home_address)
    row = session.get(HomeLikeness, household.application_id)
    if index is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(HomeLikeness(application_id=household.application_id, dwelling_index=index))
    else:
        row.dwelling_index = index
    session.flush()


WHERE = (
    "hukou_kind", "hukou_area", "hukou_street", "home_area", "home_outside", "home_street", "home_community",
    "home_estate", "home_address",
)  # fmt: skip
"""What a family that moves changes for all of its children."""


def place_of(session: Session, application_id: uuid.UUID) -> tuple[Any, ...] | None:
    """Hukou and home as they are stored now; None before the first save."""
    household = household_of(session, application_id)
    return None if household is None else tuple(getattr(household, name) for name in WHERE)


def still_at(
    session: Session, application: Application, former: tuple[Any, ...] | None, *, by: Actor
) -> list[Application]:
    """The siblings' applications that still state the `former` place, which this application no longer states.

    Each application keeps its own household, so a family that moved has to change each; it would not notice one left.
    """
    if former is None or place_of(session, application.id) == former:
        return []
    return living_at(session, application, former, by=by)


def living_at(session: Session, application: Application, place: tuple[Any, ...], *, by: Actor) -> list[Application]:
    """The siblings' applications that take part and state this place."""
    family = applications.of_family(session, application, by=by)
    return [
        each
        for each in family
        if each.id != application.id
        and each.stage not in (Stage.WITHDRAWN, Stage.REFUSED)
        and place_of(session, each.id) == place
    ]


def checked(session: Session, said: dict[str, Any], today: dt.date) -> dict[str, Any]:
    """The columns as they are stored.  Refuses unknown areas and kinds, with their field."""
    unknown = said.keys() - ANSWERS
    if unknown:
        raise TypeError(f"a household has no {', '.join(sorted(unknown))}")
    values = {name: _tidied(value) for name, value in said.items()}
    if "hukou_kind" in values and values["hukou_kind"] not in HUKOU_KINDS:
        raise Refused("hukou_kind_missing", field="hukou_kind")
    if values.get("hukou_kind") == "elsewhere":
        values |= {"hukou_area": None, "hukou_street": None, "hukou_since": None}
    elif values.get("hukou_kind") and "hukou_area" in values and values["hukou_area"] is None:
        raise Refused("hukou_area_missing", field="hukou_area")
    if values.get("home_outside"):
        # a home outside the city has no area, no street that a kindergarten serves, and no distance
        values |= dict.fromkeys(IN_THE_CITY)
    elif "home_outside" in values or values.get("home_area"):
        values["home_outside"] = None
    if "home_area" in values and values["home_area"] is None and not values.get("home_outside"):
        raise Refused("home_area_missing", field="home_area")
    known = {area.code for area in all_areas(session)}
    for field in ("hukou_area", "home_area", "work_area", "residence_permit_area"):
        if values.get(field) and values[field] not in known:
            raise Refused("area_unknown", field=field)
    since = values.get("hukou_since")
    if since is not None and since > today:
        raise Refused("hukou_since_in_future", field="hukou_since")
    return values


def _tidied(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())[:LONGEST_TEXT] or None
    return value
