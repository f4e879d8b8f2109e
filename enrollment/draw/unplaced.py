"""Children whom the season has left without a place."""

from sqlalchemy import Select, false, func, select
from sqlalchemy.sql.selectable import Exists

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.run_rows import Placement, Run
from enrollment.eligibility.households import Household
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.kindergartens import Kindergarten


def took_part(year: int) -> Select:
    """Every application that took part in a published run, with its `home` area; `gave_up` if its child held a place once.

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
        .where(
            Application.year == year,
            select(Placement.run_id)
            .join(Run, Run.id == Placement.run_id)
            .where(Placement.application_id == Application.id, Run.published_at.is_not(None))
            .exists(),
        )
        .order_by(_has_offer(), Application.registration_code)
    )


def without_place(year: int) -> Select:
    """Every application that took part in a published run and whose child holds no place now."""
    return took_part(year).where(Application.stage.not_in(DEAD_STAGES), ~_has_offer(Offer.state.in_(LIVE)))


def _has_offer(*conditions) -> Exists:  # type: ignore[no-untyped-def]
    return select(Offer.id).where(Offer.application_id == Application.id, *conditions).exists()
