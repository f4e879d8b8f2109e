"""Which kindergarten a page speaks of: the only one, or the one that the address names."""

from flask import abort, request

from enrollment.places.kindergartens import Kindergarten
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.forms import id_in


def kindergarten_of_page() -> Kindergarten:
    """`?at=<id>` chooses among the person's kindergartens; a foreign one is not found."""
    mine = own_kindergartens()
    asked = request.values.get("at")
    if not asked:
        return mine[0] if mine else abort(404)
    wanted = id_in(asked)
    return next((each for each in mine if each.id == wanted), None) or abort(404)
