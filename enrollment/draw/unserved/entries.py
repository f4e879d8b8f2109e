"""How each child without a place stands, decided from its application, its offers and what officials and families said.

`entries` is the whole list of a year; of single children the same statement reads only theirs.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CTE, Row, case, func, or_, select, true, union_all
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES, Stage
from enrollment.draw import unplaced
from enrollment.draw.unserved.choices import standing
from enrollment.draw.unserved.officers import Officers
from enrollment.draw.unserved.rows import ChosenPlace, UnservedChild
from enrollment.draw.unserved.scope import within
from enrollment.eligibility.households import Household
from enrollment.ground.accounts import Actor
from enrollment.offers.offer_rows import LIVE, CentralProposal, Offer, OfferState
from enrollment.places.kindergartens import Kindergarten


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


def entries(session: Session, year: int, *, by: Actor) -> list[Entry]:
    """All children of the year whom a published run left without a place, or who were proposed one afterwards; and those who
    were refused then and reinstated later."""
    return read(session, year, None, by=by, officers=Officers(session))


def read(
    session: Session, year: int, ids: Collection[uuid.UUID] | None, *, by: Actor, officers: Officers
) -> list[Entry]:
    """The same, computed now; with `ids` only of these applications, which costs what they cost."""
    if ids is not None and not ids:
        return []
    found = _rows(session, year, by, ids)
    chosen = any(row.chosen_at is not None for row in found)
    stands = {each.application_id for each in standing(session, year)} if chosen else set()
    return [_entry(row, stands, officers) for row in found]


def _entry(row: Row, stands: set[uuid.UUID], officers: Officers) -> Entry:
    return Entry(
        row.id, row.registration_code, row.level, row.home, row.unit, row.agrees_to_central, row.outside,
        _state(row, stands), officers.of(row.id, row.home, row.officer_id), row.version or 0, row.offer_id,
        row.answer_by if row.offer_state == OfferState.OFFERED else None, row.explanation, row.explained_at,
    )  # fmt: skip


def _rows(session: Session, year: int, by: Actor, ids: Collection[uuid.UUID] | None) -> Sequence[Row]:
    central = select(CentralProposal.id).where(CentralProposal.offer_id == Offer.id).exists()
    newest = (
        select(Offer.id, Offer.state, Offer.answer_by, Offer.ended_at, central.label("central"))
        .where(Offer.application_id == Application.id)
        .order_by(case((Offer.state.in_(LIVE), 0), else_=1), Offer.made_at.desc())
        .limit(1)
        .lateral("newest")
    )
    left = _without_a_place_of_a_draw(year, ids)
    base = unplaced.of_year(year).join(left, left.c.id == Application.id)
    if ids is not None:
        base = base.where(Application.id.in_(ids))
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


def _without_a_place_of_a_draw(year: int, ids: Collection[uuid.UUID] | None) -> CTE:
    """Who took part or came back and does not hold a place of a draw: a few of all, found by joining whole tables.  The newest
    offer is then looked up for these alone; PostgreSQL would look it up for every child of the city."""
    proposed = select(CentralProposal.id).where(CentralProposal.offer_id == Offer.id).exists()
    holds = select(Offer.id).where(Offer.application_id == Application.id, Offer.state.in_(LIVE), ~proposed).exists()
    parts = []
    for each in (unplaced.took_part(year), unplaced.came_back(year)):
        found = each.with_only_columns(Application.id).where(~holds).order_by(None)
        parts.append(found if ids is None else found.where(Application.id.in_(ids)))
    return union_all(*parts).cte("without_a_place_of_a_draw").prefix_with("MATERIALIZED")


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
