"""Import of births: a row for each area and school year, as the register said on a day."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.places.imports import cell_readers, date_readers, units
from enrollment.places.imports.changes import Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.population import area_numbers
from enrollment.places.imports.population.area_numbers import Key, Prepared
from enrollment.places.imports.records import Record, Records
from enrollment.places.population.rows import FIRST_YEAR, MOST_BIRTHS, AreaBirths

COLUMNS = (
    Column("area_code", ("区域", "区县", "区(市)县", "招生区域", "area", "district"), cell_readers.area, True, "锦江区"),
    Column("birth_year", ("出生学年", "学年", "出生年度", "birth year", "school year"), date_readers.year, True, "2023"),
    Column("births", ("出生人数", "出生人口", "出生数", "人数", "births", "children"), cell_readers.Whole(MOST_BIRTHS, units.PEOPLE), True, "4410"),
    Column("vintage", ("数据日期", "统计日期", "截至日期", "版本日期", "vintage", "as of"), date_readers.date, False, "2026-04-30"),
)  # fmt: skip


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the table.  Without a date of the register the numbers are of today."""

    def keys_of(record: Record) -> Iterator[tuple[Key, str]]:
        began = record["birth_year"]
        vintage = record["vintage"] or today(now)
        if began < FIRST_YEAR:
            records.fault(record, "birth_year", "number_out_of_range", value=began, least=FIRST_YEAR, most=year)
        elif vintage > today(now):
            records.fault(record, "vintage", "vintage_in_the_future")
        elif vintage < dt.date(began, 9, 1):
            records.fault(record, "vintage", "vintage_before_the_year", year=began)
        else:
            yield (record["area_code"], began, vintage), "births"

    return area_numbers.prepare(session, records, AreaBirths, "births", keys_of, by=by)


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> Any:
    area_numbers.write(session, prepared, AreaBirths)
