"""Places that are free after a published result: where, since when, how many children wait, when the last one was called (RP20)."""

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy import Select, distinct, exists, func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Stage, Wish
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.run_rows import CutOff, Run
from enrollment.offers.offer_rows import LIVE, Offer, OfferMove
from enrollment.places.kindergartens import Kindergarten, Page, paginate_rows
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season import small_cells
from enrollment.season.rounds import Round

PER_PAGE = 50


@dataclass(frozen=True)
class FreePlace:
    """`waiting` is None where so few children wait that the number would tell of one of them."""

    kindergarten: Kindergarten
    level: str
    free: int
    since: dt.datetime | None
    waiting: int | None
    called: dt.datetime | None


def query(year: int) -> Select:
    """Kindergarten, level, free places, since when, children who wait for one, when the last of them was called.

    A place is free since the last child there gave its place up or lost it; where none did, since the first published result
    in which the programme took part.  One that is in no result has no such day.
    """
    given_up = (
        select(func.max(OfferMove.at))
        .join(Offer, Offer.id == OfferMove.offer_id)
        .where(Offer.programme_id == Programme.id, OfferMove.before.in_(LIVE), OfferMove.after.not_in(LIVE))
        .scalar_subquery()
    )
    published = (
        select(func.min(Run.published_at))
        .join(Round, Round.id == Run.round_id)
        .join(CutOff, CutOff.run_id == Run.id)
        .where(Round.year == year, CutOff.programme_id == Programme.id)
        .scalar_subquery()
    )
    since = func.coalesce(given_up, published)
    placed = exists().where(Offer.child_id == Application.child_id, Offer.year == year, Offer.state.in_(LIVE))
    waiting = (
        select(func.count(distinct(Application.child_id)))
        .join(Wish, Wish.application_id == Application.id)
        .where(
            Wish.programme_id == Programme.id, Application.year == year,
            Application.stage.not_in((*DEAD_STAGES, Stage.DRAFT)), ~placed,
        )
        .scalar_subquery()
    )  # fmt: skip
    called = (
        select(func.max(Offer.made_at))
        .join(Run, Run.id == Offer.run_id)
        .where(Offer.programme_id == Programme.id, Run.replays.is_not(None))
        .scalar_subquery()
    )
    return (
        select(Kindergarten, Programme.level, Programme.free, since, waiting, called)
        .join(Programme, Programme.kindergarten_id == Kindergarten.id)
        .where(Programme.year == year, Programme.state == ProgrammeState.APPROVED, Programme.free > 0)
        .order_by(Kindergarten.sort_key, Kindergarten.id, Programme.level)
    )


def newest_year(session: Session) -> int | None:
    """The newest year with a published result: before it every place is free, and none is left."""
    published = select(func.max(Round.year)).join(Run, Run.round_id == Round.id).where(Run.published_at.is_not(None))
    return session.scalar(published)


def listing(session: Session, year: int, *, area: str | None = None, page: int = 1) -> Page:
    """One page of the free places of a year with a published result, in the city or in one area, for everybody."""
    found = query(year).where(Kindergarten.closed_on.is_(None))
    if area is not None:
        found = found.where(Kindergarten.area_code == area)
    listed = paginate_rows(session, found, page, PER_PAGE)
    places = [
        FreePlace(kindergarten, level, free, since, None if small_cells.is_small(waits) else waits, called)
        for kindergarten, level, free, since, waits, called in listed
    ]
    return replace(listed, items=places)
