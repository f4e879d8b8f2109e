"""What everybody may read of a published round: its cut-offs, and the result of a ticket."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.draw import runs
from enrollment.draw.draws import Snapshot, Ticket
from enrollment.draw.run_rows import CutOff, Placement, Run, WishReason
from enrollment.ground.maintenance_permits import MaintenancePermit
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Pool, Programme
from enrollment.results import public_file
from enrollment.season.rounds import Round


@dataclass(frozen=True)
class PublishedCutOff:
    """The cut-off of a pool.  `pool` is its name, None for the places that are open to all."""

    kindergarten: str
    area: str
    level: str
    pool: str | None
    cut_off: CutOff


@dataclass(frozen=True)
class CutOffPage:
    """One page of the cut-offs, counted from 1."""

    rows: tuple[PublishedCutOff, ...]
    total: int
    number: int
    last: int


@dataclass(frozen=True)
class TicketResult:
    """The result of a child, known only by its ticket and its code in the public file."""

    ticket: int
    code: str
    placed: Programme | None
    wishes: tuple[tuple[Programme, WishReason], ...]


def rounds_with_a_commitment(session: Session) -> list[Round]:
    """Rounds with a published commitment, the newest first."""
    frozen = select(Snapshot.round_id).distinct()
    return list(
        session.scalars(select(Round).where(Round.id.in_(frozen)).order_by(Round.year.desc(), Round.number.desc()))
    )


def result_run(session: Session, round_id: uuid.UUID) -> Run | None:
    """The run that gave the round's result.  Replays follow it and have their own files."""
    return runs.first_published(session, round_id)


def numbered_run(session: Session, round_id: uuid.UUID, number: int | None) -> Run | None:
    """A published run of the round by its number; without a number, the run that gave the result."""
    if number is None:
        return result_run(session, round_id)
    found = select(Run).where(Run.round_id == round_id, Run.number == number, Run.published_at.is_not(None))
    return session.scalars(found).one_or_none()


def bundle_size(session: Session, run: Run) -> int:
    """Size of the run's public file in bytes, 0 if there is none.  The file itself is not loaded."""
    return session.scalar(select(func.octet_length(Run.bundle)).where(Run.id == run.id)) or 0


def commitments(session: Session, year: int) -> list[str]:
    """Every commitment that was ever published of this year's markets, the newest first."""
    of_year = select(Round.id).where(Round.year == year)
    return list(
        session.scalars(
            select(Snapshot.commitment).where(Snapshot.round_id.in_(of_year)).order_by(Snapshot.made_at.desc())
        )
    )


def names(session: Session, run: Run) -> dict[str, dict[str, Any]]:
    """For the codes of the public file: a programme's kindergarten and class level, a pool's name."""
    of_run = select(CutOff.programme_id).where(CutOff.run_id == run.id)
    programmes = {each.code: each for each in session.scalars(select(Programme).where(Programme.id.in_(of_run)))}
    return {
        "programmes": {code: [each.kindergarten.name, each.level] for code, each in programmes.items()},
        "pools": {f"{code}/{pool.code}": pool.name for code, each in programmes.items() for pool in each.pools},
    }


def lines(
    session: Session,
    run: Run,
    *,
    words: str | None = None,
    area: str | None = None,
    page: int = 1,
    per_page: int = 50,
) -> CutOffPage:
    """The cut-offs by kindergarten; `words` are part of its name."""
    found = (
        select(CutOff, Kindergarten.name, Kindergarten.area_code, Programme.level, Pool.name)
        .join(Programme, Programme.id == CutOff.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(Pool, (Pool.programme_id == CutOff.programme_id) & (Pool.code == CutOff.pool))
        .where(CutOff.run_id == run.id)
    )
    if words:
        found = found.where(Kindergarten.name.contains(words.strip(), autoescape=True))
    if area:
        found = found.where(Kindergarten.area_code == area)
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    last = max(1, -(-total // per_page))
    page = min(max(page, 1), last)
    order = (Kindergarten.sort_key, Programme.level, Pool.precedence.nulls_last(), CutOff.pool)
    rows = session.execute(found.order_by(*order).limit(per_page).offset((page - 1) * per_page))
    return CutOffPage(
        tuple(PublishedCutOff(name, code, level, pool, line) for line, name, code, level, pool in rows),
        total,
        page,
        last,
    )


def of_ticket(session: Session, run: Run, year: int, asked: str) -> TicketResult | None:
    """The result of a ticket number, or of a child's code in the public file."""
    asked = asked.strip().lower()
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else -1
    found = (
        select(Ticket.number, Application.child_code, Placement.application_id, Programme)
        .join(Application, (Application.child_id == Ticket.child_id) & (Application.year == Ticket.year))
        .join(Placement, (Placement.application_id == Application.id) & (Placement.run_id == run.id))
        .outerjoin(Programme, Programme.id == Placement.programme_id)
        .where(Ticket.year == year, or_(Ticket.number == number, Application.child_code == asked))
        .limit(1)
    )
    row = session.execute(found).one_or_none()
    if row is None:
        told = public_file.of_ticket(session, run, year, asked, number) if _is_forgotten(session, year) else None
        return TicketResult(told.ticket, told.code, told.placed, told.wishes) if told else None
    ticket, code, application_id, placed = row
    reasons = (
        select(Programme, WishReason)
        .join(Programme, Programme.id == WishReason.programme_id)
        .where(WishReason.run_id == run.id, WishReason.application_id == application_id)
        .order_by(WishReason.rank)
    )
    return TicketResult(ticket, code, placed, tuple((p, reason) for p, reason in session.execute(reasons)))


def _is_forgotten(session: Session, year: int) -> bool:
    """Whether the families of the year were deleted; the public file still has codes and tickets."""
    return session.scalar(select(MaintenancePermit.number).where(MaintenancePermit.year == year).limit(1)) is not None
