"""Kindergartens as an area's rules see them."""

import uuid
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground.reading.catalogue import Part
from enrollment.places.kept_places import EVERY, TABLES
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.service_areas import ServiceArea
from enrollment.season.grounds import KindergartenFacts

HOUSE = func.coalesce(Kindergarten.parent_id, Kindergarten.id)
"""SQL expression: the id of the kindergarten to which a site belongs; for a kindergarten that is not a site, its own id."""


def kindergartens(session: Session, ids: Collection[uuid.UUID] | None = None) -> dict[uuid.UUID, KindergartenFacts]:
    """The facts of these kindergartens with their sites, by id; without `ids` of all in the city.  Two queries."""
    kept = FACTS.of(session)
    if kept is not None:
        return kept if ids is None else {each: kept[each] for each in ids if each in kept}
    found = select(
        Kindergarten.id, Kindergarten.code, Kindergarten.nature, Kindergarten.area_code, Kindergarten.parent_id
    )
    if ids is not None:
        found = found.where(HOUSE.in_(select(HOUSE).where(Kindergarten.id.in_(ids))))
    rows = session.execute(found).all()
    code_of = {row.id: row.code for row in rows}
    sites: dict[uuid.UUID, set[str]] = {}
    for row in rows:
        if row.parent_id:
            sites.setdefault(row.parent_id, set()).add(row.code)
    estates = _estates(session, ids)
    return {
        row.id: KindergartenFacts(
            code=row.code,
            nature=row.nature,
            area=row.area_code,
            parent=code_of.get(row.parent_id),
            sites=frozenset(sites.get(row.parent_id or row.id, set()) - {row.code}),
            estates=estates.get(row.id, frozenset()),
        )
        for row in rows
    }


def _estates(session: Session, ids: Collection[uuid.UUID] | None) -> dict[uuid.UUID, frozenset[str]]:
    names = (
        select(ServiceArea.kindergarten_id, func.array_agg(ServiceArea.name))
        .where(ServiceArea.kind == "estate")
        .group_by(ServiceArea.kindergarten_id)
    )
    if ids is not None:
        names = names.where(ServiceArea.kindergarten_id.in_(ids))
    return {kindergarten_id: frozenset(listed) for kindergarten_id, listed in session.execute(names)}


FACTS = Part("kindergarten_facts", TABLES, kindergartens, every=EVERY)
"""The facts of all kindergartens, kept in the process for pages."""
