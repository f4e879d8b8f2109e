"""Areas whose share is below its target, or more likely than not will be next September, with what the area answers."""

from collections.abc import Collection
from dataclasses import dataclass
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
    """`september` is the share next September, None without a forecast; `answer` what the area does about it."""

    line: AreaLine
    kind: ShareKind
    state: AlarmState
    share: Share
    september: ShareOutlook | None
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
    answers = alarm_answers.newest(session, {shares.targets.year, shares.later.year})
    found = [
        alarm
        for line in shares.areas
        if line.code in areas
        for kind in ShareKind
        if (alarm := _alarm(line, kind, outlook, answers.get((line.code, kind))))
    ]
    order = list(AlarmState)
    return sorted(found, key=lambda each: (order.index(each.state), -each.short, each.line.code, each.kind))


def _alarm(line: AreaLine, kind: ShareKind, outlook: Outlook | NoOutlook, answer: AlarmAnswer | None) -> Alarm | None:
    share = line.now.public_share if kind == ShareKind.PUBLIC else line.now.inclusive_coverage
    september = None
    if isinstance(outlook, Outlook):
        first = outlook.septembers[line.code][0]
        september = first.public if kind == ShareKind.PUBLIC else first.inclusive
    state = _state(share, september)
    return None if state is None else Alarm(line, kind, state, share, september, answer)


def _state(share: Share, september: ShareOutlook | None) -> AlarmState | None:
    if share.met is None:
        return None
    if not share.met:
        return AlarmState.BELOW
    if september is None or september.chance is None or september.chance >= TIGHT:
        return None
    return AlarmState.FALLING if september.chance < 0.5 else AlarmState.TIGHT
