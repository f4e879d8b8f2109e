"""Shared by the desks of staff and officials: the places ledger of an earlier day or a period, and what is known of days to come."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from wtforms.validators import Optional

from enrollment.places.kindergartens import Kindergarten
from enrollment.reports import places_of_a_day
from portal.web.forms import CivilDate, PageForm
from portal.web.unit_of_work import actor, city_day, clock, db


class DayForm(PageForm):
    """Of which days the ledger is asked; without a last day of the first alone."""

    since = CivilDate(_l("哪一天"), [Optional()])
    until = CivilDate(_l("到哪一天（可以不填）"), [Optional()])


def context(kindergarten: Kindergarten, year: int) -> dict[str, Any]:
    """What the page shows, by the days in the address; today if there are none."""
    form = DayForm(request.args)
    valid = form.validate()
    since = (form.since.data if valid else None) or city_day()
    until = (form.until.data if valid else None) or since
    who: dict[str, Any] = {"by": actor(), "now": clock()}
    return {
        "form": form,
        "found": places_of_a_day.period(db(), kindergarten.id, year, since, until, **who),
        "coming": places_of_a_day.coming(db(), kindergarten.id, year, **who),
        "year": year,
    }
