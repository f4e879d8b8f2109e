"""The waitlist 候补: which families wait, and why a family no longer waits.

Waiting is computed from the offers of a child, not stored.  For a better wish it ends with the season's arrival days; for a
place it goes on during the school year 补招, until the next admission year closes this one.  A family that gave up its
place does not block the families behind it.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.application_rows import APPLICATION
from enrollment.applications.applications import Application, Stage
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.ground.city_time import CHENGDU
from enrollment.offers.offer_rows import OFFERS, OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.season.calendar import Season, SeasonDate
from enrollment.season.kept_years import YEARS
from enrollment.season.rounds import Round

CODES = (
    "for_a_place",
    "for_a_better_wish",
    "content",
    "gave_up",
    "silent",
    "no_show",
    "revoked",
    "withdrawn",
    "over",
)
IN_LINE = ("for_a_place", "for_a_better_wish")
TAKES_PART = (*IN_LINE, "content")


@dataclass(frozen=True)
class Standing:
    """The status of a family in a round: a code of `CODES`, and the place that it holds, if any."""

    application_id: uuid.UUID
    child_id: uuid.UUID
    code: str
    programme_id: uuid.UUID | None = None

    @property
    def in_line(self) -> bool:
        return self.code in IN_LINE


LAST_DAY = (5, 1)
"""Month and day of the next year on which waiting for a place ends: then the next admission year begins."""


def ends_at(session: Session, year: int) -> dt.datetime | None:
    """When waiting for a better wish ends: with the arrival days; None if the calendar does not have them."""
    kept = YEARS.of(session)
    if kept is not None:
        dates = (date for season in kept if season.year == year for date in season.dates)
        return next((date.ends_at for date in dates if date.step == "arrival"), None)
    arrival = select(SeasonDate.ends_at).where(SeasonDate.year == year, SeasonDate.step == "arrival")
    return session.scalar(arrival)


def place_ends_at(session: Session, year: int) -> dt.datetime:
    """When waiting for a place ends: when the admission year was closed, at the latest on `LAST_DAY`."""
    last = dt.datetime(year + 1, *LAST_DAY, tzinfo=CHENGDU)
    kept = YEARS.of(session)
    if kept is not None:
        closed = next((season.closed_at for season in kept if season.year == year), None)
    else:
        closed = session.scalar(select(Season.closed_at).where(Season.year == year))
    return min(last, closed) if closed else last


def standings(
    session: Session, round_: Round, *, now: dt.datetime, application_id: uuid.UUID | None = None
) -> dict[str, Standing]:
    """The status in this round of every family of the year, or of one application, by the child's code."""
    until = ends_at(session, round_.year)
    over = until is not None and now >= until
    too_late = now >= place_ends_at(session, round_.year)
    rows = _rows_ahead(session, round_, application_id) if application_id is not None else None
    return {
        row.child_code: Standing(row.id, row.child_id, _code(row, over, too_late), row.programme_id)
        for row in (session.execute(_rows(round_, application_id)) if rows is None else rows)
    }


class _Row(NamedTuple):
    """The columns that `_code` needs, as `_rows` gives them."""

    id: uuid.UUID
    child_id: uuid.UUID
    child_code: str
    stage: str
    state: str | None
    rank: int | None
    programme_id: uuid.UUID | None
    left: str | None


def _rows_ahead(session: Session, round_: Round, application_id: uuid.UUID) -> list[_Row] | None:
    """The row of one application as `_rows` gives it, from what was read ahead; None if it was not."""
    applications, offers = APPLICATION.ahead(session, application_id), OFFERS.ahead(session, application_id)
    if applications is None or offers is None:
        return None
    live = next((each for each in offers if each.state in LIVE), None)
    ended = {each.state for each in offers}
    ended_here = {each.state for each in offers if each.round_id == round_.id}
    left = (
        "revoked" if OfferState.REVOKED in ended
        else "no_show" if OfferState.NO_SHOW in ended
        else "gave_up" if OfferState.DECLINED in ended_here
        else "silent" if OfferState.EXPIRED in ended_here
        else None
    )  # fmt: skip
    state, rank, programme_id = (live.state, live.rank, live.programme_id) if live else (None, None, None)
    return [
        _Row(each.id, each.child_id, each.child_code, each.stage, state, rank, programme_id, left)
        for each in applications
        if each.year == round_.year and each.stage != Stage.DRAFT
    ]


def _rows(round_: Round, application_id: uuid.UUID | None):
    """The query of the columns that `_code` needs.  A child has one application a year, so its offers are this season's."""
    live, ended = aliased(Offer), aliased(Offer)
    gone_here = and_(ended.round_id == round_.id, ended.state.in_((OfferState.DECLINED, OfferState.EXPIRED)))
    left = select(
        ended.application_id,
        func.bool_or(ended.state == OfferState.REVOKED).label("revoked"),
        func.bool_or(ended.state == OfferState.NO_SHOW).label("no_show"),
        func.bool_or(and_(gone_here, ended.state == OfferState.DECLINED)).label("declined"),
        func.bool_or(and_(gone_here, ended.state == OfferState.EXPIRED)).label("expired"),
    )
    left = left.where(ended.state.not_in((*LIVE, OfferState.SUPERSEDED))).group_by(ended.application_id)
    if application_id is not None:  # filter in the subquery; otherwise one family's page would group all offers
        left = left.where(ended.application_id == application_id)
    gone = left.subquery()
    found = (
        select(
            Application.id,
            Application.child_id,
            Application.child_code,
            Application.stage,
            live.state,
            live.rank,
            live.programme_id,
            case((gone.c.revoked, "revoked"), (gone.c.no_show, "no_show"), (gone.c.declined, "gave_up"),
                 (gone.c.expired, "silent")).label("left"),
        )
        .outerjoin(live, and_(live.application_id == Application.id, live.state.in_(LIVE)))
        .outerjoin(gone, gone.c.application_id == Application.id)
        .where(Application.year == round_.year, Application.stage != Stage.DRAFT)
        .order_by(Application.stage.in_(DEAD_STAGES).desc())
    )  # fmt: skip
    return found if application_id is None else found.where(Application.id == application_id)


def _code(row: Row | _Row, over: bool, too_late: bool) -> str:
    if row.stage in DEAD_STAGES:
        return "withdrawn"
    if row.state is None:
        return row.left or ("over" if too_late else "for_a_place")
    waits = row.state in (OfferState.OFFERED, OfferState.CONFIRMED_WAITING) and row.rank != 1
    return "for_a_better_wish" if waits and not over else "content"
