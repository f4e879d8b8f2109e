"""Open data of the two shares: tables of totals of areas, with the meaning of each column.

Only totals of areas and of the city stand here, never a group of children by a ground, a level or a kindergarten: so no
cell is small because of who is in it, and two tables or two versions differ by nothing but totals.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from allocation.coverage import Share
from enrollment.coverage.forecast.backtest import TOTAL
from enrollment.coverage.forecast.outlook import NoOutlook, Outlook, ShareOutlook
from enrollment.coverage.forecast.past import INCLUSIVE, PUBLIC
from enrollment.coverage.shares import AreaLine, Shares

CITY_CODE = "510100"
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """`datatype` is one of CSVW; the portal has a text for each name."""

    name: str
    datatype: str


@dataclass(frozen=True)
class Table:
    """A table with its key, the first columns."""

    name: str
    columns: tuple[Column, ...]
    keys: int
    rows: tuple[Row, ...]


PLACE = (Column("area_code", "string"), Column("area_name", "string"))
DEFINITION = (
    Column("reference_date", "date"),
    Column("with_nursery", "boolean"),
    Column("attached_in_numerator", "boolean"),
)
NAMES = ("areas", "history", "forecast", "accuracy")


def tables(shares: Shares, outlook: Outlook | NoOutlook) -> dict[str, Table]:
    """All tables by name; those of the forecast are empty without one."""
    made = outlook if isinstance(outlook, Outlook) else None
    return {
        "areas": Table("areas", _AREAS, 1, tuple(_area_rows(shares))),
        "history": Table("history", _HISTORY, 3, tuple(_history_rows(shares, made)) if made else ()),
        "forecast": Table("forecast", _FORECAST, 3, tuple(_forecast_rows(shares, made)) if made else ()),
        "accuracy": Table("accuracy", _ACCURACY, 2, tuple(_accuracy_rows(made)) if made else ()),
    }


_AREAS = (
    *PLACE,
    Column("children", "integer"),
    Column("public", "integer"),
    Column("inclusive_private", "integer"),
    Column("public_share", "decimal"),
    Column("public_target", "decimal"),
    Column("public_target_met", "boolean"),
    Column("public_short_moving", "integer"),
    Column("public_short_new", "integer"),
    Column("inclusive_coverage", "decimal"),
    Column("inclusive_target", "decimal"),
    Column("inclusive_target_met", "boolean"),
    Column("inclusive_short_moving", "integer"),
    Column("inclusive_short_new", "integer"),
    *DEFINITION,
)
_HISTORY = (
    *PLACE,
    Column("school_year", "integer"),
    Column("children", "integer"),
    Column("public_share", "decimal"),
    Column("inclusive_coverage", "decimal"),
)
_FORECAST = (
    *PLACE,
    Column("school_year", "integer"),
    Column("children", "integer"),
    Column("children_low80", "integer"),
    Column("children_high80", "integer"),
    Column("public_share", "decimal"),
    Column("public_low80", "decimal"),
    Column("public_high80", "decimal"),
    Column("public_chance", "decimal"),
    Column("inclusive_coverage", "decimal"),
    Column("inclusive_low80", "decimal"),
    Column("inclusive_high80", "decimal"),
    Column("inclusive_chance", "decimal"),
    Column("same_as_now", "boolean"),
)
_ACCURACY = (
    Column("made_in", "integer"),
    Column("years_ahead", "integer"),
    Column("city_error", "decimal"),
    Column("area_error_size", "decimal"),
    Column("same_as_now_error_size", "decimal"),
)


def _places(shares: Shares) -> Iterator[tuple[AreaLine, tuple[str, str]]]:
    for line in shares.areas:
        yield line, (line.code, line.name)
    yield shares.city, (CITY_CODE, "成都市")


def _area_rows(shares: Shares) -> Iterable[Row]:
    definition = shares.definition
    for line, place in _places(shares):
        now = line.now
        yield (
            *place,
            now.all,
            now.public,
            now.inclusive,
            *_share_cells(now.public_share),
            *_share_cells(now.inclusive_coverage),
            definition.on,
            definition.nursery,
            definition.attached,
        )


def _share_cells(share: Share) -> tuple[Any, ...]:
    percent = share.text if share.percent else None
    target = share.target.text if share.target else None
    if share.met is None:
        return percent, target, None, None, None
    return percent, target, share.met, share.to_move, share.to_add


def _history_rows(shares: Shares, outlook: Outlook) -> Iterable[Row]:
    past = outlook.past
    for index, (_line, place) in enumerate(_places(shares)):
        of_place = past.children[index] if index < len(past.areas) else past.children.sum(axis=0)
        for year in range(past.years):
            by_kind = of_place[year].sum(axis=0)
            everybody, public = round(float(by_kind.sum())), round(float(by_kind[PUBLIC]))
            both = public + round(float(by_kind[INCLUSIVE]))
            shares_of = Share(public, everybody), Share(both, everybody)
            yield (*place, past.first_year + year, everybody, *(each.text if everybody else None for each in shares_of))


def _forecast_rows(shares: Shares, outlook: Outlook) -> Iterable[Row]:
    for line, place in _places(shares):
        for each in outlook.septembers[line.code]:
            if not each.coverage.all:
                continue
            band = each.children_band
            limits = (round(band.low), round(band.high)) if band else (None, None)
            naive = each.children_naive or each.public.naive or each.inclusive.naive
            yield (
                *place,
                each.school_year,
                each.coverage.all,
                *limits,
                *_outlook_cells(each.public),
                *_outlook_cells(each.inclusive),
                naive,
            )


def _outlook_cells(each: ShareOutlook) -> tuple[str | None, ...]:
    band = each.band
    limits = (f"{band.low:.2f}", f"{band.high:.2f}") if band else (None, None)
    return each.share.text, *limits, None if each.chance is None else f"{each.chance:.3f}"


def _accuracy_rows(outlook: Outlook) -> Iterable[Row]:
    test, accuracy = outlook.test, outlook.accuracy
    if test is None or accuracy is None:
        return
    for row in range(test.origins):
        for lead in range(test.city.shape[1]):
            error = float(test.city[row, lead, TOTAL])
            if error == error:
                sizes = (accuracy.areas[lead], accuracy.naive_areas[lead])
                yield test.first_origin + row, lead + 1, f"{100 * error:.2f}", *(f"{size:.2f}" for size in sizes)
