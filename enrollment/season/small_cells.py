"""Small cells of public tables: a number that would say something about a few children is not published.

A row counts `children`, the `placed` among them, and among those the ones placed at their `first` wish.  A *cell* is a
number or a difference of two, for example the children without a place.
"""

from collections.abc import Collection, Mapping

FEWEST = 10
"""A cell of 1 to 9 children is small."""

MEASURES = ("children", "placed", "first")

Counts = Mapping[str, int]
PublicCounts = dict[str, int | None]


def hide(
    rows: Mapping[str, Counts], *, sensitive: Collection[str] | None = None, with_total: bool = False
) -> dict[str, PublicCounts]:
    """The rows as they may be published: without rows of fewer than ten children, and with None for hidden numbers.

    In rows that are `sensitive` (None: in all) a number is hidden too if it differs by a small cell from the number that
    it is part of: 29 of 30 children placed would say that one was not.  `with_total` says that the rows are parts of a
    published total; then so many further numbers are hidden that the total does not give a hidden one away.
    """
    told: dict[str, PublicCounts] = {}
    for name, counts in rows.items():
        nested = sensitive is None or name in sensitive
        told[name] = _public(counts, nested)
    if with_total:
        for measure in MEASURES:
            _hide_complements(rows, told, measure)
    return {name: counts for name, counts in told.items() if counts["children"] is not None}


def is_small(count: int) -> bool:
    return 0 < count < FEWEST


def _public(counts: Counts, nested: bool) -> PublicCounts:
    if counts["children"] < FEWEST:
        return dict.fromkeys(MEASURES)
    told: PublicCounts = {measure: counts[measure] for measure in MEASURES}
    if not nested:
        return told
    if is_small(counts["placed"]) or is_small(counts["children"] - counts["placed"]):
        told["placed"] = None
    if is_small(counts["first"]) or is_small((counts["placed"] if told["placed"] is not None else counts["children"]) - counts["first"]):  # fmt: skip
        told["first"] = None
    return told


def _hide_complements(rows: Mapping[str, Counts], told: dict[str, PublicCounts], measure: str) -> None:
    """Hide the smallest further rows until the hidden ones are two or more, and together no small cell."""
    hidden = [name for name in rows if told[name][measure] is None]
    while hidden and (len(hidden) < 2 or is_small(sum(rows[name][measure] for name in hidden))):
        shown = [name for name in rows if told[name][measure] is not None]
        if not shown:
            return
        smallest = min(shown, key=lambda name: (rows[name][measure], name))
        told[smallest][measure] = None
        hidden.append(smallest)
        if measure == MEASURES[0]:
            told[smallest] = dict.fromkeys(MEASURES)
