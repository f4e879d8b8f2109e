"""Children whom the season has left without a place."""

from sqlalchemy import ColumnElement, Select, false, func, or_, select
from sqlalchemy.sql.selectable import Exists

from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import DEAD_STAGES, TAKES_PART, MoveMade
from enrollment.draw.run_rows import Placement, Run
from enrollment.eligibility.households import Household
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.kindergartens import Kindergarten


def of_year(year: int) -> Select:
    """Every application of the year, with its `home` area; `gave_up` if its child held a place once.

    A family that lives outside the city is listed in the area of its first wish.
    """
    return (
        select(
            Application.id,
            Application.registration_code,
            Application.level,
            Application.stage,
            Application.unit,
            Application.agrees_to_central,
            Household,
            func.coalesce(Household.home_outside, false()).label("outside"),
            func.coalesce(Household.home_area, Kindergarten.area_code).label("home"),
            _has_offer().label("gave_up"),
        )
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .outerjoin(Household, Household.application_id == Application.id)
        .where(Application.year == year)
        .order_by(_has_offer(), Application.registration_code)
    )


def took_part(year: int) -> Select:
    """Those that took part in a published run."""
    return of_year(year).where(_was_placed())


def came_back(year: int) -> Select:
    """Those that should have taken part in a published run and did not: they had been refused, and were reinstated later."""
    return of_year(year).where(_was_reinstated(), ~_was_placed())


def without_place(year: int) -> Select:
    """Every application whose child holds no place now, of those that took part and of those that came back.

    One that came back is there once it has been reviewed again.
    """
    reviewed_again = _was_reinstated() & Application.stage.in_(TAKES_PART)
    found = of_year(year).where(or_(_was_placed(), reviewed_again))
    return found.where(Application.stage.not_in(DEAD_STAGES), ~_has_offer(Offer.state.in_(LIVE)))


def _was_placed() -> Exists:
    """SQL condition: a published run placed the application, or left it without a place."""
    placed = select(Placement.run_id).join(Run, Run.id == Placement.run_id)
    return placed.where(Placement.application_id == Application.id, Run.published_at.is_not(None)).exists()


def _was_reinstated() -> Exists:
    """SQL condition: the application was reinstated after the result of a round with its wishes."""
    made = select(MoveMade.number).join(Wish, Wish.application_id == MoveMade.application_id)
    made = made.join(Run, (Run.round_id == Wish.round_id) & (Run.published_at <= MoveMade.at))
    return made.where(MoveMade.application_id == Application.id, MoveMade.move == "reinstate").exists()


def _has_offer(*conditions: ColumnElement[bool]) -> Exists:
    return select(Offer.id).where(Offer.application_id == Application.id, *conditions).exists()
