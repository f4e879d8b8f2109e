"""Distances as the crow flies, on a sphere of 6,371 km, in whole metres."""

import math
from decimal import Decimal

import numpy as np

EARTH = 6_371_000  # metres

Degrees = Decimal | float


def metres(longitude: Degrees, latitude: Degrees, other_longitude: Degrees, other_latitude: Degrees) -> int:
    here, there = math.radians(float(latitude)), math.radians(float(other_latitude))
    across = math.radians(float(other_longitude) - float(longitude))
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    return round(2 * EARTH * math.asin(math.sqrt(half)))


def metres_to(longitude: Degrees, latitude: Degrees, sites: np.ndarray) -> np.ndarray:
    """The distances to many sites (longitude, latitude; float64[n, 2]), int64[n], as `metres` has each."""
    here, there = math.radians(float(latitude)), np.radians(sites[:, 1])
    across = np.radians(sites[:, 0] - float(longitude))
    half = np.sin((there - here) / 2) ** 2 + math.cos(here) * np.cos(there) * np.sin(across / 2) ** 2
    return np.rint(2 * EARTH * np.arcsin(np.sqrt(half))).astype(np.int64)
