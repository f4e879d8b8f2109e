"""The draw of a season: first the commitment is published, then the seed; the seed gives each child a ticket."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from allocation import lottery
from enrollment.applications.applications import Application
from enrollment.draw import draw_jobs, market_files
from enrollment.draw.draw_jobs import Progress
from enrollment.ground import audit, bulk_copy
from enrollment.ground.accounts import Actor
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.season import round_rows as rounds
from enrollment.season.calendar import require_city_official


class Snapshot(Base):
    """A round's market as files, frozen.  A correction makes a new snapshot; nothing is overwritten.

    `outdated_at` is when a decided correction changed who takes part or with what: from then on no run of it is signed or
    published.  A snapshot that replaces another has its public `reason`, and how many corrections of which kind it holds.
    """

    __tablename__ = "snapshot"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    number: Mapped[int]
    commitment: Mapped[str]
    market: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    children: Mapped[int]
    wishes: Mapped[int]
    made_at: Mapped[dt.datetime]
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    replaced_at: Mapped[dt.datetime | None]
    outdated_at: Mapped[dt.datetime | None]
    reason: Mapped[str | None]
    corrections: Mapped[dict[str, int] | None] = mapped_column(JSONB)

    __table_args__ = (
        UniqueConstraint("round_id", "number"),
        CheckConstraint("length(commitment) = 64", name="commitment_is_sha256"),
    )


class Draw(Base):
    """The season's draw (`number` 1), or a later one for children who joined later.

    The table refuses a seed that is older than the commitment.
    """

    __tablename__ = "draw"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"))
    number: Mapped[int]
    snapshot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("snapshot.id"))
    commitment: Mapped[str]
    committed_at: Mapped[dt.datetime]
    beacon_name: Mapped[str]
    beacon: Mapped[str | None]
    ceremony: Mapped[str | None]
    seed: Mapped[str | None]
    seeded_at: Mapped[dt.datetime | None]
    seeded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (
        UniqueConstraint("year", "number"),
        CheckConstraint("(seed IS NULL) = (seeded_at IS NULL)", name="seed_has_a_time"),
        CheckConstraint("seeded_at IS NULL OR seeded_at > committed_at", name="seed_after_commitment"),
        CheckConstraint("seed IS NULL OR length(seed) = 64", name="seed_is_sha256"),
    )


class Ticket(Base):
    """The ticket 派位号 of a child in a season.  There is exactly one, and it never changes."""

    __tablename__ = "ticket"

    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), primary_key=True)
    year: Mapped[int] = mapped_column(ForeignKey("season.year"), primary_key=True)
    number: Mapped[int]
    draw_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("draw.id"))

    __table_args__ = (UniqueConstraint("year", "number"), CheckConstraint("number >= 1", name="counted_from_one"))


def ticket_numbers(session: Session, year: int) -> dict[str, int]:
    """The tickets of a season by child code."""
    found = (
        select(Application.child_code, Ticket.number)
        .join(Ticket, (Ticket.child_id == Application.child_id) & (Ticket.year == Application.year))
        .where(Ticket.year == year)
    )
    return {code: number for code, number in session.execute(found)}


def waiting_for_seed(session: Session, year: int) -> Draw | None:
    """The draw whose commitment is published and which has no seed yet."""
    found = select(Draw).where(Draw.year == year, Draw.seed.is_(None))
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()


STEPS = ("drawing", "numbering")
"""The steps after a seed was entered, as their progress reports them."""


def precheck(
    session: Session, year: int, round_id: uuid.UUID | None, *, beacon: str, ceremony: str, now: dt.datetime
) -> Draw:
    """The draw that waits for a seed (of `round_id`, if that is given).  Refuses what `set_seed` refuses."""
    draw = waiting_for_seed(session, year)
    if draw is None or (round_id and session.get_one(Snapshot, draw.snapshot_id).round_id != round_id):
        raise Refused("no_draw_is_open")
    if session.get_one(Snapshot, draw.snapshot_id, populate_existing=True).outdated_at is not None:
        raise Refused("snapshot_outdated")
    if now <= draw.committed_at:
        raise Refused("seed_before_commitment")
    if not (beacon.strip() or ceremony.strip()):
        raise Refused("seed_needs_a_public_part", field="beacon")
    return draw


def set_seed(
    session: Session,
    year: int,
    *,
    beacon: str,
    ceremony: str,
    by: Actor,
    now: dt.datetime,
    progress: Progress = draw_jobs.no_progress,
) -> Draw:
    """Enter the published parts of the seed, and give a ticket for the season to each child of the market without one.

    `seed = SHA-256(commitment ‖ beacon ‖ ceremony)`.  Refuses `no_draw_is_open`, `snapshot_outdated`,
    `seed_before_commitment` and `seed_needs_a_public_part`.
    """
    require_city_official(by)
    open_draw = precheck(session, year, None, beacon=beacon, ceremony=ceremony, now=now)
    round_ = draw_jobs.lock_round(session, session.get_one(Snapshot, open_draw.snapshot_id).round_id)
    draw = precheck(session, year, round_.id, beacon=beacon, ceremony=ceremony, now=now)
    progress(0, len(STEPS), "drawing")
    draw.beacon, draw.ceremony = beacon.strip(), ceremony.strip()
    draw.seed = lottery.seed_bytes(draw.commitment, draw.beacon, draw.ceremony).hex()
    draw.seeded_at, draw.seeded_by = now, by.account_id
    session.flush()
    given = _give_tickets(session, draw, progress)
    rounds.move(session, round_, "draw", by=by, now=now)
    audit.record(session, "draw", "draw", draw.id, by=by, now=now, seed=draw.seed, tickets=given)
    session.flush()
    return draw


def _give_tickets(session: Session, draw: Draw, progress: Progress) -> int:
    """Give tickets to the children of the market who have none.  Their numbers follow the last number of the season."""
    joining = market_files.without_ticket(session.get_one(Snapshot, draw.snapshot_id).market)
    last = session.scalar(select(func.max(Ticket.number)).where(Ticket.year == draw.year)) or 0
    numbers = lottery.draw(
        bytes.fromhex(draw.seed or ""), [row.family for row in joining], [row.child for row in joining], after=last
    )
    progress(1, len(STEPS), "numbering")
    drawn = zip((row.child for row in joining), numbers.tolist(), strict=True)
    bulk_copy.copy_to_temporary_table(session, "drawn_ticket", {"child": "text", "number": "int"}, drawn)
    given = text("""
        INSERT INTO ticket (child_id, year, number, draw_id)
        SELECT application.child_id, :year, drawn_ticket.number, :draw
        FROM drawn_ticket JOIN application ON application.child_code = drawn_ticket.child
    """)
    written: int = session.execute(given, {"year": draw.year, "draw": draw.id}).rowcount  # type: ignore[attr-defined]
    if written != len(joining):
        raise LookupError(f"{len(joining) - written} children of the market have no application")
    return written
