"""Import of the children of past school years: a row for each area, school year, class level and nature."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.places.imports import cell_readers, date_readers, units, vocabulary
from enrollment.places.imports.changes import Overwrite
from enrollment.places.imports.headers import Column
from enrollment.places.imports.population import area_numbers
from enrollment.places.imports.population.area_numbers import Key, Prepared
from enrollment.places.imports.records import Record, Records
from enrollment.places.population.rows import COUNTED_LEVELS, FIRST_YEAR, MOST_CHILDREN, AreaHistory

COLUMNS = (
    Column("area_code", ("区域", "区县", "区(市)县", "招生区域", "area", "district"), cell_readers.area, True, "锦江区"),
    Column("school_year", ("学年", "年度", "school year", "year"), date_readers.year, True, "2024"),
    Column("level", ("年级", "年级段", "班型", "level", "class level"), vocabulary.level, True, "小班", choices=("小班", "中班", "大班")),
    Column("nature", ("办园性质", "性质", "nature"), vocabulary.nature, True, "公办", choices=("公办", "普惠性民办", "其他民办")),
    Column("attached", ("附设幼儿班", "附设班", "attached"), cell_readers.yes_or_no, False, "否"),
    Column("in_kindergarten", ("在园幼儿", "在园人数", "在园幼儿数", "人数", "children"), cell_readers.Whole(MOST_CHILDREN, units.PEOPLE), True, "2310"),
)  # fmt: skip


def prepare(
    session: Session, records: Records, *, by: Actor, now: dt.datetime, year: int, overwrite: Overwrite
) -> Prepared:
    """Compare with the table.  `year` is the admission year, which has no history yet."""

    def keys_of(record: Record) -> Iterator[tuple[Key, str]]:
        told = record["school_year"]
        if not FIRST_YEAR <= told < year:
            records.fault(record, "school_year", "number_out_of_range", value=told, least=FIRST_YEAR, most=year - 1)
        elif record["level"] not in COUNTED_LEVELS:
            records.fault(record, "level", "level_not_in_history")
        elif record["nature"] == "unclear":
            records.fault(record, "nature", "nature_unclear")
        else:
            nature_and_school = (record["nature"], record["attached"] is True)
            yield (record["area_code"], told, record["level"], *nature_and_school), "in_kindergarten"

    return area_numbers.prepare(session, records, AreaHistory, "area-history", keys_of, by=by)


def write(session: Session, prepared: Prepared, *, by: Actor, now: dt.datetime, reason: str) -> Any:
    area_numbers.write(session, prepared, AreaHistory)
