"""Who waits in line 候补, and why somebody no longer does.

Waiting is never a flag: it follows from the offers of a child, and it ends with the season's arrival days.  Who gave up
blocks nobody.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application, Stage
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.season.calendar import SeasonDate
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
    """Where a family stands in a round: a code of `CODES`, and the place it holds, if any."""

    application_id: uuid.UUID
    child_id: uuid.UUID
    code: str
    programme_id: uuid.UUID | None = None

    @property
    def in_line(self) -> bool:
        return self.code in IN_LINE


def ends_at(session: Session, year: int) -> dt.datetime | None:
    """Until when a season's families wait: the end of the arrival days."""
    arrival = select(SeasonDate.ends_at).where(SeasonDate.year == year, SeasonDate.step == "arrival")
    return session.scalar(arrival)


def standings(
    session: Session, round_: Round, *, now: dt.datetime, application_id: uuid.UUID | None = None
) -> dict[str, Standing]:
    """Every family of the year, by its child's code, as it stands in this round."""
    until = ends_at(session, round_.year)
    over = until is not None and now >= until
    return {
        row.child_code: Standing(row.id, row.child_id, _code(row, over), row.programme_id)
        for row in session.execute(_rows(round_, application_id))
    }


def _rows(round_: Round, application_id: uuid.UUID | None):
    """What `_code` needs, of everybody or of one; a child has one application a year, so its offers are this season's."""
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
    if application_id is not None:  # inside, or the offers of the whole city would be grouped for one family's page
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


def _code(row: Row, over: bool) -> str:
    if row.stage in DEAD_STAGES:
        return "withdrawn"
    if row.state is None:
        return row.left or ("over" if over else "for_a_place")
    waits = row.state in (OfferState.OFFERED, OfferState.CONFIRMED_WAITING) and row.rank != 1
    return "for_a_better_wish" if waits and not over else "content"
