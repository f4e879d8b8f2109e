"""The places that officials choose for single children, for the next central placement.

A chosen place is no offer: the next run of central placement takes it over as it is, computes the rest around it, and both
are sent under the same two signatures, in the same hour.  Until then the place is not held: a choice whose place was taken
meanwhile, or whose child got one, does not stand any more, and the board says so.
"""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.draw import unplaced
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Run, RunState
from enrollment.draw.unserved.rows import LONGEST_TEXT, ChosenPlace
from enrollment.draw.unserved.scope import begin, locked, without_a_place
from enrollment.eligibility import home_points, households
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.classifications import Nature
from enrollment.ground.errors import Refused
from enrollment.places.distances import metres
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season.calendar import keep_open
from enrollment.season.round_rows import Round, RoundKind, RoundStage

VACANT = (
    Programme.state == ProgrammeState.APPROVED,
    Programme.taken < Programme.places,
    Kindergarten.nature != Nature.PRIVATE,
    Kindergarten.closed_on.is_(None),
)
"""The condition on a programme, joined to its kindergarten, that an official can choose."""


@dataclass(frozen=True)
class Standing:
    """A choice that central placement can take over.  `place` is the code of the programme in the files of a run."""

    application_id: uuid.UUID
    child: str
    area: str
    programme_id: uuid.UUID
    place: str
    nature: str
    metres: int | None


def choose(
    session: Session,
    year: int,
    application_id: uuid.UUID,
    programme_id: uuid.UUID,
    *,
    seen: int | None,
    apart: str = "",
    by: Actor,
    now: dt.datetime,
) -> int:
    """Choose a vacancy for a child, and for those bound to it that have no place either.  Returns how many children.

    `apart` says why a bound child is placed alone.  Refuses `no_place_here` for a place of another level or one that is
    gone, `places_for_all_needed` where a bond needs more than there are, `family_wants_no_proposal`, `season_is_closed`, and
    `placement_is_signed` while one waits for its hour.
    """
    keep_open(session, year)
    together = _together(session, year, application_id, by=by) if not apart.strip() else [application_id]
    ids = locked(session, {*together, application_id})
    _, child = begin(session, year, application_id, seen, by=by)
    here = without_a_place(session, year, ids, by=by)
    if any(not each.agrees_to_central for each in here.values()):
        raise Refused("family_wants_no_proposal", field="programme")
    found = (
        select(Programme, Kindergarten)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.id == programme_id, Programme.year == year, Programme.level == child.level, *VACANT)
        .with_for_update(of=Programme, key_share=True)
        .execution_options(populate_existing=True)
    )
    row = session.execute(found).one_or_none()
    others = select(func.count()).where(
        ChosenPlace.programme_id == programme_id, ChosenPlace.application_id.not_in(ids)
    )
    free = row.Programme.places - row.Programme.taken - (session.scalar(others) or 0) if row is not None else 0
    if row is None or free < 1:
        raise Refused("no_place_here", field="programme")
    if free < len(here) or any(each.level != child.level for each in here.values()):
        raise Refused("places_for_all_needed", field="apart", n=len(here), free=free)
    for each in sorted(here):
        _keep(session, each, row, apart, by, now)
    session.flush()
    outdate_draft(session, year, now=now)
    return len(here)


def _together(session: Session, year: int, application_id: uuid.UUID, *, by: Actor) -> list[uuid.UUID]:
    """The child and those bound to it that have no place either."""
    unit = select(Application.unit).where(Application.id == application_id).scalar_subquery()
    bound = session.scalars(select(Application.id).where(Application.unit == unit, Application.year == year)).all()
    return [*without_a_place(session, year, {application_id, *bound}, by=by)]


def _keep(session: Session, application_id: uuid.UUID, row: Row, apart: str, by: Actor, now: dt.datetime) -> None:
    point = home_points.point_of(session, households.household_of(session, application_id))
    site: Kindergarten = row.Kindergarten
    far = None
    if point is not None and site.longitude is not None and site.latitude is not None:
        far = metres(point.longitude, point.latitude, site.longitude, site.latitude)
    session.merge(
        ChosenPlace(
            application_id=application_id, programme_id=row.Programme.id, metres=far,
            apart=apart.strip()[:LONGEST_TEXT] or None, chosen_at=now, chosen_by=by.account_id,
        )
    )  # fmt: skip
    audit.record(
        session, "choose_place", "application", application_id, by=by, now=now, programme=str(row.Programme.id)
    )


def drop(
    session: Session, year: int, application_id: uuid.UUID, *, seen: int | None, by: Actor, now: dt.datetime
) -> None:
    """Take a choice back, and those of the children bound to this one.  Without a choice nothing changes.
    Refuses `season_is_closed`."""
    keep_open(session, year)
    ids = locked(session, {*_together(session, year, application_id, by=by), application_id})
    begin(session, year, application_id, seen, by=by)
    for found in session.scalars(select(ChosenPlace).where(ChosenPlace.application_id.in_(ids))).all():
        session.delete(found)
        audit.record(session, "drop_chosen_place", "application", found.application_id, by=by, now=now)
    session.flush()
    outdate_draft(session, year, now=now)


def outdate_draft(session: Session, year: int, *, now: dt.datetime) -> None:
    """A placement that was computed with other choices cannot be signed any more.  Refuses `placement_is_signed`.

    Where two people sign in the same moment, the hour finds the list outdated and opens nothing.
    """
    rounds = select(Round.id).where(
        Round.year == year, Round.kind == RoundKind.CENTRAL, Round.stage == RoundStage.DRAWN
    )
    if session.scalar(select(Run.id).where(Run.round_id.in_(rounds), Run.state == RunState.SIGNED).limit(1)):
        raise Refused("placement_is_signed", field="programme")
    current = update(Snapshot).where(
        Snapshot.round_id.in_(rounds), Snapshot.replaced_at.is_(None), Snapshot.outdated_at.is_(None)
    )
    session.execute(current.values(outdated_at=now))


def standing(session: Session, year: int) -> list[Standing]:
    """The choices that stand, the earliest first: their children have no place, and their places are free for all of them.

    Of bound children all stand or none, unless an official said why one is placed alone.
    """
    base = unplaced.without_place(year).subquery()
    rows = session.execute(
        select(
            ChosenPlace, Application.child_code, Application.unit, base.c.home, Kindergarten.code, Kindergarten.nature,
            Programme.level, (Programme.places - Programme.taken).label("free"),
        )
        .join(base, base.c.id == ChosenPlace.application_id)
        .join(Application, Application.id == ChosenPlace.application_id)
        .join(Programme, Programme.id == ChosenPlace.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Application.agrees_to_central, *VACANT)
        .order_by(ChosenPlace.chosen_at, ChosenPlace.application_id)
    ).all()  # fmt: skip
    groups: dict[tuple, list[Row]] = defaultdict(list)
    for row in rows:
        alone = row.unit is None or row.ChosenPlace.apart
        groups[(None, row.ChosenPlace.application_id) if alone else (row.unit, row.ChosenPlace.programme_id)].append(
            row
        )
    wanted: Counter[uuid.UUID] = Counter()
    stands = []
    for group in groups.values():
        first = group[0]
        if wanted[first.ChosenPlace.programme_id] + len(group) <= first.free:
            wanted[first.ChosenPlace.programme_id] += len(group)
            stands += [
                Standing(
                    row.ChosenPlace.application_id, row.child_code, row.home or "", row.ChosenPlace.programme_id,
                    f"{row.code}-{row.level}", row.nature, row.ChosenPlace.metres,
                )
                for row in group
            ]  # fmt: skip
    return stands
