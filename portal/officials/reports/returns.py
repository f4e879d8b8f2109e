"""The statistics return of an area: counted for 1 September by one official, signed by another one, and kept as it was."""

import uuid
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.reports.tables import signed_returns
from enrollment.reports.tables.report import Table
from enrollment.reports.tables.statistics import STATISTICS
from portal.officials import pages
from portal.officials.forms import ActForm
from portal.officials.scope import DECIDERS, READERS, area_name, my_area_or_404
from portal.officials.years import chosen_year
from portal.text.words import word
from portal.web.forms import refusals_told
from portal.web.guards import desk
from portal.web.shared_views import report_views
from portal.web.unit_of_work import actor, city_day, clock, db


def returns_of_page(code: str, area: str | None, table: Table) -> dict[str, Any]:
    """What the page of the statistics return of an area shows of those that were handed in."""
    if code != STATISTICS.code or area is None:
        return {"returns": (), "may_hand_in": False, "changed": (), "me": actor().account_id}
    found, first = signed_returns.of_area(db(), area, chosen_year(), clock()), signed_returns.first_day(chosen_year())
    signed = next((each for each in found if each.signed_by is not None), None)
    since = signed_returns.changed_since(signed, table) if signed else []
    return {
        "returns": found,
        "may_hand_in": signed_returns.may_sign(area, actor()),
        "me": actor().account_id,
        "hand_in_from": first,
        "can_hand_in": city_day() >= first,
        "changed": [(word("report_column", column), then, now) for column, then, now in since],
    }


def _page(area: str) -> ResponseReturnValue:
    return redirect(url_for("officials.report_page", code=STATISTICS.code, area=area), 303)


@pages.post("/reports/statistics/hand-in")
@desk("officials", *DECIDERS)
def hand_in_return() -> ResponseReturnValue:
    """Count the return of `?area=` as the first of two people."""
    area = my_area_or_404(request.args.get("area", ""))
    if ActForm().validate_on_submit():
        with refusals_told():
            signed_returns.hand_in(db(), area.code, chosen_year(), by=actor(), now=clock())
            flash(_("已定稿，请本区另一位同事签字。"))
    return _page(area.code)


@pages.post("/reports/returns/<uuid:return_id>/sign")
@desk("officials", *DECIDERS, step_up=True)
def sign_return(return_id: uuid.UUID) -> ResponseReturnValue:
    area = my_area_or_404(signed_returns.find(db(), return_id, clock()).row.area_code)
    if ActForm().validate_on_submit():
        with refusals_told():
            signed_returns.sign(db(), return_id, seen=request.form.get("digest", ""), by=actor(), now=clock())
            flash(_("已签字。以后名册再变，这一份不变。"))
    return _page(area.code)


@pages.get("/reports/returns/<uuid:return_id>/file.<form>")
@desk("officials", *READERS)
def return_file(return_id: uuid.UUID, form: str) -> ResponseReturnValue:
    """The return as it was handed in."""
    found = signed_returns.find(db(), return_id, clock())
    area = my_area_or_404(found.row.area_code)
    told = _("定稿 %(digest)s", digest=found.row.digest[:16])
    answer: Response = report_views.file(found.table, form, scope=f"{area_name(area)} {found.row.year} · {told}")
    return answer
