"""The kindergarten of a row: by code, or by a unique name."""

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.places import scope
from enrollment.places.imports import cell_readers
from enrollment.places.imports import kindergartens as list_of_kindergartens
from enrollment.places.imports.headers import Column
from enrollment.places.imports.records import Record, Records
from enrollment.places.kindergartens import Kindergarten

_code, _name = list_of_kindergartens.COLUMNS[:2]
CODE = Column("code", _code.names, cell_readers.code, False, _code.example)
NAME = Column("name", _name.names, cell_readers.title, False, _name.example)


class KindergartenLookup:
    """The kindergartens that the actor may write to.

    A list of the staff of one kindergarten need not name it.  `decides` tells whether the actor may set what otherwise
    waits for the area, such as a number of children without their names.
    """

    def __init__(self, session: Session, by: Actor):
        self._by_code: dict[str, Kindergarten] = {}
        self._by_name: dict[str, list[Kindergarten]] = defaultdict(list)
        found = session.scalars(select(Kindergarten).where(scope.scope_condition(by))).all()
        self.decides = all(scope.may_decide(by, row) for row in found)
        self._only = found[0] if len(found) == 1 and not self.decides else None
        for row in found:
            self._by_code[row.code] = row
            self._by_name[cell_readers.person_name(row.name)].append(row)

    def find(self, records: Records, record: Record) -> Kindergarten | None:
        """The kindergarten of the row; None after recording a fault."""
        if record.faulty:
            return None
        code, name = record["code"], record["name"]
        if self._only is not None and not code and not name:
            return self._only
        if code:
            found = self._by_code.get(code)
            if found is None:
                records.fault(record, "code", "kindergarten_unknown", value=code)
            return found
        named = self._by_name.get(name or "", [])
        if len(named) == 1:
            return named[0]
        if not name:
            records.fault(record, "code", "value_missing")
        elif named:
            records.fault(record, "name", "name_not_unique", value=name, n=len(named))
        else:
            records.fault(record, "name", "kindergarten_unknown", value=name)
        return None
