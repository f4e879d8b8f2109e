"""The data of a programme that simulated families use."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class DemoProgramme:
    """`point` is (longitude, latitude); `places` those of the round; `fee` is yuan a month."""

    programme_id: uuid.UUID
    kindergarten_id: uuid.UUID
    kindergarten: str
    name: str
    area: str
    nature: str
    point: tuple[float, float]
    places: int
    fee: int = 0
    attached: bool = False
