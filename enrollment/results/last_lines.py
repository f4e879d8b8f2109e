"""The cut-offs of the newest published main round, kept in the process: how far down the list each kindergarten went."""

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw.run_rows import CutOff, Run
from enrollment.ground.reading.catalogue import Part
from enrollment.places.programmes import Programme
from enrollment.results.cut_offs import IN_ORDER, LineState, PublicLine, line_of, public_lines
from enrollment.season.round_rows import Round, RoundKind


@dataclass(frozen=True)
class LastLines:
    """By kindergarten and level the line of the places that were open to all, and the places of all pools together; `year` is
    None before the first result.
    """

    year: int | None = None
    of: Mapping[tuple[uuid.UUID, str], PublicLine] = field(default_factory=dict)
    places: Mapping[tuple[uuid.UUID, str], int] = field(default_factory=dict)

    def ease(self, level: str) -> dict[uuid.UUID, float]:
        """A number for each kindergarten, the smaller, the easier it was to get in; none where the line is not known."""
        found = {key[0]: _ease(line) for key, line in self.of.items() if key[1] == level}
        return {each: ease for each, ease in found.items() if ease is not None}


def _ease(line: PublicLine) -> float | None:
    if line.state == LineState.ALL:
        return float("-inf")
    if line.state == LineState.NONE:
        return 0.0
    if line.tier is None or line.ticket is None:
        return None
    return -(line.tier * 1e8 + line.ticket)


def _read(session: Session) -> dict[int, LastLines]:
    first_runs = (
        select(Round.year, Run.id)
        .join(Run, Run.round_id == Round.id)
        .where(Round.kind == RoundKind.MAIN, Run.published_at.is_not(None), Run.replays.is_(None))
        .order_by(Run.published_at)
    )
    years = {}
    for year, run_id in session.execute(first_runs):
        query = public_lines(CutOff.run_id == run_id).add_columns(Programme.kindergarten_id).order_by(*IN_ORDER)
        # the pools come in their order of precedence, and the last one is open to all
        of: dict[tuple[uuid.UUID, str], PublicLine] = {}
        places: Counter[tuple[uuid.UUID, str]] = Counter()
        for row in session.execute(query.group_by(Programme.kindergarten_id)):
            key = (row.kindergarten_id, row.level)
            of[key] = line_of(row)
            places[key] += int(row.places)
        years[year] = LastLines(year, of, places)
    return years


LAST_LINES = Part("last_lines", ("run",), _read)


def before(session: Session, year: int | None) -> LastLines:
    """The lines of the newest year before this one or, where it has none, of the year itself."""
    kept = LAST_LINES.of(session)
    years = _read(session) if kept is None else kept
    earlier = [each for each in years if year is None or each < year] or list(years)
    return years[max(earlier)] if earlier else LastLines()
