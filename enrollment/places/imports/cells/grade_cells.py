"""The grades in a list of kindergartens: one cell names all that a kindergarten holds, and one the day of new ones."""

import datetime as dt
import re
import uuid
from typing import Any

from sqlalchemy.orm import Session

from enrollment.places.grades import code_list
from enrollment.places.grades import held as held_grades
from enrollment.places.grades.held import ListedGrades
from enrollment.places.grades.rows import Grade
from enrollment.places.imports.records import Record, Records
from enrollment.places.kindergartens import Kindergarten

NONE = frozenset({"未评级", "未定级", "未评定", "ungraded"})
"""How a list says that a kindergarten holds no grade.  An empty cell, `无` too, says nothing."""

_between = re.compile(r"[、,，;；/+\n]")


class GradeCells:
    """Reads the cells of one list; `day` is today, on which a new grade begins where the list names no day."""

    def __init__(self, session: Session, records: Records, day: dt.date):
        self._records, self._day = records, day
        is_told = records.tables.has("grade")
        self._known = code_list.by_words(session) if is_told else {}
        self._held = held_grades.now_held(session) if is_told else {}

    def read(self, record: Record) -> None:
        """Put the grades of the row in the place of its text, or record a fault."""
        told, since = record["grade"], record["grade_since"]
        if since is not None and since > self._day:
            self._records.fault(record, "grade_since", "grade_in_future")
        if told is None:
            return
        if code_list.plain(told) in NONE:
            record.values["grade"] = ()
            return
        found: list[Grade] = []
        for word in filter(None, (each.strip() for each in _between.split(told))):
            grade = self._known.get(code_list.plain(word))
            if grade is None:
                self._records.fault(record, "grade", "grade_unknown", value=word[:30])
            elif grade not in found:
                found.append(grade)
        record.values["grade"] = tuple(sorted(found, key=lambda each: each.position))

    def changed(self, record: Record, known: Kindergarten | None) -> dict[str, tuple[Any, Any]]:
        """The change for the preview, in the words of the code list; empty where the list says what is there."""
        if record["grade"] is None:
            return {}
        before, after = (_names(each) for each in (self._held.get(known.id, ()) if known else (), record["grade"]))
        return {} if before == after else {"grade": (before, after)}

    def listed(self, record: Record, kindergarten_id: uuid.UUID) -> list[ListedGrades]:
        codes = frozenset(each.code for each in record["grade"])
        return [ListedGrades(kindergarten_id, codes, record["grade_since"] or self._day)]


def _names(grades: Any) -> str | None:
    return "、".join(each.name for each in grades) or None
