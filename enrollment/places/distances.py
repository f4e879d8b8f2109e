"""Distances as the crow flies, on a sphere of 6,371 km, in whole metres; and the minutes that a walk takes about."""

import math
from decimal import Decimal

import numpy as np

EARTH = 6_371_000  # metres
DETOUR = 1.3
"""A way through streets is about this much longer than the straight line."""

PACE = 75
"""Metres a minute (4.5 km/h), with a child by the hand."""

Degrees = Decimal | float

WEST, EAST, SOUTH, NORTH = 102.9, 105.0, 30.0, 31.6
"""The frame of the city in degrees (WGS-84)."""


def within_city(longitude: float, latitude: float) -> bool:
    return WEST <= longitude <= EAST and SOUTH <= latitude <= NORTH


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


def minutes_on_foot(distance: int) -> int:
    """The minutes of a walk over this straight distance, at least 1."""
    return max(1, math.ceil(distance * DETOUR / PACE))


def minutes_on_foot_of(distances: np.ndarray) -> np.ndarray:
    """The same for many distances."""
    return np.maximum(np.ceil(distances * DETOUR / PACE), 1)
