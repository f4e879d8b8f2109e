"""Random points within the outlines of districts, or around invented centres of the three zones without an outline."""

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
"""The region code on ID numbers of families in the zones, which have none of their own."""

METRES_PER_DEGREE = 111_320.0
LONGITUDE_SHRINKS = math.cos(math.radians(30.6))


@functools.cache
def outlines() -> dict[str, BaseGeometry]:
    features = json.loads(maps.FILE.read_text("utf-8"))["features"]
    return {feature["properties"]["adcode"]: shape(feature["geometry"]) for feature in features}


def points_in(random: Generator, area: str, number: int) -> np.ndarray:
    """`number` points (longitude, latitude) of an area, denser towards its middle."""
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
    """Distances between every point of `here` (n, 2) and every point of `there` (m, 2), as n × m metres on a flat city."""
    east = (here[:, None, 0] - there[None, :, 0]) * LONGITUDE_SHRINKS
    north = here[:, None, 1] - there[None, :, 1]
    return np.hypot(east, north) * METRES_PER_DEGREE
