"""Files with names: ask for one, agree as the second person, fetch it."""

import uuid

from flask.typing import ResponseReturnValue

from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.web.admission_year import shown_year
from portal.web.guards import desk
from portal.web.shared_views import report_exports


@pages.get("/reports/<code>/export")
@desk("staff")
def ask_report_export(code: str) -> ResponseReturnValue:
    return report_exports.ask_page("staff", code, kindergarten_of_page(), shown_year())


@pages.post("/reports/<code>/export")
@desk("staff")
def save_report_export(code: str) -> ResponseReturnValue:
    return report_exports.ask("staff", code, kindergarten_of_page(), shown_year())


@pages.post("/reports/exports/<uuid:export_id>")
@desk("staff")
def decide_report_export(export_id: uuid.UUID) -> ResponseReturnValue:
    return report_exports.decide("staff", export_id, shown_year())


@pages.get("/reports/exports/<uuid:export_id>/file.<form>")
@desk("staff", step_up=True)
def report_export_file(export_id: uuid.UUID, form: str) -> ResponseReturnValue:
    return report_exports.file(export_id, form)
