"""Which kindergarten reviews an application: that of the first wish, once for all its wishes."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import WISHES, Application, Wish
from enrollment.applications.contents import Answers
from enrollment.applications.receipts import Comparison
from enrollment.ground.city_time import today
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season import kept_years
from enrollment.season.rounds import Round


def assign(session: Session, application: Application, *, now: dt.datetime) -> None:
    """Give the review to the kindergarten of the first wish in the newest round.  An official may `reassign` it.

    A closed kindergarten is passed over; if all of them are closed, the first one keeps it for the officials of its area.
    """
    known = WISHES.ahead(session, application.id)
    if known is not None:
        application.review_kindergarten_id = _first_of(session, known, now)
        return
    is_closed = Kindergarten.closed_on.is_not(None) & (Kindergarten.closed_on <= today(now))
    first = (
        select(Programme.kindergarten_id)
        .join(Wish, Wish.programme_id == Programme.id)
        .join(Round, Round.id == Wish.round_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Wish.application_id == application.id)
        .order_by(Round.number.desc(), is_closed, Wish.rank)
        .limit(1)
    )
    application.review_kindergarten_id = session.scalar(first)


def _first_of(session: Session, listed: list[Wish], now: dt.datetime) -> uuid.UUID | None:
    """The same of wishes that were read ahead."""

    def place(wish: Wish) -> tuple[int, bool, int]:
        number = kept_years.round_of(session, wish.round_id).number
        return -number, _is_closed(wish.programme.kindergarten.closed_on, now), wish.rank

    first = min(listed, key=place, default=None)
    return None if first is None else first.programme.kindergarten_id


def assign_again(session: Session, application: Application, comparison: Comparison, *, now: dt.datetime) -> None:
    """`assign` an application that was handed in before, only if the kindergarten of its first wish has changed since, or if
    its reviewer is closed: an official may have reassigned it."""
    if _first_wish(comparison.said_before) != _first_wish(comparison.said) or _reviewer_is_closed(
        session, application, now=now
    ):
        assign(session, application, now=now)


def _first_wish(answers: Answers) -> str | None:
    """The code of the kindergarten of the first wish in the newest round."""
    wishes: dict[str, list[str]] = answers.get("wishes") or {}
    newest = max(wishes, key=int, default=None)
    return None if newest is None else wishes[newest][0].rpartition("/")[0]


def _reviewer_is_closed(session: Session, application: Application, *, now: dt.datetime) -> bool:
    if application.review_kindergarten_id is None:
        return True
    for wish in WISHES.ahead(session, application.id) or ():
        kindergarten = wish.programme.kindergarten
        if kindergarten.id == application.review_kindergarten_id:
            return _is_closed(kindergarten.closed_on, now)
    closed_on = select(Kindergarten.closed_on).where(Kindergarten.id == application.review_kindergarten_id)
    return _is_closed(session.scalar(closed_on), now)


def _is_closed(closed_on: dt.date | None, now: dt.datetime) -> bool:
    return closed_on is not None and closed_on <= today(now)
