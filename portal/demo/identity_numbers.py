"""Identity numbers of invented people: valid, and each used once."""

import datetime as dt

from enrollment.ground.identity import check_character
from portal.demo import geography


class Numbers:
    """Unique identity numbers with the check character of GB 11643."""

    def __init__(self, first: int = 0) -> None:
        """`first` of a region, day and sex: beyond those that an earlier builder of the same city has used."""
        self._first = first
        self._next: dict[tuple[str, dt.date, str], int] = {}

    def of(self, area: str, born: dt.date, sex: str) -> str:
        region = geography.BORN_IN.get(area, area)
        key = (region, born, sex)
        used = self._next.get(key, self._first)
        self._next[key] = used + 1
        order = used * 2 + (1 if sex == "m" else 2)
        digits = f"{region}{born:%Y%m%d}{order % 1000:03d}"
        return digits + check_character(digits)
