"""Areas whose share is below its target, or more likely than not will be next September, with what the area answers."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.orm import Session

from allocation.coverage import Share
from enrollment.coverage import alarm_answers
from enrollment.coverage.alarm_answers import AlarmAnswer, ShareKind
from enrollment.coverage.forecast.outlook import NoOutlook, Outlook, ShareOutlook
from enrollment.coverage.shares import AreaLine, Shares

TIGHT = 0.8
"""A chance to stay above the target that is lower than this is told before it is lost."""


class AlarmState(StrEnum):
    """`below` today, `falling` below by next September, or `tight`: above, but not surely."""

    BELOW = "below"
    FALLING = "falling"
    TIGHT = "tight"


@dataclass(frozen=True)
class Alarm:
    """`september` is the share next September, None without a forecast.  `year` is the one whose target is missed: today's, or
    that of the September in which the share falls; `answer` is what the area does about it in that year."""

    line: AreaLine
    kind: ShareKind
    state: AlarmState
    share: Share
    september: ShareOutlook | None
    year: int
    answer: AlarmAnswer | None

    @property
    def short(self) -> int:
        """The children that are missing, today or next September."""
        share = self.share if self.state == AlarmState.BELOW or not self.september else self.september.share
        return share.to_move

    @property
    def to_spare(self) -> int:
        """The children above the target today."""
        return to_spare(self.share)


def to_spare(share: Share) -> int:
    """How many children of this kind could be elsewhere without losing the target."""
    if not share.met or share.target is None:
        return 0
    needed = -(-share.target.hundredths * share.all // 10_000)
    return share.part - needed


def alarms(session: Session, shares: Shares, outlook: Outlook | NoOutlook, areas: Collection[str]) -> list[Alarm]:
    """Those of these areas: below first, then falling, then tight; in each the most children short first."""
    today = shares.targets.year
    found = [
        alarm
        for line in shares.areas
        if line.code in areas
        for kind in ShareKind
        if (alarm := _alarm(line, kind, outlook, today))
    ]
    answers = {year: alarm_answers.newest(session, year) for year in {alarm.year for alarm in found}}
    found = [replace(each, answer=answers[each.year].get((each.line.code, each.kind))) for each in found]
    order = list(AlarmState)
    return sorted(found, key=lambda each: (order.index(each.state), -each.short, each.line.code, each.kind))


def _alarm(line: AreaLine, kind: ShareKind, outlook: Outlook | NoOutlook, today: int) -> Alarm | None:
    """Without its answer."""
    share = line.now.public_share if kind == ShareKind.PUBLIC else line.now.inclusive_coverage
    september, year = None, today
    if isinstance(outlook, Outlook):
        first = outlook.septembers[line.code][0]
        september = first.public if kind == ShareKind.PUBLIC else first.inclusive
        year = first.school_year
    state = _state(share, september)
    if state is None:
        return None
    return Alarm(line, kind, state, share, september, today if state == AlarmState.BELOW else year, None)


def _state(share: Share, september: ShareOutlook | None) -> AlarmState | None:
    if share.met is None:
        return None
    if not share.met:
        return AlarmState.BELOW
    if september is None or september.chance is None or september.chance >= TIGHT:
        return None
    return AlarmState.FALLING if september.chance < 0.5 else AlarmState.TIGHT
