"""Which kindergarten reviews an application: that of the first wish, once for all its wishes."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Wish
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round


def assign(session: Session, application: Application) -> None:
    """Give the review to the kindergarten of the first wish in the newest round.  An official may `reassign` it."""
    first = (
        select(Programme.kindergarten_id)
        .join(Wish, Wish.programme_id == Programme.id)
        .join(Round, Round.id == Wish.round_id)
        .where(Wish.application_id == application.id, Wish.rank == 1)
        .order_by(Round.number.desc())
        .limit(1)
    )
    application.review_kindergarten_id = session.scalar(first)
