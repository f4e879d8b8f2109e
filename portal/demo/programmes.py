"""A programme that simulated families can wish for."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Offer:
    """A programme of the round; `point` is (longitude, latitude)."""

    programme_id: uuid.UUID
    kindergarten_id: uuid.UUID
    kindergarten: str
    name: str
    area: str
    nature: str
    point: tuple[float, float]
    places: int
