"""Who stands in the line of a round, as conditions of SQL: the one place that says it, for lists, replays and places in line.

The line of a round is made of the families of its frozen list.  A family leaves it for good when it withdraws, gives up a
place of this round, or loses one of any round.  While it holds a place it waits only for what it prefers to that place:
- of this round, for its better wishes;
- of an earlier round, for all its wishes of this round, which it handed in while it held that place;
- of central placement, as long as it has not answered: nobody wished for that place;
- of a later round, for nothing: it wished for that one later, and left what it had.
`waitlist` computes the same in Python from rows that were read ahead.
"""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from enrollment.applications.application_rows import Application
from enrollment.applications.lifecycle import GONE_STAGES, MoveMade
from enrollment.offers.offer_rows import LIVE, Offer, OfferState
from enrollment.season.round_rows import Round

GIVEN_UP_HERE = (OfferState.DECLINED, OfferState.EXPIRED)
"""Ends the waiting in the round of the offer alone."""

LOST = (OfferState.NO_SHOW, OfferState.REVOKED)
"""Ends the waiting in every round whose deadline was over by then."""

WAITING = (OfferState.OFFERED, OfferState.CONFIRMED_WAITING)
"""Holds a place and may still want a better one."""

Of = type[Application]
InRound = type[Round]


def came_back(application: Of, since: SQLColumnExpression[dt.datetime] | dt.datetime) -> ColumnElement[bool]:
    """Whether it was withdrawn at that time or later, and handed in again.

    The history is read of those alone who handed something in since then, one by one.
    """
    withdrawn = select(func.max(MoveMade.at)).where(MoveMade.application_id == application.id)
    last = withdrawn.where(MoveMade.move == "withdraw").scalar_subquery()
    return func.coalesce(and_(application.submitted_at >= since, last >= since), False)


def withdrew(application: Of, round_: InRound) -> ColumnElement[bool]:
    """Whether a family of the round's list has left it, also if it has entered its child again since."""
    return or_(application.stage.in_(GONE_STAGES), came_back(application, round_.closes_at))


def ends_the_waiting(offer: type[Offer], round_: InRound) -> ColumnElement[bool]:
    """Whether the offer ended in a way that takes its child out of the line of the round."""
    here = and_(offer.state.in_(GIVEN_UP_HERE), offer.round_id == round_.id)
    return or_(here, and_(offer.state.in_(LOST), offer.ended_at >= round_.closes_at))


def waits(
    offer: type[Offer], made_in: InRound, round_: InRound, better: Any, wish: SQLColumnExpression[int] | int = 1
) -> ColumnElement[bool]:
    """Whether a child with this place, of the round `made_in`, waits in `round_` for its wish with this number.

    `better` says whether the time of waiting for better wishes is not over.
    """
    preferred = case(
        (offer.round_id == round_.id, func.coalesce(offer.rank, 1) > wish),
        else_=or_(offer.rank.is_(None), made_in.number < round_.number),
    )
    return and_(offer.state.in_(WAITING), better, preferred)


def takes_out(
    offer: type[Offer], made_in: InRound, round_: InRound, better: Any, wish: SQLColumnExpression[int] | int = 1
) -> ColumnElement[bool]:
    """Whether because of this offer its child does not wait in the round for its wish with this number."""
    content = and_(offer.state.in_(LIVE), ~waits(offer, made_in, round_, better, wish))
    return or_(content, ends_the_waiting(offer, round_))


def in_line(
    application: Of, round_: InRound, better: Any, wish: SQLColumnExpression[int] | int = 1
) -> ColumnElement[bool]:
    """Whether a family of the round's list waits in it for its wish with this number, while it is not over for everybody."""
    offer, made_in = aliased(Offer), aliased(Round)
    out = (
        select(offer.id)
        .join(made_in, made_in.id == offer.round_id)
        .where(offer.application_id == application.id, takes_out(offer, made_in, round_, better, wish))
    )
    return and_(~withdrew(application, round_), ~out.exists())
