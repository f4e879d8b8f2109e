"""What the map of the finder loads: the outlines of the districts, and tiles of the city where it has a key for them."""

from flask import Response
from flask.typing import ResponseReturnValue

from enrollment.ground.errors import NotFound
from portal import maps
from portal.gateways.map_tiles import TileUnavailable
from portal.public import pages
from portal.text.languages import spoken
from portal.web.guards import public
from portal.web.shared_views.finder import tiles

A_DAY, A_WEEK = 86_400, 7 * 86_400


@pages.get("/map/outlines")
@public
def map_outlines() -> ResponseReturnValue:
    """The districts as GeoJSON, simplified to what a screen can show, with names in the reader's language."""
    answer = Response(maps.outlines_geojson(spoken()), mimetype="application/json")
    answer.headers["Cache-Control"] = f"private, max-age={A_DAY}"
    answer.headers["Vary"] = "Cookie"
    return answer


@pages.get("/map/tiles/<layer>/<int:zoom>/<int:column>/<int:row>")
@public
def map_tile(layer: str, zoom: int, column: int, row: int) -> ResponseReturnValue:
    source = tiles.of_the_city()
    if source is None:
        raise NotFound
    try:
        picture = source.fetch(layer, zoom, column, row)
    except TileUnavailable as fault:
        raise NotFound from fault
    kind = "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
    answer = Response(picture, mimetype=kind)
    answer.headers["Cache-Control"] = f"public, max-age={A_WEEK}, immutable"
    return answer
