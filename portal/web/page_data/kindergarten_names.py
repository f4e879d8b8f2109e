"""Conversion between a kindergarten's name, as a family types it, and its code."""

from sqlalchemy.orm import Session

from enrollment.ground.errors import Refused
from enrollment.places import finder, kindergartens
from portal.web.unit_of_work import db

ENOUGH = 5


def code_of(typed: str, *, field: str, read: Session | None = None) -> str | None:
    """The code of the only kindergarten that fits a name, a part of a name or a code.  Refuses `several_kindergartens`.

    `read` is the session that is asked, if it is not that of the request.
    """
    session = read or db()
    typed = typed.strip()
    if not typed:
        return None
    found = finder.of_exact_name(session, typed) or finder.by_words(session, typed, ENOUGH)
    if len(found) > 1:
        raise Refused("several_kindergartens", field=field, names="、".join(each.name for each in found))
    return found[0].code if found else typed


def name_of(code: str | None) -> str:
    kindergarten = kindergartens.by_code(db(), code or "")
    return kindergarten.name if kindergarten else code or ""
