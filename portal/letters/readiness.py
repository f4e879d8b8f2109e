"""Readiness for the national assessment on paper: all units in one file, each with its rows, days and what is missing."""

import datetime as dt
from collections.abc import Sequence

from enrollment.coverage.readiness import SOURCE, AreaReadiness, Indicator, KindergartenReadiness
from enrollment.ground.retention import DAY
from enrollment.reports.tables.quality import verdict
from enrollment.results.letters import LetterPage
from portal.letters.pages import letter_page
from portal.text.formats import moment


def readiness_file(
    units: Sequence[tuple[str, AreaReadiness]],
    rows: Sequence[KindergartenReadiness],
    *,
    name: str,
    cohorts: Sequence[int],
    day: dt.date,
    on: dt.datetime,
    demo: bool,
) -> LetterPage:
    """`units` are (name, figures); `rows` are the kindergartens of one unit, none in the file of several."""
    return letter_page(
        f"readiness-{units[0][1].code if len(units) == 1 else 'all'}",
        "readiness",
        printed=moment(on, year=True),
        kept=DAY,
        units=units,
        rows=rows,
        name=name,
        indicators=tuple(Indicator),
        verdict=verdict,
        signs={"met": "✓", "not_met": "✕", "open": "…"},
        cohorts=cohorts,
        source=SOURCE,
        on=day,
        demo=demo,
    )
