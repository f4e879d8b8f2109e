"""The 23 admission areas, and the codes of natures and class levels."""

import csv
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.classifications import LEVELS, NATURES, Level, Nature
from enrollment.ground.db import Base
from enrollment.ground.reading.catalogue import Part

__all__ = ["LEVELS", "NATURES", "Level", "Nature"]

CLASS_NORM: dict[str, int] = {Level.NURSERY: 20, Level.LOWER: 25, Level.MIDDLE: 30, Level.UPPER: 35}
MOST_CHILDREN = 360
NEXT_LEVEL: dict[str, Level | None] = {
    Level.NURSERY: Level.LOWER,
    Level.LOWER: Level.MIDDLE,
    Level.MIDDLE: Level.UPPER,
    Level.UPPER: None,
    Level.MIXED: Level.MIXED,
}


def level_in(level: str, school_year: int, year: int) -> str | None:
    """The level of the children of a class of `school_year` in a later year; None after the upper one."""
    later: str | None = level
    for _each in range(school_year, year):
        later = NEXT_LEVEL[later] if later else None
    return later


FILE = Path(__file__).with_name("data") / "admission-areas.csv"


class Area(Base):
    """An admission area.  The three functional zones have a row of their own beside the 20 districts and counties."""

    __tablename__ = "area"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    name_en: Mapped[str]
    has_boundary: Mapped[bool]
    weight: Mapped[int]
    position: Mapped[int]


def rows_of_file() -> list[dict]:
    """The rows of the packaged file, in the order in which every list shows them."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [
            {
                "code": row["code"],
                "name": row["name"],
                "name_en": row["name_en"],
                "has_boundary": row["has_boundary"] == "1",
                "weight": int(row["weight"]),
                "position": position,
            }
            for position, row in enumerate(csv.DictReader(file), start=1)
        ]


def names() -> tuple[str, ...]:
    """The Chinese names of all areas, in the order of every list."""
    return tuple(row["name"] for row in rows_of_file())


def load(session: Session) -> int:
    """Update the table from the packaged file; return the number of areas."""
    fresh = insert(Area).values(rows_of_file())
    changed = {column: fresh.excluded[column] for column in ("name", "name_en", "has_boundary", "weight", "position")}
    session.execute(fresh.on_conflict_do_update(index_elements=["code"], set_=changed))
    return len(rows_of_file())


def all_areas(session: Session) -> list[Area]:
    kept = AREAS.of(session)
    return list(session.scalars(select(Area).order_by(Area.position)) if kept is None else kept)


def _areas(session: Session) -> tuple[Area, ...]:
    return tuple(session.scalars(select(Area).order_by(Area.position)))


AREAS = Part("areas", ("area",), _areas)
"""Every area in the order of lists, kept in the process."""


@cache
def codes_by_word() -> dict[str, str]:
    """Spellings of every area: code, name with and without 成都/四川 and suffix, English name."""
    words: dict[str, str] = {}
    for row in rows_of_file():
        full, code = row["name"], row["code"]
        bare = full.removeprefix("成都").removeprefix("四川")
        short = bare.removesuffix("区").removesuffix("县").removesuffix("市")
        for word in (code, full, bare, short, "成都" + bare, "成都市" + bare, "四川" + bare, row["name_en"]):
            words["".join(word.split()).casefold()] = code
    words |= {"高新": "GXQ", "天府": "TFXQ", "东部": "DBXQ", "四川天府": "TFXQ", "成都天府新区": "TFXQ"}
    words |= {"郫县": "510117", "双流县": "510116", "新津县": "510118", "温江县": "510115", "新都县": "510114"}
    return words


def code_of(text: str) -> str | None:
    """The code of an area written by code or name, or None.  Spaces and case are ignored."""
    return codes_by_word().get("".join(text.split()).casefold())
