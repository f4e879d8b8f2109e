"""One page about the two shares of an area, for a file or a meeting: figures, target, what is missing, September, signature."""

import datetime as dt
import hashlib

from enrollment.coverage.alarms import Alarm
from enrollment.coverage.forecast.outlook import September
from enrollment.coverage.indicator import Definition
from enrollment.coverage.shares import AreaLine
from enrollment.ground.retention import DAY
from enrollment.results.letters import LetterPage
from portal.letters.pages import letter_page
from portal.text.formats import day, moment

DIGEST_SHOWN = 16


def coverage_page(
    line: AreaLine,
    septembers: tuple[September, ...],
    alarms: list[Alarm],
    definition: Definition,
    *,
    name: str,
    roll_of: dt.date | None,
    on: dt.datetime,
    demo: bool,
) -> LetterPage:
    """The page of one area by one definition."""
    return letter_page(
        f"coverage-{line.code}",
        "coverage_area",
        printed=moment(on, year=True),
        kept=DAY,
        line=line,
        name=name,
        septembers=septembers,
        alarms=alarms,
        definition=definition,
        reference=day(definition.on, year=True),
        roll_of=day(roll_of, year=True) if roll_of else "—",
        digest=_digest(line, definition),
        demo=demo,
    )


def _digest(line: AreaLine, definition: Definition) -> str:
    """Equal for equal figures by an equal definition, so that two prints can be compared."""
    return hashlib.sha256(repr((line.code, line.now, line.least, definition)).encode()).hexdigest()[:DIGEST_SHOWN]
