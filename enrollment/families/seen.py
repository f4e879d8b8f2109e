"""The city's kindergartens as an area's rules see them."""

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.places.kindergartens import Kindergarten
from enrollment.places.service_areas import ServiceArea
from enrollment.season.grounds import Seen


def all_kindergartens(session: Session) -> dict[uuid.UUID, Seen]:
    """By id; two queries, for works that look at the whole city."""
    found = select(
        Kindergarten.id, Kindergarten.code, Kindergarten.nature, Kindergarten.area_code, Kindergarten.parent_id
    )
    rows = list(session.execute(found))
    code_of = {row.id: row.code for row in rows}
    sites: dict[uuid.UUID, set[str]] = {}
    for row in rows:
        if row.parent_id:
            sites.setdefault(row.parent_id, set()).add(row.code)
    estates = _estates(session)
    return {
        row.id: Seen(
            code=row.code,
            nature=row.nature,
            area=row.area_code,
            parent=code_of.get(row.parent_id),
            sites=frozenset(sites.get(row.parent_id or row.id, set()) - {row.code}),
            estates=estates.get(row.id, frozenset()),
        )
        for row in rows
    }


def _estates(session: Session) -> dict[uuid.UUID, frozenset[str]]:
    names = (
        select(ServiceArea.kindergarten_id, func.array_agg(ServiceArea.name))
        .where(ServiceArea.kind == "estate")
        .group_by(ServiceArea.kindergarten_id)
    )
    return {kindergarten_id: frozenset(listed) for kindergarten_id, listed in session.execute(names)}
