"""The kindergarten of a page: the person's only one, or the one in the query string."""

from flask import abort, request

from enrollment.places.kindergartens import Kindergarten
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.forms import parse_uuid


def kindergarten_of_page() -> Kindergarten:
    """`?at=<id>` selects one of the person's kindergartens; 404 for any other."""
    mine = own_kindergartens()
    requested = request.values.get("at")
    if not requested:
        return mine[0] if mine else abort(404)
    wanted = parse_uuid(requested)
    return next((each for each in mine if each.id == wanted), None) or abort(404)
