"""A share as a hundred squares: one for each child of a hundred, with the target as a line."""

from dataclasses import dataclass

from allocation.coverage import Share

ROWS, COLUMNS = 4, 25
SIZE, STEP = 13, 16


@dataclass(frozen=True)
class Squares:
    """The corners of the squares, of which the first `full` are filled; `line` is the path of the target."""

    corners: tuple[tuple[int, int], ...]
    full: int
    line: str
    width: int = COLUMNS * STEP - (STEP - SIZE) + 4
    height: int = ROWS * STEP - (STEP - SIZE) + 4


def whole_hundredths(share: Share) -> int:
    """Children of a hundred, never rounded up: a share that misses its target does not look as if it met it."""
    return share.part * 100 // share.all if share.all else 0


def squares(share: Share) -> Squares:
    """Column by column, as one counts."""
    corners = tuple((2 + place // ROWS * STEP, 2 + place % ROWS * STEP) for place in range(ROWS * COLUMNS))
    return Squares(corners, whole_hundredths(share), _line(share))


def _line(share: Share) -> str:
    if share.target is None:
        return ""
    column, row = divmod(share.target.hundredths // 100, ROWS)
    gap = (STEP - SIZE) / 2
    left, right = 2 + column * STEP - gap, 2 + (column + 1) * STEP - gap
    bottom, turn = 2 + ROWS * STEP, 2 + row * STEP - gap
    if not row:
        return f"M{left} 0V{bottom}"
    return f"M{right} 0V{turn}H{left}V{bottom}"
