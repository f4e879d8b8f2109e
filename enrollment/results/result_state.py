"""What the page of a published result asks beyond the state of the family (`family_state`), in one more prepared statement.

`read_ahead` adds the rows to what was read ahead for the session; the services then answer from them.  It reads nothing
for a session without the family's state, as that of a helper, an official or a request that writes.

Shape of the answer: a JSON array with a place for each `Read` of `READS`, as in `family_state`, and at its end NULL or an array
with `[rank, before, eligible]` for each wish of the run: how many stand before the child, NULL where it does not wait, and
for how many families the places were whose cut-off counted.
"""

import functools
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Uuid, and_, bindparam, case, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from enrollment.applications.application_rows import APPLICATION, FAMILY, LAST_VERSION, Application
from enrollment.chances.movement_rows import CHANCES, ESTIMATES
from enrollment.draw.run_rows import PUBLISHED_OPENINGS, PUBLISHED_REASONS, REFUSED, CutOff, Run, WishReason
from enrollment.draw.unserved.rows import ACCEPTED, UNSERVED
from enrollment.ground.reading.prepared_read import PreparedRead
from enrollment.ground.reading.read_ahead import KEY, Read, ReadAhead, compiled
from enrollment.offers import line_membership
from enrollment.offers.offer_rows import OFFER_MOVES, OFFERS, PROPOSALS, Offer
from enrollment.review.case_rows import CASES_ABOUT
from enrollment.season.round_rows import Round

OF_APPLICATION: tuple[Read[Any], ...] = (
    LAST_VERSION,
    PUBLISHED_OPENINGS,
    CHANCES,
    UNSERVED,
    ACCEPTED,
    CASES_ABOUT,
)
OF_OFFER: tuple[Read[Any], ...] = (OFFER_MOVES, PROPOSALS)
READS: tuple[Read[Any], ...] = (
    FAMILY,
    PUBLISHED_REASONS,
    *OF_APPLICATION,
    *OF_OFFER,
    ESTIMATES,
)


@dataclass(frozen=True)
class Line:
    """What stands behind the reason of one wish: the place in line, from 1, and for how many families its places were."""

    place: int | None
    eligible: int | None


def read_ahead(
    session: Session, application: Application, run: Run, waits_in: Round | None, *, better: bool
) -> dict[int, Line] | None:
    """Read what the result of a run has to say.  Returns the lines by rank, with `waits_in`, the round of the run, also the
    places in them; None where the family's state was not read ahead.  `better` is as in `standing_before`."""
    ahead: ReadAhead | None = session.info.get(KEY)
    offers = OFFERS.ahead(session, application.id)
    if ahead is None or offers is None or APPLICATION.ahead(session, application.id) is None:
        return None
    line = waits_in.id if waits_in is not None else None
    values = {"application": application.id, "run": run.id, "round": run.round_id, "line": line}
    values["better"] = run.round_id if better else None
    *rows, lines = _statement().one(session, values)
    found = dict(zip(READS, rows, strict=True))

    def keep(read: Read[Any], covered: Collection[Any]) -> list[Any]:
        return ahead.add(session, read, covered, found[read])

    family = keep(FAMILY, [application.family_code])
    keep(PUBLISHED_REASONS, [each.id for each in family])
    for read in OF_APPLICATION:
        keep(read, [application.id])
    for read in OF_OFFER:
        keep(read, [each.id for each in offers])
    keep(ESTIMATES, [run.round_id])
    return {rank: Line(None if before is None else 1 + before, eligible) for rank, before, eligible in lines or ()}


def standing_before(
    mine: WishReason | type[WishReason], round_id: uuid.UUID | ColumnElement[Any], better: ColumnElement[bool]
) -> Select[int]:
    """How many who still wait for this wish stand before the family, which waits itself.

    `better` says whether families with a place may still wait for a better one (`waitlist.may_get_better`).
    """
    theirs, here = aliased(WishReason), aliased(Round)
    return (
        select(func.count())
        .select_from(theirs)
        .join(Application, Application.id == theirs.application_id)
        .join(here, here.id == round_id)
        .where(
            theirs.run_id == mine.run_id,
            theirs.programme_id == mine.programme_id,
            theirs.reason.in_(REFUSED),
            tuple_(theirs.tier, theirs.ticket) < tuple_(mine.tier, mine.ticket),
            line_membership.in_line(Application, here, better, theirs.rank),
        )
    )


@functools.cache
def _statement() -> PreparedRead:
    """The statement.  Its parameters are `application`, its `run`, the run's `round`, `line`: the same round, or NULL for a
    child that is in no line, and `better`: the same round while families wait for better wishes, NULL afterwards."""
    names = ("application", "run", "round", "line", "better")
    application, run, round_, line, better = (bindparam(name, type_=Uuid()) for name in names)
    code = select(Application.family_code).where(Application.id == application).scalar_subquery()
    family = select(Application.id).where(Application.family_code == code).cte("family")
    offers = select(Offer.id).where(Offer.application_id == application)
    scopes: dict[Read[Any], Any] = {
        FAMILY: code,
        PUBLISHED_REASONS: select(family.c.id),
        ESTIMATES: round_,
    }
    scopes |= dict.fromkeys(OF_APPLICATION, application) | dict.fromkeys(OF_OFFER, offers)
    answers = [read.as_json(scopes[read]).scalar_subquery() for read in READS]
    mine = aliased(WishReason)
    before = standing_before(mine, line, better.is_not(None)).correlate(mine).scalar_subquery()
    waits = case((and_(line.is_not(None), mine.reason.in_(REFUSED)), before))
    lines = (
        select(func.json_agg(func.json_build_array(mine.rank, waits, CutOff.eligible)))
        .select_from(mine)
        .outerjoin(
            CutOff,
            and_(CutOff.run_id == mine.run_id, CutOff.programme_id == mine.programme_id, CutOff.pool == mine.pool),
        )
        .where(mine.run_id == run, mine.application_id == application)
    )
    return PreparedRead(compiled(select(func.json_build_array(*answers, lines.scalar_subquery()))))
