"""The office that decides something, as a family reads it."""

import uuid

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from enrollment.places.kindergartens import Kindergarten
from portal.text.area_names import area_name_of


def office_name(session: Session, kindergarten_id: uuid.UUID | None, area_code: str | None) -> str:
    """The kindergarten, else the education office of the area, else that of the city."""
    if kindergarten_id is not None:
        return session.get_one(Kindergarten, kindergarten_id).name
    if area_code is not None:
        return _("%(area)s教育局", area=area_name_of(session, area_code))
    return _("市教育局")
