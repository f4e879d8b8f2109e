"""The waitlist 候补: which families wait, and why a family no longer waits.

Waiting is computed from the offers of a child, not stored (`line_membership`).  For a better wish it ends with the season's
arrival days; for a place it goes on during the school year 补招, until the next admission year closes this one.  A family that
gave up its place does not block the families behind it.
"""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Row, and_, case, func, literal, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.application_rows import APPLICATION, Application
from enrollment.applications.lifecycle import DEAD_STAGES, GONE_STAGES, MOVES_MADE
from enrollment.ground.city_time import CHENGDU
from enrollment.offers import line_membership
from enrollment.offers.line_membership import GIVEN_UP_HERE, LOST, WAITING
from enrollment.offers.offer_rows import LIVE, OFFERS, Offer, OfferState
from enrollment.season.calendar import Season, SeasonDate
from enrollment.season.kept_years import YEARS, round_of
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

    @property
    def takes_part(self) -> bool:
        """Whether the child is in the market of a replay: it waits, or it holds a place and keeps it."""
        return self.in_line or (self.programme_id is not None and self.code != "withdrawn")


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


def may_get_better(session: Session, year: int, *, now: dt.datetime) -> bool:
    """Whether families with a place may still wait for a better wish."""
    until = ends_at(session, year)
    return until is None or now < until


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
    better = may_get_better(session, round_.year, now=now)
    too_late = now >= place_ends_at(session, round_.year)
    ahead = _rows_ahead(session, round_, better, application_id) if application_id is not None else None
    return {
        row.child_code: Standing(row.id, row.child_id, _code(row, too_late), row.programme_id)
        for row in (session.execute(_rows(round_, better, application_id)) if ahead is None else ahead)
    }


class _Row(NamedTuple):
    """The columns that `_code` needs, as `_rows` gives them.  `waits`: the child may get a better place than the one it holds."""

    id: uuid.UUID
    child_id: uuid.UUID
    child_code: str
    withdrew: bool
    left: str | None
    programme_id: uuid.UUID | None
    waits: bool | None


def _rows_ahead(session: Session, round_: Round, better: bool, application_id: uuid.UUID) -> list[_Row] | None:
    """The row of one application as `_rows` gives it, from what was read ahead; None if it was not."""
    applications, offers = APPLICATION.ahead(session, application_id), OFFERS.ahead(session, application_id)
    moves = MOVES_MADE.ahead(session, application_id)
    if applications is None or offers is None or moves is None:
        return None
    live = next((each for each in offers if each.state in LIVE), None)
    lost = {each.state for each in offers if each.state in LOST and _ended_since(each, round_)}
    given_up = {each.state for each in offers if each.state in GIVEN_UP_HERE and each.round_id == round_.id}
    left = next((code for state, code in _LEFT.items() if state in lost | given_up), None)
    came_back = any(each.move == "withdraw" and each.at >= round_.closes_at for each in moves)
    return [
        _Row(
            each.id,
            each.child_id,
            each.child_code,
            each.stage in GONE_STAGES or came_back,
            left,
            live.programme_id if live else None,
            live is not None and better and _waits(session, live, round_),
        )
        for each in applications
        if each.year == round_.year
    ]


_LEFT = {
    OfferState.REVOKED: "revoked",
    OfferState.NO_SHOW: "no_show",
    OfferState.DECLINED: "gave_up",
    OfferState.EXPIRED: "silent",
}
"""What is told of a child that left the line; the first that holds."""


def _ended_since(offer: Offer, round_: Round) -> bool:
    return offer.ended_at is not None and offer.ended_at >= round_.closes_at


def _waits(session: Session, live: Offer, round_: Round) -> bool:
    """`line_membership.waits`, while waiting for better wishes is not over."""
    if live.state not in WAITING:
        return False
    if live.round_id == round_.id:
        return (live.rank or 1) > 1
    return live.rank is None or round_of(session, live.round_id).number < round_.number


def _rows(round_: Round, better: bool, application_id: uuid.UUID | None):
    """The query of the columns that `_code` needs.  A child has one application a year, so its offers are this season's."""
    live, ended, here, made_in = aliased(Offer), aliased(Offer), aliased(Round), aliased(Round)
    left = (
        select(ended.application_id, *(func.bool_or(ended.state == state).label(code) for state, code in _LEFT.items()))
        .select_from(ended)
        .join(here, here.id == round_.id)
        .where(line_membership.ends_the_waiting(ended, here))
        .group_by(ended.application_id)
    )
    if application_id is not None:  # filter in the subquery; otherwise one family's page would group all offers
        left = left.where(ended.application_id == application_id)
    gone = left.subquery()
    found = (
        select(
            Application.id,
            Application.child_id,
            Application.child_code,
            line_membership.withdrew(Application, here).label("withdrew"),
            case(*((gone.c[code], code) for code in _LEFT.values())).label("left"),
            live.programme_id,
            line_membership.waits(live, made_in, here, literal(better)).label("waits"),
        )
        .select_from(Application)
        .join(here, here.id == round_.id)
        .outerjoin(live, and_(live.application_id == Application.id, live.state.in_(LIVE)))
        .outerjoin(made_in, made_in.id == live.round_id)
        .outerjoin(gone, gone.c.application_id == Application.id)
        .where(Application.year == round_.year)
        .order_by(Application.stage.in_(DEAD_STAGES).desc())
    )
    return found if application_id is None else found.where(Application.id == application_id)


def _code(row: Row | _Row, too_late: bool) -> str:
    """What ended the waiting in this round counts before a place that the child got in another one."""
    if row.withdrew:
        return "withdrawn"
    if row.left:
        return row.left
    if row.programme_id is None:
        return "over" if too_late else "for_a_place"
    return "for_a_better_wish" if row.waits else "content"
