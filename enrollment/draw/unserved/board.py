"""The board of children without a place: every child, how it stands, and who looks after it.

`entries` reads all children of a year in one statement and decides the state of each; a page then reads what it shows of a
few of them, so that it costs the same with ten children and with ten thousand.
"""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CTE, Row, case, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import DEAD_STAGES, Stage
from enrollment.draw import unplaced
from enrollment.draw.run_rows import Run, RunState, WishReason
from enrollment.draw.unserved.choices import VACANT, standing
from enrollment.draw.unserved.officers import Officers, workload
from enrollment.draw.unserved.rows import AcceptedNature, AcceptedPlaces, ChosenPlace, DeclinedProposal, UnservedChild
from enrollment.draw.unserved.scope import within
from enrollment.eligibility.home_points import HomePoint, HomePoints
from enrollment.eligibility.households import Household
from enrollment.ground.accounts import Actor
from enrollment.ground.classifications import Nature
from enrollment.ground.errors import NotFound
from enrollment.offers.offer_rows import LIVE, CentralProposal, Offer, OfferState
from enrollment.places.areas import Area
from enrollment.places.distances import metres, minutes_on_foot
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round

SHORT_LIST, LONG_LIST = 3, 12
"""How many vacancies the list shows of each child, and the page of one."""


class BoardState(StrEnum):
    """How a child stands.

    `OPEN`: nothing is proposed.  `CHOSEN`: an official chose a place that waits for two signatures.  `CHOICE_LOST`: that
    place went to another child.  `ASKED`, `ACCEPTED`, `DECLINED`, `SILENT`: the family's answer to a proposal.
    `GAVE_UP`: the family gave up a place of the draw.  `LOST`: its place ended in another way.  `LEFT`: the family withdrew.
    `EXPLAINED`: an official said why it ends without a place.
    """

    OPEN = "open"
    CHOICE_LOST = "choice_lost"
    DECLINED = "declined"
    SILENT = "silent"
    LOST = "lost"
    CHOSEN = "chosen"
    ASKED = "asked"
    ACCEPTED = "accepted"
    EXPLAINED = "explained"
    GAVE_UP = "gave_up"
    LEFT = "left"


WITHOUT_A_WORD = (
    BoardState.OPEN, BoardState.CHOICE_LOST, BoardState.DECLINED, BoardState.SILENT, BoardState.LOST, BoardState.CHOSEN,
)  # fmt: skip
"""Neither placed nor explained: the season cannot be closed.  A family that gave its place up said so itself."""

HOLDS_A_PLACE = (BoardState.ASKED, BoardState.ACCEPTED)


@dataclass(frozen=True)
class Entry:
    """A child as all lists need it.  `due` is when a family's answer is due; `version` that of the official's row."""

    id: uuid.UUID
    registration_code: str | None
    level: str
    area: str | None
    unit: uuid.UUID | None
    agrees: bool
    outside: bool
    state: BoardState
    officer: uuid.UUID | None
    version: int
    offer_id: uuid.UUID | None
    due: dt.datetime | None
    explanation: str | None
    explained_at: dt.datetime | None


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


def entries(session: Session, year: int, *, by: Actor) -> list[Entry]:
    """All children of the year whom a published run left without a place, or who were proposed one afterwards."""
    return _entries(session, year, by, Officers(session))


def _entries(session: Session, year: int, by: Actor, officers: Officers) -> list[Entry]:
    found = _rows(session, year, by)
    stands = {each.application_id for each in standing(session, year)}
    return [_entry(row, stands, officers) for row in found]


def _entry(row: Row, stands: set[uuid.UUID], officers: Officers) -> Entry:
    return Entry(
        row.id, row.registration_code, row.level, row.home, row.unit, row.agrees_to_central, row.outside,
        _state(row, stands), officers.of(row.id, row.home, row.officer_id), row.version or 0, row.offer_id,
        row.answer_by if row.offer_state == OfferState.OFFERED else None, row.explanation, row.explained_at,
    )  # fmt: skip


def _rows(session: Session, year: int, by: Actor, application_id: uuid.UUID | None = None) -> Sequence[Row]:
    central = select(CentralProposal.id).where(CentralProposal.offer_id == Offer.id).exists()
    newest = (
        select(Offer.id, Offer.state, Offer.answer_by, Offer.ended_at, central.label("central"))
        .where(Offer.application_id == Application.id)
        .order_by(case((Offer.state.in_(LIVE), 0), else_=1), Offer.made_at.desc())
        .limit(1)
        .lateral("newest")
    )
    left = _without_a_place_of_a_draw(year, application_id)
    base = unplaced.took_part(year).join(left, left.c.id == Application.id)
    home = func.coalesce(Household.home_area, Kindergarten.area_code)
    found = (
        base.with_only_columns(
            Application.id, Application.registration_code, Application.level, Application.stage, Application.unit,
            Application.agrees_to_central, func.coalesce(Household.home_outside, False).label("outside"),
            home.label("home"), newest.c.id.label("offer_id"), newest.c.state.label("offer_state"), newest.c.answer_by,
            newest.c.ended_at, newest.c.central, UnservedChild.version, UnservedChild.officer_id,
            UnservedChild.explanation, UnservedChild.explained_at, ChosenPlace.chosen_at,
        )
        .outerjoin(newest, true())
        .outerjoin(UnservedChild, UnservedChild.application_id == Application.id)
        .outerjoin(ChosenPlace, ChosenPlace.application_id == Application.id)
        .where(
            within(by, home),
            Application.stage != Stage.REFUSED,
            or_(newest.c.id.is_(None), newest.c.state.not_in(LIVE), newest.c.central),
            or_(Application.stage.not_in(DEAD_STAGES), newest.c.id.is_(None), newest.c.central),
        )
        .order_by(None)
        .order_by(Application.registration_code, Application.id)
    )  # fmt: skip
    return session.execute(found).all()


def _without_a_place_of_a_draw(year: int, application_id: uuid.UUID | None) -> CTE:
    """Who took part and does not hold a place of a draw: a few of all, found by joining whole tables.  The newest offer is
    then looked up for these alone; PostgreSQL would look it up for every child of the city."""
    proposed = select(CentralProposal.id).where(CentralProposal.offer_id == Offer.id).exists()
    holds = select(Offer.id).where(Offer.application_id == Application.id, Offer.state.in_(LIVE), ~proposed).exists()
    found = unplaced.took_part(year).with_only_columns(Application.id).where(~holds).order_by(None)
    if application_id is not None:
        found = found.where(Application.id == application_id)
    return found.cte("without_a_place_of_a_draw").prefix_with("MATERIALIZED")


ENDED = {OfferState.DECLINED: BoardState.DECLINED, OfferState.EXPIRED: BoardState.SILENT}


def _state(row: Row, stands: set[uuid.UUID]) -> BoardState:
    if row.stage in DEAD_STAGES:
        return BoardState.LEFT
    if row.offer_state in LIVE:
        return BoardState.ASKED if row.offer_state == OfferState.OFFERED else BoardState.ACCEPTED
    if row.explained_at is not None and (row.ended_at is None or row.explained_at > row.ended_at):
        return BoardState.EXPLAINED
    if row.chosen_at is not None:
        return BoardState.CHOSEN if row.id in stands else BoardState.CHOICE_LOST
    if row.offer_id is None:
        return BoardState.OPEN
    if row.central:
        return ENDED.get(row.offer_state, BoardState.LOST)
    return BoardState.GAVE_UP if row.offer_state == OfferState.DECLINED else BoardState.LOST


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
    found = _entries(session, year, by, officers)
    areas: dict[str, str] = dict(session.execute(select(Area.code, Area.name).order_by(Area.position)).all())
    wanted = [
        each
        for each in found
        if (area is None or each.area == area)
        and (officer is None or each.officer == officer)
        and (state is None or each.state == state or (state == "todo" and each.state in WITHOUT_A_WORD))
    ]
    order = list(BoardState)
    wanted.sort(key=lambda each: (order.index(each.state), each.registration_code or ""))
    last = max(1, -(-len(wanted) // per_page))
    page = min(max(page, 1), last)
    per_area, open_ = Counter(each.area for each in found), [each for each in found if each.state in WITHOUT_A_WORD]
    load = workload([each.officer for each in open_])
    mine = {area} if area else {each.area for each in found}
    return Board(
        rows=tuple(_lines(session, year, wanted[(page - 1) * per_page : page * per_page], SHORT_LIST)),
        total=len(wanted),
        number=page,
        last=last,
        by_area=tuple((code, name, per_area[code]) for code, name in areas.items() if per_area[code]),
        by_state=Counter(each.state for each in found if area is None or each.area == area),
        officers=tuple((each, officers.names[each], n) for each, n in load.most_common()),
        assignable=tuple(
            (each, officers.names[each])
            for each in dict.fromkeys(e for a in sorted(mine, key=str) for e in officers.may_have(a))
        ),
        names=officers.names,
    )


def one(session: Session, year: int, application_id: uuid.UUID, *, by: Actor) -> tuple[Line, Officers]:
    """One child of the board with more vacancies.  NotFound outside the scope, and for a child that left the board."""
    officers = Officers(session)
    rows = _rows(session, year, by, application_id)
    if not rows:
        raise NotFound("application")
    stands = {each.application_id for each in standing(session, year)}
    return _lines(session, year, [_entry(rows[0], stands, officers)], LONG_LIST)[0], officers


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
