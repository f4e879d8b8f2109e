"""The board of children without a place: every child, how it stands, and who looks after it.

The list and its numbers come from what the database keeps (`kept_entries`); a page then reads what it shows of a few children, so
that it costs the same with ten of them and with ten thousand.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.run_rows import Run, RunState, WishReason
from enrollment.draw.unserved import entries, kept_entries
from enrollment.draw.unserved.choices import VACANT
from enrollment.draw.unserved.entries import WITHOUT_A_WORD, BoardState, Entry
from enrollment.draw.unserved.officers import Officers
from enrollment.draw.unserved.rows import AcceptedNature, AcceptedPlaces, ChosenPlace, DeclinedProposal
from enrollment.eligibility.home_points import HomePoint, HomePoints
from enrollment.eligibility.households import Household
from enrollment.ground.accounts import Actor
from enrollment.ground.classifications import Nature
from enrollment.ground.errors import NotFound
from enrollment.offers.offer_rows import CentralProposal
from enrollment.places.areas import Area
from enrollment.places.distances import metres, minutes_on_foot
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round

SHORT_LIST, LONG_LIST = 3, 12
"""How many vacancies the list shows of each child, and the page of one."""


@dataclass(frozen=True)
class Vacancy:
    """A place of the child's level.  `metres` is None where the home or the kindergarten is not on the map; `fits` says
    whether it is what the family said that it would accept."""

    programme_id: uuid.UUID
    kindergarten: Kindergarten
    free: int
    metres: int | None
    fits: bool

    @property
    def minutes(self) -> int | None:
        return None if self.metres is None else minutes_on_foot(self.metres)


@dataclass(frozen=True)
class Refusal:
    """A wish of the child and why it was refused, a code; None where no published run looked at it."""

    kindergarten: str
    reason: str | None


@dataclass(frozen=True)
class Line:
    """A child with what its row shows.  `place` is the kindergarten that was chosen or proposed."""

    entry: Entry
    wishes: tuple[Refusal, ...]
    vacancies: tuple[Vacancy, ...]
    said: AcceptedPlaces | None
    declined: DeclinedProposal | None
    place: Kindergarten | None
    metres: int | None
    point: HomePoint | None
    bound: tuple[str, ...]
    siblings: tuple[str, ...]

    @property
    def minutes(self) -> int | None:
        return None if self.metres is None else minutes_on_foot(self.metres)


@dataclass(frozen=True)
class Board:
    """One page, counted from 1.  The counts are of the official's whole scope, whatever is chosen.

    `officers` are (id, name, children) of those who have something to do here, `assignable` (id, name) of those to whom
    children can be given, `names` those of all.
    """

    rows: tuple[Line, ...]
    total: int
    number: int
    last: int
    by_area: tuple[tuple[str, str, int], ...]
    by_state: Counter[BoardState]
    officers: tuple[tuple[uuid.UUID, str, int], ...]
    assignable: tuple[tuple[uuid.UUID, str], ...]
    names: Mapping[uuid.UUID, str]

    @property
    def without_a_word(self) -> int:
        return sum(self.by_state[each] for each in WITHOUT_A_WORD)


def listing(
    session: Session,
    year: int,
    *,
    by: Actor,
    area: str | None = None,
    state: str | None = None,
    officer: uuid.UUID | None = None,
    page: int = 1,
    per_page: int = 25,
) -> Board:
    """One page of the board, those for whom something has to be done first.  Officials see their areas.

    `state` is a state, or "todo" for those that are neither placed nor explained.
    """
    officers = Officers(session)
    kept = kept_entries.listing(
        session, year, by=by, officers=officers, area=area, state=state, officer=officer, page=page, per_page=per_page
    )
    areas: dict[str, str] = dict(session.execute(select(Area.code, Area.name).order_by(Area.position)).all())
    per_area = kept.by_area
    mine = {area} if area else set(per_area)
    return Board(
        rows=tuple(_lines(session, year, kept.rows, SHORT_LIST)),
        total=kept.total,
        number=kept.number,
        last=kept.last,
        by_area=tuple((code, name, per_area[code]) for code, name in areas.items() if per_area[code]),
        by_state=kept.by_state(area),
        officers=tuple((each, officers.names[each], n) for each, n in kept.workload.most_common()),
        assignable=tuple(
            (each, officers.names[each])
            for each in dict.fromkeys(e for a in sorted(mine, key=str) for e in officers.may_have(a))
        ),
        names=officers.names,
    )


def one(session: Session, year: int, application_id: uuid.UUID, *, by: Actor) -> tuple[Line, Officers]:
    """One child of the board with more vacancies.  NotFound outside the scope, and for a child that left the board."""
    officers = Officers(session)
    found = entries.read(session, year, [application_id], by=by, officers=officers)
    if not found:
        raise NotFound("application")
    return _lines(session, year, found, LONG_LIST)[0], officers


def _lines(session: Session, year: int, found: Sequence[Entry], most: int) -> list[Line]:
    ids = [each.id for each in found]
    if not ids:
        return []
    homes = {
        each.application_id: each
        for each in session.scalars(select(Household).where(Household.application_id.in_(ids)))
    }
    said = {
        each.application_id: each
        for each in session.scalars(select(AcceptedPlaces).where(AcceptedPlaces.application_id.in_(ids)))
    }
    offers = [each.offer_id for each in found if each.offer_id]
    declined = {
        each.offer_id: each
        for each in session.scalars(select(DeclinedProposal).where(DeclinedProposal.offer_id.in_(offers)))
    }
    places, wishes, near = _places(session, ids, offers), _wishes(session, ids), _bound_and_siblings(session, ids)
    points, vacancies = HomePoints(session), _vacancies(session, year)
    lines = []
    for each in found:
        point = points.of(homes.get(each.id))
        place, far = places.get(each.id, (None, None))
        bound, siblings = near.get(each.id, ((), ()))
        lines.append(
            Line(
                each, tuple(wishes.get(each.id, ())), _nearest(each, point, vacancies, said.get(each.id), most),
                said.get(each.id), declined.get(each.offer_id) if each.offer_id else None, place, far, point,
                tuple(bound), tuple(siblings),
            )
        )  # fmt: skip
    return lines


def _places(
    session: Session, ids: Sequence[uuid.UUID], offers: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[Kindergarten, int | None]]:
    """The kindergarten that was chosen for each child, else the one of its newest proposal."""
    proposed = (
        select(CentralProposal.application_id, CentralProposal.metres, Kindergarten)
        .join(Programme, Programme.id == CentralProposal.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(CentralProposal.offer_id.in_(offers))
    )
    chosen = (
        select(ChosenPlace.application_id, ChosenPlace.metres, Kindergarten)
        .join(Programme, Programme.id == ChosenPlace.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(ChosenPlace.application_id.in_(ids))
    )
    found = [*session.execute(proposed), *session.execute(chosen)]
    return {row.application_id: (row.Kindergarten, row.metres) for row in found}


def _wishes(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Refusal]]:
    """The kindergartens wished for, round after round, each once, with the reason of the round's newest published run."""
    current = select(Run.id, Run.round_id).where(Run.state == RunState.PUBLISHED).subquery()
    found = (
        select(Wish.application_id, Kindergarten.name, WishReason.reason)
        .join(Round, Round.id == Wish.round_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(current, current.c.round_id == Round.id)
        .outerjoin(
            WishReason,
            (WishReason.run_id == current.c.id)
            & (WishReason.application_id == Wish.application_id)
            & (WishReason.programme_id == Wish.programme_id),
        )
        .where(Wish.application_id.in_(ids))
        .order_by(Wish.application_id, Round.number, Wish.rank)
    )
    wished: dict[uuid.UUID, dict[str, Refusal]] = defaultdict(dict)
    for application_id, name, reason in session.execute(found):
        wished[application_id][name] = Refusal(name, reason)
    return {each: list(refused.values()) for each, refused in wished.items()}


def _bound_and_siblings(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[list[str], list[str]]]:
    """The registration codes of bound children, and of the family's other children of the year who were handed in."""
    mine, other = aliased(Application), aliased(Application)
    found = (
        select(mine.id, other.registration_code, (mine.unit == other.unit).label("bound"))
        .join(other, (other.family_code == mine.family_code) & (other.year == mine.year) & (other.id != mine.id))
        .where(mine.id.in_(ids), other.stage.not_in(DEAD_STAGES), other.registration_code.is_not(None))
        .order_by(other.registration_code)
    )
    near: dict[uuid.UUID, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for application_id, code, bound in session.execute(found):
        near[application_id][0 if bound else 1].append(str(code))
    return near


def _vacancies(session: Session, year: int) -> dict[str, list[Row]]:
    """The vacancies of each level, less the places that were chosen."""
    chosen = select(func.count()).where(ChosenPlace.programme_id == Programme.id).scalar_subquery()
    found = (
        select(Programme.id, Programme.level, (Programme.places - Programme.taken - chosen).label("free"), Kindergarten)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == year, *VACANT)
        .order_by(Kindergarten.sort_key)
    )
    by_level: dict[str, list[Row]] = defaultdict(list)
    for row in session.execute(found):
        if row.free > 0:
            by_level[row.level].append(row)
    return by_level


def _nearest(
    child: Entry, home: HomePoint | None, vacancies: dict[str, list[Row]], said: AcceptedPlaces | None, most: int
) -> tuple[Vacancy, ...]:
    """Those of the child's own area, the nearest first; then others, of which the distance is known."""
    found = []
    for row in vacancies.get(child.level, ()):
        site: Kindergarten = row.Kindergarten
        far = None
        if home is not None and site.longitude is not None and site.latitude is not None:
            far = metres(home.longitude, home.latitude, site.longitude, site.latitude)
        if far is not None or site.area_code == child.area:
            found.append(Vacancy(row.id, site, row.free, far, _fits(site, far, said)))
    found.sort(key=lambda one: (one.kindergarten.area_code != child.area, one.metres is None, one.metres or 0))
    return tuple(found[:most])


def _fits(site: Kindergarten, far: int | None, said: AcceptedPlaces | None) -> bool:
    if said is None:
        return True
    near = said.minutes is None or far is None or minutes_on_foot(far) <= said.minutes
    return near and (said.nature == AcceptedNature.ANY or site.nature == Nature.PUBLIC)
