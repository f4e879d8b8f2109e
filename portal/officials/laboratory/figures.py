"""A study as a table: one row for each figure, one cell for each variant, all cells of a row on one scale."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from enrollment.laboratory.metrics import Metric
from enrollment.laboratory.study_rows import LaboratoryStudy, LaboratoryVariant
from enrollment.laboratory.variants import Variant
from enrollment.season.facts import Ground
from portal.text.formats import grouped
from portal.text.words import word

LETTERS = "ABCDEFGHIJKLMNOPQRST"
SECTIONS: dict[str, tuple[Metric, ...]] = {
    "place": (Metric.OWN, Metric.OFFICE, Metric.UNPLACED),
    "wish": (
        Metric.TRUE_FIRST, Metric.TRUE_TOP, Metric.NAMED_FIRST, Metric.RANK, Metric.FIFTH, Metric.METRES,
        Metric.METRES_90, Metric.FAR, Metric.SERVED,
    ),
    "fair": (
        Metric.COMPLAINT, Metric.MISSED, Metric.TOGETHER, Metric.HUKOU_GAP, Metric.NEED_GAP, Metric.CAREFUL_GAP,
    ),
    "city": (Metric.LEAST_WANTED, Metric.EMPTY, Metric.PUBLIC, Metric.INCLUSIVE, Metric.ROUNDS, Metric.DAYS),
}  # fmt: skip
MORE_IS_BETTER = {
    Metric.OWN: True, Metric.UNPLACED: False, Metric.TRUE_FIRST: True, Metric.TRUE_TOP: True, Metric.RANK: False,
    Metric.FIFTH: False, Metric.METRES: False, Metric.METRES_90: False, Metric.FAR: False, Metric.COMPLAINT: False,
    Metric.MISSED: False, Metric.TOGETHER: True, Metric.EMPTY: False, Metric.ROUNDS: False, Metric.DAYS: False,
}  # fmt: skip
"""The others say nothing about better: the named first wish flatters rules under which families dare not name their own."""

KILOMETRES = (Metric.METRES, Metric.METRES_90)
TOLD = (Metric.OWN, Metric.TRUE_FIRST, Metric.COMPLAINT, Metric.MISSED, Metric.METRES)
"""The figures of the sentence at the top."""

SCALE = 100


@dataclass(frozen=True)
class Cell:
    """A figure of a variant.  `low` and `high` are its error, or its band where it depends on how families behave; `at`,
    `from_` and `to` are the same on the row's scale (0 to 100)."""

    mean: float
    low: float
    high: float
    error: float
    is_band: bool
    draws: tuple[float, float]
    best: bool = False
    at: float = 0
    from_: float = 0
    to: float = 0


@dataclass(frozen=True)
class Line:
    metric: Metric
    digits: int
    cells: tuple[Cell | None, ...]

    @property
    def is_known(self) -> bool:
        """Whether a variant has the figure."""
        return any(cell is not None for cell in self.cells)

    def text(self, value: float) -> str:
        written = f"{value:.{self.digits}f}"
        return written if float(written) else written.removeprefix("-")


@dataclass(frozen=True)
class Column:
    """A variant; `letter` is its short name on the page."""

    row: LaboratoryVariant
    variant: Variant
    letter: str


def columns(study: LaboratoryStudy) -> list[Column]:
    return [
        Column(each, Variant.from_json(each.variant), LETTERS[at % len(LETTERS)])
        for at, each in enumerate(study.variants)
    ]


def lines(study: LaboratoryStudy, metrics: Iterable[Metric] = Metric) -> list[Line]:
    """The rows; a cell is None where nothing can be said or the variant is not drawn yet."""
    found = []
    for metric in metrics:
        cells = [_cell(each, metric) for each in study.variants]
        found.append(Line(metric, _digits(metric), tuple(_on_scale(_with_best(cells, metric)))))
    return found


def _digits(metric: Metric) -> int:
    return 0 if metric in (Metric.ROUNDS, Metric.DAYS) else 2 if metric in KILOMETRES else 1


def _cell(row: LaboratoryVariant, metric: Metric) -> Cell | None:
    values = (row.result or {}).get("figures", {}).get(metric)
    if values is None:
        return None
    band = [one for one in row.result["band"].get(metric, ()) if one is not None] if row.result else []
    share = 1000 if metric in KILOMETRES else 1
    mean, error, low, high = (value / share for value in values)
    if len(band) > 1 and max(band) > min(band):
        ends = min(*band, values[0]) / share, max(*band, values[0]) / share
        return Cell(mean, *ends, error, True, (low, high))
    return Cell(mean, mean - error, mean + error, error, False, (low, high))


def _with_best(cells: list[Cell | None], metric: Metric) -> list[Cell | None]:
    """Mark the best cell if no other reaches it within the errors."""
    known = [cell for cell in cells if cell is not None]
    if metric not in MORE_IS_BETTER or len(known) < 2:
        return cells
    more = MORE_IS_BETTER[metric]
    best = max(known, key=lambda cell: cell.low) if more else min(known, key=lambda cell: cell.high)
    others = [cell for cell in known if cell is not best]
    clear = all(cell.high < best.low if more else cell.low > best.high for cell in others)
    return [_marked(cell) if clear and cell is best else cell for cell in cells]


def _marked(cell: Cell) -> Cell:
    return Cell(cell.mean, cell.low, cell.high, cell.error, cell.is_band, cell.draws, best=True)


def _on_scale(cells: list[Cell | None]) -> Iterator[Cell | None]:
    known = [cell for cell in cells if cell is not None]
    least = min((cell.low for cell in known), default=0)
    span = max((cell.high for cell in known), default=0) - least or 1

    def at(value: float) -> float:
        return round(SCALE * (value - least) / span, 1)

    for cell in cells:
        if cell is None:
            yield None
        else:
            ends = at(cell.mean), at(cell.low), at(cell.high)
            yield Cell(cell.mean, cell.low, cell.high, cell.error, cell.is_band, cell.draws, cell.best, *ends)


@dataclass(frozen=True)
class Verdict:
    """What a variant clearly gains and clearly loses against the first one, of the figures that are told."""

    column: Column
    gains: list[tuple[Line, Cell, Cell]]
    losses: list[tuple[Line, Cell, Cell]]


def verdicts(study: LaboratoryStudy) -> list[Verdict]:
    """One for each drawn variant after the first."""
    told = lines(study, TOLD)
    found = []
    for at, column in enumerate(columns(study)):
        if at == 0 or column.row.result is None:
            continue
        gains: list[tuple[Line, Cell, Cell]] = []
        losses: list[tuple[Line, Cell, Cell]] = []
        for line in told:
            before, after = line.cells[0], line.cells[at]
            if before is None or after is None or not (after.low > before.high or after.high < before.low):
                continue
            better = (after.mean > before.mean) == MORE_IS_BETTER[line.metric]
            (gains if better else losses).append((line, before, after))
        found.append(Verdict(column, gains, losses))
    return found


def group_name(code: str, areas: dict[str, str]) -> str:
    """The words of a group of children: a ground, an area, or one of the laboratory's own."""
    if code in areas:
        return areas[code]
    return word("ground", code) if code in set(Ground) else word("laboratory_group", code)


def moved(
    row: LaboratoryVariant, kind: str, areas: dict[str, str]
) -> list[tuple[str, int | None, int | None, int | None]]:
    """(name, children, better, worse) of `groups` or `areas`."""
    return [(group_name(code, areas), *counts) for code, *counts in (row.result or {}).get(kind, ())]


def largest_share(groups: list[tuple[str, int | None, int | None, int | None]]) -> float:
    """The largest part of a group that gains or loses; 0 where nobody does."""
    return max((max(b, w) / n for _name, n, b, w in groups if n and b is not None and w is not None), default=0.0)


def moved_in_all(row: LaboratoryVariant) -> tuple[int, int] | None:
    """How many of all children gain and lose; None in the variant that the others are compared with."""
    found = next((counts for code, *counts in (row.result or {}).get("groups", ()) if code == "all"), None)
    return (found[1], found[2]) if found and found[1] is not None else None


HEAD = (
    "kind",
    "figure",
    "variant",
    "mean",
    "error",
    "low",
    "high",
    "plain",
    "half",
    "careful",
    "children",
    "better",
    "worse",
)


def table(study: LaboratoryStudy, areas: dict[str, str]) -> Iterator[list[Any]]:
    """Everything of the study, one value a row, for a file."""
    for column in columns(study):
        result, name = column.row.result, f"{column.letter} {column.variant.name}"
        if result is None:
            continue
        for metric in Metric:
            values = result["figures"].get(metric) or [None] * 4
            band = result["band"].get(metric) or [None] * 3
            yield [
                word("laboratory_row", "figure"),
                word("laboratory_metric", metric),
                name,
                *values,
                *band,
                None,
                None,
                None,
            ]
        for kind in ("groups", "areas"):
            for group, *counts in moved(column.row, kind, areas):
                yield [word("laboratory_row", kind), group, name, *[None] * 7, *counts]
        for code, children, public, inclusive in result["shares"]:
            for metric, share in ((Metric.PUBLIC, public), (Metric.INCLUSIVE, inclusive)):
                label = f"{areas.get(code, code)} · {word('laboratory_metric', metric)}"
                yield [word("laboratory_row", "share"), label, name, share, *[None] * 6, children, None, None]


def describe(variant: Variant) -> str:
    """What is different in this variant, in a few words."""
    parts = [word("laboratory_short", f"{variant.method}", n=variant.phases) if variant.is_band else _wishes(variant)]
    if variant.reserve != "plan":
        kept = word("laboratory_short", f"reserve_{variant.reserve}", n=variant.reserve_percent)
        parts.append(f"{kept} · {word('ground', variant.reserve_ground)}" if variant.reserve != "none" else kept)
    if variant.tiers:
        parts.append(word("laboratory_short", "tiers", tiers=" ".join(str(tier + 1) for tier in variant.tiers)))
    if variant.ground:
        parts.append(
            word("laboratory_short", "ground", ground=word("ground", variant.ground), n=variant.ground_tier + 1)
        )
    if variant.pair_rule:
        parts.append(word("pair_rule", variant.pair_rule))
    if variant.numbers == "each":
        parts.append(word("laboratory_numbers", "each"))
    if variant.moved:
        parts.append(word("laboratory_short", "moved", n=grouped(sum(abs(places) for _code, places in variant.moved))))
    if variant.policy:
        parts.append(word("laboratory_short", "policy"))
    return " · ".join(parts)


def _wishes(variant: Variant) -> str:
    if variant.wishes is None:
        return word("laboratory_short", "declared")
    return word("laboratory_short", "wishes", n=variant.wishes) if variant.wishes else word("laboratory_short", "all")
