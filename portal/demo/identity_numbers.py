"""Identity numbers of invented people: valid, and each used once."""

import datetime as dt

from enrollment.ground.identity import check_character
from portal.demo import geography


class Numbers:
    """Unique identity numbers with the check character of GB 11643."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, dt.date, str], int] = {}

    def of(self, area: str, born: dt.date, sex: str) -> str:
        region = geography.BORN_IN.get(area, area)
        key = (region, born, sex)
        used = self._next.get(key, 0)
        self._next[key] = used + 1
        order = used * 2 + (1 if sex == "m" else 2)
        digits = f"{region}{born:%Y%m%d}{order % 1000:03d}"
        return digits + check_character(digits)
