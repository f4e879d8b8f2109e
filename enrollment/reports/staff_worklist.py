"""What waits for a person of a kindergarten beside the review: transfers, numbers, files, corrections, the ledger.

The numbers are counted in one statement, because the first page of the desk shows them all.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, literal_column, select
from sqlalchemy.orm import Session

from enrollment.corrections import request_list
from enrollment.ground.accounts import Actor
from enrollment.places import place_plans
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.place_plans import PlacePlan
from enrollment.places.roll_changes import counts, transfers
from enrollment.reports.tables import exports


@dataclass(frozen=True)
class StaffWorklist:
    """`transfers`: children whose transfer waits for the word of this side, the first due on `transfer_due`.  `counts`: large
    changes of a number that a colleague entered, the oldest in the class `count_class`.  `files`: files with names that a
    colleague asked for.  `corrections` wait for a decision, `past_half` of them for longer than half of the time.
    `levels`: by kindergarten, the levels whose continuing children are others on the roll than in the plan, or whose
    proposal was sent back.  `plans` are the places of the year."""

    transfers: int
    transfer_due: dt.date | None
    counts: int
    count_class: uuid.UUID | None
    files: int
    corrections: int
    past_half: int
    levels: Mapping[uuid.UUID, int]
    plans: Sequence[PlacePlan]

    @property
    def places(self) -> int:
        """Approved places of the year, at all these kindergartens."""
        return sum(plan.places for plan in self.plans)

    @property
    def continuing(self) -> int:
        """Children of the roll who stay."""
        return sum(line.from_roll for plan in self.plans for line in plan.lines)


NUMBERS = ("transfers", "transfer_due", "counts", "count_class", "files", "corrections", "past_half")
"""In the order of the columns of the statement."""


def staff_worklist(
    session: Session, kindergartens: Sequence[Kindergarten], year: int, *, by: Actor, now: dt.datetime
) -> StaffWorklist:
    """The worklist of a person of these kindergartens."""
    parts = [
        transfers.waiting_query(by).subquery(),
        counts.waiting_query(by).subquery(),
        exports.waiting_query(by=by, now=now).subquery(),
        request_list.numbers_query(by=by, now=now).subquery(),
    ]
    joined: FromClause = parts[0]
    for part in parts[1:]:
        joined = joined.join(part, literal_column("true"))
    columns = [column for part in parts for column in part.c]
    row = session.execute(select(*columns).select_from(joined)).one()
    numbers: dict[str, Any] = dict(zip(NUMBERS, row, strict=True))
    plans = place_plans.place_plans(session, kindergartens, year, now=now)
    levels = {plan.kindergarten.id: sum(line.differs or bool(line.sent_back) for line in plan.lines) for plan in plans}
    return StaffWorklist(**numbers, levels=levels, plans=plans)
