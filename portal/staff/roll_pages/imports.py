"""The kindergarten imports its own roll, in the columns of the national register or of its own list."""

import uuid

from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.places.imports.uploads import KINDS_OF_KINDERGARTENS
from portal.staff import pages
from portal.web.admission_year import admission_year
from portal.web.guards import desk
from portal.web.shared_views.import_views import ConfirmForm, ImportDesk
from portal.web.upload_fields import accepts_uploads

HERE = ImportDesk(
    "staff",
    KINDS_OF_KINDERGARTENS,
    "staff/navigation.html",
    _l("导入名册"),
    year=lambda: admission_year(),
    back_to="staff.roll",
    back_text=_l("在园名册"),
)


@pages.get("/roll/imports")
@desk("staff")
def imports() -> ResponseReturnValue:
    return HERE.list_page(HERE.form())


@pages.post("/roll/imports")
@desk("staff")
@accepts_uploads(LIMITS["table"])
def upload_import() -> ResponseReturnValue:
    return HERE.upload()


@pages.get("/roll/imports/<uuid:file_id>")
@desk("staff")
def import_file(file_id: uuid.UUID) -> ResponseReturnValue:
    return HERE.file_page(file_id, ConfirmForm())


@pages.get("/roll/imports/<uuid:file_id>/progress.json")
@desk("staff")
def import_progress(file_id: uuid.UUID) -> ResponseReturnValue:
    return dict(HERE.progress(file_id))


@pages.post("/roll/imports/<uuid:file_id>/take-in")
@desk("staff", step_up=True)
def take_in_import(file_id: uuid.UUID) -> ResponseReturnValue:
    return HERE.take_in(file_id)


@pages.post("/roll/imports/<uuid:file_id>/give-up")
@desk("staff")
def give_up_import(file_id: uuid.UUID) -> ResponseReturnValue:
    return HERE.give_up(file_id)


@pages.get("/roll/imports/<uuid:file_id>/<any('faults.csv', 'marked.xlsx'):name>")
@desk("staff")
def import_faults(file_id: uuid.UUID, name: str) -> ResponseReturnValue:
    return HERE.download(file_id, name)


@pages.get("/roll/imports/templates/<kind>.xlsx")
@desk("staff")
def import_template(kind: str) -> ResponseReturnValue:
    return HERE.template(kind)
