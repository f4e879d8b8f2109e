"""Search for kindergartens, and their public data: programmes, sites, service areas."""

import uuid
from collections import defaultdict

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from enrollment.places.areas import LEVELS
from enrollment.places.kindergartens import Kindergarten, Page, paginate
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.places.service_areas import ServiceArea


def search(
    session: Session,
    words: str | None = None,
    area: str | None = None,
    nature: str | None = None,
    level: str | None = None,
    year: int | None = None,
    page: int = 1,
    per_page: int = 20,
) -> Page:
    """Open kindergartens in the order of their pinyin.

    `words` are parts of the name, street, address or code, or the name in pinyin, whole or by first letters; all must
    match.  With `level` or `year` only those with an approved programme of it are found.
    """
    query = select(Kindergarten).where(Kindergarten.closed_on.is_(None))
    for word in (words or "").split():
        query = query.where(word_condition(word))
    if area:
        query = query.where(Kindergarten.area_code == area)
    if nature:
        query = query.where(Kindergarten.nature == nature)
    if level or year:
        query = query.where(_programme_condition(level, year))
    return paginate(session, query.order_by(Kindergarten.sort_key, Kindergarten.code), page, per_page)


def word_condition(word: str):
    parts = [Kindergarten.name, Kindergarten.street, Kindergarten.address, Kindergarten.code]
    match = [part.icontains(word, autoescape=True) for part in parts]
    letters = word.casefold()
    if letters.isascii() and letters.isalnum():
        together = func.replace(Kindergarten.sort_key, " ", "")
        initials = func.regexp_replace(Kindergarten.sort_key, r"(\w)\w*\s*", r"\1", "g")
        match += [together.contains(letters), initials.contains(letters)]
    return or_(*match)


def _programme_condition(level: str | None, year: int | None):
    offered = exists().where(Programme.kindergarten_id == Kindergarten.id, Programme.state == ProgrammeState.APPROVED)
    if level:
        offered = offered.where(Programme.level == level)
    if year:
        offered = offered.where(Programme.year == year)
    return offered


def programmes_offered(
    session: Session, kindergarten_ids: list[uuid.UUID], year: int
) -> dict[uuid.UUID, list[Programme]]:
    """The approved programmes of the year for each kindergarten that has one, youngest children first."""
    query = select(Programme).where(
        Programme.kindergarten_id.in_(kindergarten_ids),
        Programme.year == year,
        Programme.state == ProgrammeState.APPROVED,
    )
    found: dict[uuid.UUID, list[Programme]] = defaultdict(list)
    for programme in sorted(session.scalars(query), key=lambda p: LEVELS.index(p.level)):
        found[programme.kindergarten_id].append(programme)
    return dict(found)


def other_sites(session: Session, kindergarten: Kindergarten) -> list[Kindergarten]:
    """The other open sites of the same kindergarten, including its main site."""
    house = kindergarten.parent_id or kindergarten.id
    query = select(Kindergarten).where(
        or_(Kindergarten.id == house, Kindergarten.parent_id == house),
        Kindergarten.id != kindergarten.id,
        Kindergarten.closed_on.is_(None),
    )
    return list(session.scalars(query.order_by(Kindergarten.sort_key)))


def service_area_names(session: Session, kindergarten_id: uuid.UUID) -> dict[str, list[str]]:
    """Names of its service area by kind (street, community, estate, road); polygons have no name."""
    query = select(ServiceArea.kind, ServiceArea.name).where(
        ServiceArea.kindergarten_id == kindergarten_id, ServiceArea.kind != "polygon"
    )
    names: dict[str, list[str]] = defaultdict(list)
    for kind, name in session.execute(query.order_by(ServiceArea.kind, ServiceArea.name)):
        names[kind].append(name)
    return dict(names)
