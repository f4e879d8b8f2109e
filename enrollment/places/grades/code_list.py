"""The code list of grades, which the city's officials keep."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.reading.catalogue import Part
from enrollment.places.grades.rows import LONGEST_NAME, Grade
from enrollment.places.scope import is_system


@dataclass(frozen=True)
class GradeNames:
    """What a person enters of a grade."""

    name: str
    name_en: str
    high_quality: bool
    in_use: bool = True


def all_grades(session: Session) -> list[Grade]:
    """The whole list, in its order."""
    kept = GRADES.of(session)
    return list(_read(session) if kept is None else kept)


def _read(session: Session) -> tuple[Grade, ...]:
    return tuple(session.scalars(select(Grade).order_by(Grade.position, Grade.code)))


GRADES = Part("grades", ("grade",), _read)


def grade(session: Session, code: str) -> Grade:
    """The grade with this code.  NotFound for any other."""
    found = session.get(Grade, code)
    if found is None:
        raise NotFound("grade")
    return found


def add(session: Session, entered: GradeNames, *, by: Actor, now: dt.datetime) -> Grade:
    """Add a grade at the end of the list.  Refuses `only_the_city`, `grade_name_missing` and `grade_name_taken`."""
    _require_city(by)
    names = _checked(session, entered, None)
    last = session.scalar(select(func.max(Grade.position))) or 0
    made = Grade(code=f"g{last + 1}", position=last + 1, **names)
    session.add(made)
    session.flush()
    audit.record(session, "add_grade", "grade", made.code, by=by, now=now, **names)
    return made


def change(session: Session, code: str, entered: GradeNames, *, version: int, by: Actor, now: dt.datetime) -> Grade:
    """Change the names of a grade, whether it counts as high quality, and whether it is given.  Refuses like `add`; Stale
    when `version` is no longer the row's."""
    _require_city(by)
    found = session.get(Grade, code, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("grade")
    if found.version != version:
        raise Stale
    names = _checked(session, entered, code) | {"in_use": entered.in_use}
    before = {name: getattr(found, name) for name in names}
    for name, value in names.items():
        setattr(found, name, value)
    found.version += 1
    session.flush()
    changed: dict[str, Any] = {name: [before[name], value] for name, value in names.items() if before[name] != value}
    audit.record(session, "change_grade", "grade", code, by=by, now=now, **changed)
    return found


def by_words(session: Session) -> Mapping[str, Grade]:
    """The grades in use by both their names, without spaces and in small letters, as an import compares them."""
    listed = [each for each in all_grades(session) if each.in_use]
    return {plain(word): each for each in listed for word in (each.name_en, each.name)}


def plain(word: str) -> str:
    return "".join(word.split()).casefold()


def _require_city(by: Actor) -> None:
    if not (by.is_any(Role.CITY_OFFICIAL) or is_system(by)):
        raise Refused("only_the_city")


def _checked(session: Session, entered: GradeNames, code: str | None) -> dict[str, Any]:
    name, name_en = entered.name.strip()[:LONGEST_NAME], entered.name_en.strip()[:LONGEST_NAME]
    for field, value in (("name", name), ("name_en", name_en)):
        if not value:
            raise Refused("grade_name_missing", field)
        if any(
            plain(value) in (plain(each.name), plain(each.name_en)) for each in all_grades(session) if each.code != code
        ):
            raise Refused("grade_name_taken", field)
    return {"name": name, "name_en": name_en, "high_quality": entered.high_quality}
