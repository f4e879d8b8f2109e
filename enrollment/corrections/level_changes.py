"""A corrected birth date of another class level: the wishes go to the same kindergartens' programmes of that level.

Until the result is published the child changes level in the round it is in.  A wish stays where the kindergarten offers the
new level in this round, in its order; the others go, because nobody can choose for the family.  A result that is published
was for the other level: while the application still stands in it, the date is not corrected; the family gives place and
waiting lists up first (withdraws), and registers for the right level in the next registration.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import wishes
from enrollment.applications.application_rows import Application, Wish
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season import ages
from enrollment.season.round_rows import RoundProgramme, RoundStage
from enrollment.season.rounds import Round


@dataclass(frozen=True)
class CarriedWish:
    """A wish of the former level; `programme_id` is that of the new level at the same kindergarten, None if it has none."""

    round_id: uuid.UUID
    kindergarten: str
    programme_id: uuid.UUID | None


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


def carried(session: Session, application: Application, level: str) -> list[CarriedWish]:
    """The wishes in rounds without a published result, in their order, with what becomes of each at the other level."""
    rows = session.execute(
        select(Wish.round_id, Kindergarten.id, Kindergarten.name)
        .join(Round, Round.id == Wish.round_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Wish.application_id == application.id, Round.stage != RoundStage.PUBLISHED)
        .order_by(Wish.round_id, Wish.rank)
    ).all()
    offered = select(RoundProgramme.round_id, Programme.kindergarten_id, Programme.id).join(
        Programme, Programme.id == RoundProgramme.programme_id
    )
    here = offered.where(Programme.level == level, RoundProgramme.round_id.in_({row.round_id for row in rows}))
    there = {(round_id, kindergarten_id): found for round_id, kindergarten_id, found in session.execute(here)}
    return [CarriedWish(round_id, name, there.get((round_id, place))) for round_id, place, name in rows]


def apply(session: Session, application: Application, level: str, rounds: Sequence[Round]) -> None:
    """Change the level, and the wishes of the unpublished `rounds`, which the caller holds locked."""
    listed = carried(session, application, level)
    for round_ in rounds:
        kept = [each.programme_id for each in listed if each.round_id == round_.id and each.programme_id is not None]
        wishes.write(session, application, round_.id, kept)
    application.level = level
    application.elder_id = None
    session.flush()
