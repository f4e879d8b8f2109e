"""How kindergartens and their classes are classified: nature 办园性质 and class level 年级段."""

from enum import StrEnum


class Nature(StrEnum):
    PUBLIC = "public"
    INCLUSIVE = "inclusive"
    PRIVATE = "private"


class Level(StrEnum):
    """From the youngest to the oldest.  A mixed class holds children of several levels; nobody applies for it."""

    NURSERY = "nursery"
    LOWER = "lower"
    MIDDLE = "middle"
    UPPER = "upper"
    MIXED = "mixed"


NATURES = tuple(Nature)
LEVELS = (Level.NURSERY, Level.LOWER, Level.MIDDLE, Level.UPPER)
"""The levels for which programmes offer places."""

CLASS_LEVELS = (*LEVELS, Level.MIXED)
