"""A corrected birth date of another class level: the wishes go to the same kindergartens' programmes of that level.

Until the result is published the child changes level in the round it is in.  A wish stays where the kindergarten offers the
new level in this round, in its order; the others go, because nobody can choose for the family.  A result that is published
was for the other level: while the application still stands in it, the date is not corrected; the family gives place and
waiting lists up first (withdraws), and registers for the right level in the next registration.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import wishes
from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.ground.errors import Refused
from enrollment.season import ages
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round


def level_of(session: Session, application: Application, born: dt.date, *, field: str) -> str | None:
    """The other level to which this birth date belongs; None for the level of the application.

    Refuses `correction_changes_level` for a date of no level, `bound_changes_level`, and `result_of_other_level`.
    """
    level = ages.level_for(born, application.year)
    if level == application.level:
        return None
    if level is None:
        raise Refused("correction_changes_level", field=field)
    if application.unit is not None:
        raise Refused("bound_changes_level", field=field)
    if application.stage in HANDED_IN and _has_a_result(session, application):
        raise Refused("result_of_other_level", field=field)
    return level


def _has_a_result(session: Session, application: Application) -> bool:
    published = (
        select(Wish.rank)
        .join(Round, Round.id == Wish.round_id)
        .where(Wish.application_id == application.id, Round.stage == RoundStage.PUBLISHED)
    )
    return session.scalar(published.limit(1)) is not None


def apply(session: Session, application: Application, level: str, rounds: Sequence[Round]) -> None:
    """Change the level, and the wishes of the unpublished `rounds`, which the caller holds locked."""
    wishes.carry(session, application, level, [round_.id for round_ in rounds])
    session.flush()
