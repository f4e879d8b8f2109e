"""The library of measures: officials add, change and withdraw them, each in its own area."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.classifications import Nature
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import kindergartens
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.measures.rows import (
    COMMITTED,
    LATEST_LEAD,
    MOST_MONEY,
    MOST_PLACES,
    OPENS,
    Measure,
    MeasureKind,
    MeasureStage,
)


@dataclass(frozen=True)
class Values:
    """What a person enters of a measure.  `kindergarten` is a code, empty where it needs none."""

    name: str
    kind: MeasureKind
    area: str
    kindergarten: str
    nature: Nature
    places: int
    cost: int
    yearly: int
    earliest_year: int
    lead_years: int
    stage: MeasureStage = MeasureStage.IDEA


def all_measures(session: Session) -> Sequence[Measure]:
    """Those that are not withdrawn, by area and code."""
    found = select(Measure).where(Measure.withdrawn_at.is_(None)).order_by(Measure.area_code, Measure.code)
    return session.scalars(found).unique().all()


def committed(session: Session) -> Sequence[Measure]:
    """The projects that are approved or under way, those that open first before the others."""
    found = select(Measure).where(Measure.withdrawn_at.is_(None), Measure.stage.in_(COMMITTED))
    rows = session.scalars(found.order_by(Measure.area_code, Measure.code)).unique().all()
    return sorted(rows, key=lambda each: each.opens)


def of_codes(session: Session, codes: Sequence[str]) -> Sequence[Measure]:
    """Those with these codes, also withdrawn ones, by area and code."""
    found = select(Measure).where(Measure.code.in_(codes)).order_by(Measure.area_code, Measure.code)
    return session.scalars(found).unique().all()


def get(session: Session, measure_id: uuid.UUID) -> Measure:
    """A measure, also a withdrawn one.  Raises NotFound."""
    found = session.get(Measure, measure_id)
    if found is None:
        raise NotFound(measure_id)
    return found


def add(session: Session, values: Values, *, by: Actor, now: dt.datetime) -> Measure:
    """Add a measure.  Refuses `measure_area`, `measure_kindergarten`, `measure_turns_nothing` and `measure_numbers`."""
    place = _checked(session, values, by)
    number = session.scalar(select(func.count()).select_from(Measure).where(Measure.area_code == values.area)) or 0
    code = f"{values.area}-{number + 1:03d}"
    while session.scalar(select(Measure.id).where(Measure.code == code)) is not None:
        number += 1
        code = f"{values.area}-{number + 1:03d}"
    made = Measure(code=code, made_by=by.account_id, made_at=now)
    _write(made, values, place)
    session.add(made)
    session.flush()
    audit.record(session, "add_measure", "measure", made.id, by=by, now=now, code=code, kind=values.kind)
    return made


def change(
    session: Session, measure_id: uuid.UUID, values: Values, *, version: int, by: Actor, now: dt.datetime
) -> None:
    """Change a measure; plans that were made keep what they were made of.  Refuses as `add`.  Raises Stale."""
    found = _locked(session, measure_id, version, by)
    place = _checked(session, values, by)
    _write(found, values, place)
    found.version += 1
    session.flush()
    audit.record(session, "change_measure", "measure", found.id, by=by, now=now, code=found.code, kind=values.kind)


def withdraw(session: Session, measure_id: uuid.UUID, *, version: int, by: Actor, now: dt.datetime) -> None:
    """Leave a measure out of new plans.  Raises Stale."""
    found = _locked(session, measure_id, version, by)
    found.withdrawn_at = now
    found.version += 1
    session.flush()
    audit.record(session, "withdraw_measure", "measure", found.id, by=by, now=now, code=found.code)


def may_change(by: Actor, area: str) -> bool:
    """City officials change all measures, officials of an area its own."""
    return by.is_any(Role.CITY_OFFICIAL) or (by.is_any(Role.AREA_OFFICIAL) and area in by.areas)


def turns_nothing(kind: str, nature: str) -> bool:
    """Whether a kindergarten of this nature has already what a measure of this kind would make of it."""
    turned = {MeasureKind.TO_INCLUSIVE: (Nature.INCLUSIVE, Nature.PUBLIC), MeasureKind.TO_PUBLIC: (Nature.PUBLIC,)}
    return nature in turned.get(MeasureKind(kind), ())


def _locked(session: Session, measure_id: uuid.UUID, version: int, by: Actor) -> Measure:
    found = session.get(Measure, measure_id, with_for_update={"of": Measure}, populate_existing=True)
    if found is None or not may_change(by, found.area_code):
        raise NotFound(measure_id)
    if found.version != version or found.withdrawn_at is not None:
        raise Stale
    return found


def _checked(session: Session, values: Values, by: Actor) -> Kindergarten | None:
    if session.get(Area, values.area) is None or not may_change(by, values.area):
        raise Refused("measure_area", "area")
    place = kindergartens.by_code(session, values.kindergarten) if values.kindergarten else None
    if values.kindergarten and (place is None or place.area_code != values.area):
        raise Refused("measure_kindergarten", "kindergarten")
    if place is None and values.kind not in OPENS:
        raise Refused("measure_kindergarten", "kindergarten")
    if place is not None and turns_nothing(values.kind, place.nature):
        raise Refused("measure_turns_nothing", "kindergarten")
    numbers = (
        1 <= values.places <= MOST_PLACES
        and 0 <= values.cost <= MOST_MONEY
        and abs(values.yearly) <= MOST_MONEY
        and 2000 <= values.earliest_year <= 2100
        and 0 <= values.lead_years <= LATEST_LEAD
    )
    if not numbers:
        raise Refused("measure_numbers", "places")
    return place


def _write(measure: Measure, values: Values, place: Kindergarten | None) -> None:
    measure.name, measure.kind, measure.area_code = values.name.strip(), values.kind, values.area
    measure.kindergarten, measure.nature, measure.places = place, values.nature, values.places
    measure.cost, measure.yearly = values.cost, values.yearly
    measure.earliest_year, measure.lead_years = values.earliest_year, values.lead_years
    measure.stage = values.stage
