"""The map tiles of the city, where it has a key for them; without one the outlines of the districts are the map."""

from flask import current_app, url_for

from portal.gateways.map_tiles import URL, MapTiles
from portal.web.unit_of_work import services

KEY = "map_tiles"


def of_the_city() -> MapTiles | None:
    """The client of this process."""
    config = services().config
    if config.map_key is None:
        return None
    kept: MapTiles = current_app.extensions.setdefault(KEY, MapTiles(config.map_key, config.map_url or URL))
    return kept


def template() -> str | None:
    """The address of a tile, with the names that Leaflet fills in."""
    if services().config.map_key is None:
        return None
    address = url_for("public.map_tile", layer="LAYER", zoom=111, column=222, row=333)
    return address.replace("111", "{z}").replace("222", "{x}").replace("333", "{y}")
