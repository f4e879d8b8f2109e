"""The lists that officials import: kindergartens, plans, the roll, and what the forecast needs."""

import uuid

from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.places.imports import importer
from portal.officials import pages
from portal.officials.scope import DECIDERS
from portal.officials.years import chosen_year
from portal.web.guards import desk
from portal.web.shared_views.import_views import ConfirmForm, ImportDesk
from portal.web.upload_fields import accepts_uploads

HERE = ImportDesk(
    "officials", tuple(importer.MODULES), "officials/nav.html", _l("导入名册与计划"), year=lambda: chosen_year()
)


@pages.get("/imports")
@desk("officials", *DECIDERS)
def imports() -> ResponseReturnValue:
    return HERE.list_page(HERE.form())


@pages.post("/imports")
@desk("officials", *DECIDERS)
@accepts_uploads(LIMITS["table"])
def upload_import() -> ResponseReturnValue:
    return HERE.upload()


@pages.get("/imports/<uuid:file_id>")
@desk("officials", *DECIDERS)
def import_file(file_id: uuid.UUID) -> ResponseReturnValue:
    return HERE.file_page(file_id, ConfirmForm())


@pages.get("/imports/<uuid:file_id>/progress.json")
@desk("officials", *DECIDERS)
def import_progress(file_id: uuid.UUID) -> ResponseReturnValue:
    return dict(HERE.progress(file_id))


@pages.post("/imports/<uuid:file_id>/take-in")
@desk("officials", *DECIDERS)
def take_in_import(file_id: uuid.UUID) -> ResponseReturnValue:
    return HERE.take_in(file_id)


@pages.post("/imports/<uuid:file_id>/give-up")
@desk("officials", *DECIDERS)
def give_up_import(file_id: uuid.UUID) -> ResponseReturnValue:
    return HERE.give_up(file_id)


@pages.get("/imports/<uuid:file_id>/<any('faults.csv', 'marked.xlsx'):name>")
@desk("officials", *DECIDERS)
def import_faults(file_id: uuid.UUID, name: str) -> ResponseReturnValue:
    return HERE.download(file_id, name)


@pages.get("/imports/templates/<kind>.xlsx")
@desk("officials", *DECIDERS)
def import_template(kind: str) -> ResponseReturnValue:
    return HERE.template(kind)
