"""The sketch map of the city (示意图, 非标准地图): the outline of each district as an SVG path.

To replace the map, replace `chengdu-districts.geojson` (WGS-84, GB/T 2260 codes in `adcode`).  The three functional zones
have no boundary in this file; they are shown in an inset.
"""

import functools
import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapely.geometry import mapping, shape

from enrollment.places.areas import rows_of_file

FILE = Path(__file__).parent / "chengdu-districts.geojson"
WIDTH, HEIGHT = 430, 350
# the position of the inset's boxes, in the empty upper left corner of the frame
INSET_LEFT, INSET_TOP, INSET_STEP = 6, 24, 38
# the labels of the inner districts would overlap
UNLABELLED = {"510104", "510105", "510106", "510107", "510108"}

COARSE = 0.0015
"""Degrees by which an outline may differ from the file: a pixel at the zoom that shows a whole district."""

Ring = list[tuple[float, float]]


@dataclass(frozen=True)
class Outline:
    """A district's path in a frame of WIDTH × HEIGHT, and the position of its label (None: no label)."""

    code: str
    path: str
    label: tuple[int, int] | None


@functools.cache
def outlines() -> tuple[Outline, ...]:
    """Every district of the file, in the file's order."""
    features = json.loads(FILE.read_text("utf-8"))["features"]
    shapes = {f["properties"]["adcode"]: list(_rings(f["geometry"])) for f in features}
    place = _projection([point for rings in shapes.values() for ring in rings for point in ring])
    return tuple(_outline(code, [[place(p) for p in ring] for ring in rings]) for code, rings in shapes.items())


@functools.cache
def outlines_geojson(language: str) -> str:
    """The districts as GeoJSON in degrees, simplified, with their names."""
    english = {row["code"]: row["name_en"] for row in rows_of_file()}
    features = []
    for each in json.loads(FILE.read_text("utf-8"))["features"]:
        code, name = each["properties"]["adcode"], each["properties"]["name"]
        outline = mapping(shape(each["geometry"]).simplify(COARSE))
        geometry = {"type": outline["type"], "coordinates": _rounded(outline["coordinates"])}
        shown = english.get(code, name) if language == "en" else name
        features.append({"type": "Feature", "properties": {"name": shown}, "geometry": geometry})
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))


def _rounded(part: Any) -> Any:
    if isinstance(part, float):
        return round(part, 4)
    return [_rounded(each) for each in part]


def _rings(geometry: dict) -> Iterator[Ring]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for polygon in polygons:
        for ring in polygon:
            yield [(lon, lat) for lon, lat, *_height in ring]


def _projection(points: Ring) -> Callable[[tuple[float, float]], tuple[float, float]]:
    """Degrees to the frame: a degree of longitude is shorter than one of latitude by the cosine of the latitude."""
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    shrink = math.cos(math.radians((south + north) / 2))
    scale = min((WIDTH - 8) / ((east - west) * shrink), (HEIGHT - 8) / (north - south))
    left = (WIDTH - (east - west) * shrink * scale) / 2

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return left + (point[0] - west) * shrink * scale, 4 + (north - point[1]) * scale

    return place


def _outline(code: str, rings: list[Ring]) -> Outline:
    path = "".join("M" + " ".join(_thinned(ring)) + "Z" for ring in rings)
    return Outline(code, path, None if code in UNLABELLED else _middle(max(rings, key=lambda r: abs(_area(r)))))


def _thinned(ring: Ring) -> list[str]:
    """Points rounded to half a unit, without repeated points."""
    texts = [f"{round(x * 2) / 2:g},{round(y * 2) / 2:g}" for x, y in ring]
    return [text for before, text in zip([None, *texts], texts, strict=False) if text != before]


def _area(ring: Ring) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(ring)) / 2


def _middle(ring: Ring) -> tuple[int, int]:
    """The centre of mass of a ring."""
    area = _area(ring)
    pairs = list(itertools.pairwise(ring))
    x = sum((a[0] + b[0]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
    y = sum((a[1] + b[1]) * (a[0] * b[1] - b[0] * a[1]) for a, b in pairs) / (6 * area)
    return round(x), round(y)
