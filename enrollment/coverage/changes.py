"""What changed in the figures since a day."""

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from allocation.coverage import Coverage
from enrollment.coverage.shares import Shares, city_shares


@dataclass(frozen=True)
class AreaChange:
    """The figures of an area, or of the city under the empty code, on an earlier day and now."""

    code: str
    before: Coverage
    now: Coverage


def changes(session: Session, shares: Shares, since: dt.date) -> tuple[AreaChange, ...]:
    """The city first, then the areas whose figures differ, by the same definition and today's targets."""
    then = city_shares(session, replace(shares.definition, on=since), year=shares.year)
    before = {line.code: line.now for line in (then.city, *then.areas)}
    found = []
    for line in (shares.city, *shares.areas):
        was = before[line.code].with_targets(line.now.public_target, line.now.inclusive_target)
        if not line.code or was != line.now:
            found.append(AreaChange(line.code, was, line.now))
    return tuple(found)
