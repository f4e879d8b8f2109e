"""How far each part of a seed is, and the record of who witnessed it."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.draw_form import PartForm
from enrollment.draw.draws import Draw
from enrollment.draw.seed import declared_forms, witness_sessions
from enrollment.draw.seed.witness_rows import SeedPart, WitnessSession
from enrollment.draw.seed.witness_sessions import SessionState
from enrollment.ground.accounts import Account


class PartState(StrEnum):
    """Whether the two entries of a part are there and equal."""

    WAITING = "waiting"
    AGREED = "agreed"
    DIFFERENT = "different"


@dataclass(frozen=True)
class WitnessRecord:
    """One session in words for officials and the public.  `value` is empty until both witnesses of the pair entered."""

    id: uuid.UUID
    attempt: int
    name: str
    office: str
    reason: str | None
    state: SessionState
    requested_by: uuid.UUID
    requested_by_name: str
    approved_by_name: str
    requested_at: dt.datetime
    entered_at: dt.datetime | None
    value: str


@dataclass(frozen=True)
class PartStanding:
    """One part of a seed.  `attempt` is the pair of entries that counts; `value` is what both witnesses of it entered."""

    part: SeedPart
    form: PartForm
    attempt: int
    state: PartState
    value: str
    records: tuple[WitnessRecord, ...]

    @property
    def names(self) -> list[str]:
        """The two witnesses whose entries agree."""
        mine = [each for each in self.records if each.attempt == self.attempt]
        return [each.name for each in mine if each.state == SessionState.ENTERED]

    @property
    def is_full(self) -> bool:
        """Whether no further session can be requested now."""
        live = [each for each in self.records if each.attempt == self.attempt and each.state in witness_sessions.LIVE]
        return self.state == PartState.AGREED or (
            self.state == PartState.WAITING and len(live) >= witness_sessions.WITNESSES_NEEDED
        )


def of_draw(session: Session, draw: Draw, *, now: dt.datetime) -> tuple[PartStanding, ...]:
    """The parts that the draw's form declares; none for a draw of the older format."""
    if draw.draw_form is None:
        return ()
    form = declared_forms.of_draw(draw)
    return tuple(_standing(session, draw, SeedPart(name), part, now) for name, part in form.parts.items())


def witnesses_of(session: Session, draw: Draw) -> list[dict[str, object]]:
    """The witnesses of a draw with a seed, as its published record names them."""
    if draw.seeded_at is None:
        return []
    standings = of_draw(session, draw, now=draw.seeded_at)
    return [{"part": str(each.part), "names": each.names} for each in standings]


def _standing(session: Session, draw: Draw, part: SeedPart, form: PartForm, now: dt.datetime) -> PartStanding:
    sessions = witness_sessions.of_part(session, draw, part)
    entries = witness_sessions.entries_of(session, draw, part)
    last = max((each.attempt for each in sessions), default=1)
    pairs = {
        attempt: [entries[each.id].value for each in sessions if each.attempt == attempt and each.id in entries]
        for attempt in range(1, last + 1)
    }
    complete = {attempt for attempt, values in pairs.items() if len(values) >= witness_sessions.WITNESSES_NEEDED}
    values = pairs[last]
    state = (
        PartState.WAITING
        if last not in complete
        else PartState.AGREED
        if len(set(values)) == 1
        else PartState.DIFFERENT
    )
    names = _names(session, sessions)
    records = []
    for each in sessions:
        entry = entries.get(each.id)
        records.append(
            WitnessRecord(
                id=each.id,
                attempt=each.attempt,
                name=each.name,
                office=each.office,
                reason=each.reason,
                state=witness_sessions.state_of(each, now, entered=entry is not None),
                requested_by=each.requested_by,
                requested_by_name=names[each.requested_by],
                approved_by_name=names[each.approved_by] if each.approved_by else "",
                requested_at=each.requested_at,
                entered_at=entry.entered_at if entry else None,
                value=entry.value if entry and each.attempt in complete else "",
            )
        )
    agreed = values[0] if state == PartState.AGREED else ""
    return PartStanding(part, form, last, state, agreed, tuple(records))


def _names(session: Session, sessions: Sequence[WitnessSession]) -> dict[uuid.UUID, str]:
    ids = {each.requested_by for each in sessions} | {each.approved_by for each in sessions if each.approved_by}
    return {account.id: account.name for account in session.scalars(select(Account).where(Account.id.in_(ids)))}
