"""Random points within the outlines of districts, and around invented centres for the three zones without outline."""

import functools
import json
import math

import numpy as np
import shapely
from numpy.random import Generator
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from portal import maps

ZONES = {"GXQ": (104.061, 30.578, 0.05), "TFXQ": (104.080, 30.420, 0.06), "DBXQ": (104.440, 30.330, 0.08)}
BORN_IN = {"GXQ": "510107", "TFXQ": "510116", "DBXQ": "510185"}
"""The region code in identity numbers of families in the zones, which have no code of their own."""

METRES_PER_DEGREE = 111_320.0
LONGITUDE_SHRINKS = math.cos(math.radians(30.6))


@functools.cache
def outlines() -> dict[str, BaseGeometry]:
    features = json.loads(maps.FILE.read_text("utf-8"))["features"]
    return {feature["properties"]["adcode"]: shape(feature["geometry"]) for feature in features}


def points_in(random: Generator, area: str, number: int) -> np.ndarray:
    """`number` random points (longitude, latitude) in an area, denser near its centre."""
    if area in ZONES:
        longitude, latitude, spread = ZONES[area]
        return random.normal((longitude, latitude), spread / 2, size=(number, 2)).round(6)
    outline = outlines()[area]
    shapely.prepare(outline)
    middle, spread = outline.representative_point(), math.sqrt(outline.area) / 3.5
    found = np.empty((0, 2))
    while len(found) < number:
        tried = random.normal((middle.x, middle.y), spread, size=(number * 2 + 8, 2))
        found = np.vstack([found, tried[shapely.contains_xy(outline, tried)]])
    return found[:number].round(6)


def metres_between(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Distances in metres between each point of `here` (n, 2) and of `there` (m, 2) on a flat surface; shape (n, m)."""
    east = (here[:, None, 0] - there[None, :, 0]) * LONGITUDE_SHRINKS
    north = here[:, None, 1] - there[None, :, 1]
    return np.hypot(east, north) * METRES_PER_DEGREE
