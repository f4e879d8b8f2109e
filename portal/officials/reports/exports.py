"""Files with names of a kindergarten: an official asks for one, and another person responsible for it agrees."""

import uuid

from flask.typing import ResponseReturnValue

from portal.officials import pages
from portal.officials.reports.report_pages import kindergarten_of_page
from portal.officials.scope import DECIDERS
from portal.officials.years import chosen_year
from portal.web.guards import desk
from portal.web.shared_views import report_exports


@pages.get("/reports/<code>/export")
@desk("officials", *DECIDERS)
def ask_report_export(code: str) -> ResponseReturnValue:
    return report_exports.ask_page("officials", code, kindergarten_of_page(), chosen_year())


@pages.post("/reports/<code>/export")
@desk("officials", *DECIDERS)
def save_report_export(code: str) -> ResponseReturnValue:
    return report_exports.ask("officials", code, kindergarten_of_page(), chosen_year())


@pages.post("/reports/exports/<uuid:export_id>")
@desk("officials", *DECIDERS)
def decide_report_export(export_id: uuid.UUID) -> ResponseReturnValue:
    return report_exports.decide("officials", export_id, chosen_year())


@pages.get("/reports/exports/<uuid:export_id>/file.<form>")
@desk("officials", *DECIDERS, step_up=True)
def report_export_file(export_id: uuid.UUID, form: str) -> ResponseReturnValue:
    return report_exports.file(export_id, form)
