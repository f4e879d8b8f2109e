"""Shared by the desks of staff and officials: with whom a child is bound, so that a page can say beforehand what an act on it
does to the others."""

import uuid

from flask_babel import gettext as _

from enrollment.applications import units
from enrollment.applications.application_rows import Application
from portal.web.unit_of_work import db


def bound_codes(application_id: uuid.UUID) -> list[str]:
    """The registration codes of the children bound to this one, without names; empty for a separate child."""
    application = db().get_one(Application, application_id)
    if application.unit is None:
        return []
    return [each.registration_code or _("还没有提交的孩子") for each in units.others_of(db(), application)]
