"""What everybody may read of a kindergarten beside its own row: this year's places, its sites, whom it serves."""

import uuid
from collections import defaultdict

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from enrollment.places.areas import LEVELS
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import ServiceArea


def offered(session: Session, kindergarten_ids: list[uuid.UUID], year: int) -> dict[uuid.UUID, list[Programme]]:
    """The approved programmes of the year for each kindergarten that has one, youngest children first."""
    query = select(Programme).where(
        Programme.kindergarten_id.in_(kindergarten_ids), Programme.year == year, Programme.state == "approved"
    )
    found: dict[uuid.UUID, list[Programme]] = defaultdict(list)
    for programme in sorted(session.scalars(query), key=lambda p: LEVELS.index(p.level)):
        found[programme.kindergarten_id].append(programme)
    return dict(found)


def sites_of(session: Session, kindergarten: Kindergarten) -> list[Kindergarten]:
    """The open sites of the same house: its parent and the parent's other sites."""
    house = kindergarten.parent_id or kindergarten.id
    query = select(Kindergarten).where(
        or_(Kindergarten.id == house, Kindergarten.parent_id == house),
        Kindergarten.id != kindergarten.id,
        Kindergarten.closed_on.is_(None),
    )
    return list(session.scalars(query.order_by(Kindergarten.sort_key)))


def served_by(session: Session, kindergarten_id: uuid.UUID) -> dict[str, list[str]]:
    """Names of its service area by kind (street, community, estate, road); drawn boundaries have no name to show."""
    query = select(ServiceArea.kind, ServiceArea.name).where(
        ServiceArea.kindergarten_id == kindergarten_id, ServiceArea.kind != "polygon"
    )
    names: dict[str, list[str]] = defaultdict(list)
    for kind, name in session.execute(query.order_by(ServiceArea.kind, ServiceArea.name)):
        names[kind].append(name)
    return dict(names)
