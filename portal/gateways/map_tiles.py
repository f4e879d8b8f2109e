"""Map tiles 天地图 of the National Platform for Common Geospatial Information, fetched with the city's key.

The portal fetches them itself, so that the key stays secret, no other site learns who looks where, and the content policy names
no other site.  天地图 uses CGCS2000, which differs from WGS-84 by centimetres: points need no shift.
"""

import functools
import http.client
import math
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from enrollment.places.distances import EAST, NORTH, SOUTH, WEST
from portal.gateways.deadline import open_within
from portal.gateways.registers import Breaker

URL = "https://t0.tianditu.gov.cn"
LAYERS = ("vec", "cva")
"""The base map, and its names."""

NEAREST, FARTHEST = 17, 8
LARGEST = 512 * 1024
MOST_KEPT = 512
"""Tiles that a process keeps; a browser keeps them for a week."""


class TileUnavailable(Exception):
    """There is no tile: it lies outside the city, or the gateway does not answer."""


def column_and_row(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    """The tile of a point in the Web Mercator grid."""
    size = 1 << zoom
    across = (longitude + 180) / 360 * size
    down = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * size
    return int(across), int(down)


def covers_city(zoom: int, column: int, row: int) -> bool:
    """Whether a tile shows a part of the city at a distance that the map offers."""
    if not FARTHEST <= zoom <= NEAREST:
        return False
    west, north = column_and_row(WEST, NORTH, zoom)
    east, south = column_and_row(EAST, SOUTH, zoom)
    return west <= column <= east and north <= row <= south


@dataclass
class MapTiles:
    """`timeout` in seconds; `breaker` stops asking for a minute after three failures in a row."""

    key: str
    url: str = URL
    timeout: float = 3.0
    breaker: Breaker = field(default_factory=Breaker)
    fetch: Callable[[str, int, int, int], bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.fetch = functools.lru_cache(maxsize=MOST_KEPT)(self._fetch)

    def _fetch(self, layer: str, zoom: int, column: int, row: int) -> bytes:
        """The picture of a tile (PNG).  Raises TileUnavailable."""
        if layer not in LAYERS or not covers_city(zoom, column, row) or self.breaker.open:
            raise TileUnavailable
        asked = {
            "SERVICE": "WMTS", "REQUEST": "GetTile", "VERSION": "1.0.0", "LAYER": layer, "STYLE": "default",
            "TILEMATRIXSET": "w", "FORMAT": "tiles", "TILEMATRIX": zoom, "TILEROW": row, "TILECOL": column, "tk": self.key,
        }  # fmt: skip
        try:
            with open_within(self.timeout, f"{self.url.rstrip('/')}/{layer}_w/wmts?{urlencode(asked)}") as answer:
                picture: bytes = answer.read(LARGEST)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as fault:
            self.breaker.note(well=False)
            raise TileUnavailable from fault
        if not picture.startswith((b"\x89PNG", b"\xff\xd8")):  # a refused key is answered with a text
            self.breaker.note(well=False)
            raise TileUnavailable
        self.breaker.note(well=True)
        return picture
