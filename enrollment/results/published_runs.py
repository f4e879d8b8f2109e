"""What everybody may read of a published round: its cut-offs and its figures, nothing of a single child."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from enrollment.draw import runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import CutOff, Run
from enrollment.draw.seed.witness_rows import DeclaredForm
from enrollment.ground.reading.catalogue import Part
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.results import cut_offs
from enrollment.results.cut_offs import PublicLine
from enrollment.season import seasons
from enrollment.season.kept_years import ROUNDS
from enrollment.season.rounds import KINDS_WITH_WISHES, Round


@dataclass(frozen=True)
class PublishedCutOff:
    """The cut-off of a block of the public file."""

    kindergarten: str
    area: str
    line: PublicLine


@dataclass(frozen=True)
class CutOffPage:
    """One page of the cut-offs, counted from 1."""

    rows: tuple[PublishedCutOff, ...]
    total: int
    number: int
    last: int


def _ids_of_public_draws(session: Session) -> frozenset[uuid.UUID]:
    return frozenset(session.scalars(select(Snapshot.round_id).union(select(DeclaredForm.round_id))))


PUBLIC_DRAWS = Part("public_draws", ("snapshot", "declared_draw_form"), _ids_of_public_draws)
"""The rounds with a published commitment or a declared form, kept in the process."""


def rounds_with_a_public_draw(session: Session) -> list[Round]:
    """Rounds with a published commitment, or with the declared form of their draw before it; the newest first.

    Rounds of a year in preparation are not public.
    """
    kept, rounds_kept = PUBLIC_DRAWS.of(session), ROUNDS.of(session)
    if kept is not None and rounds_kept is not None:
        years = _visible_years(session)
        known = (each for each in reversed(rounds_kept) if each.id in kept and each.year in years)
        return [each for each in known if each.kind in KINDS_WITH_WISHES]
    public = or_(Round.id.in_(select(Snapshot.round_id)), Round.id.in_(select(DeclaredForm.round_id)))
    with_wishes = Round.kind.in_(KINDS_WITH_WISHES)
    found = (
        select(Round)
        .where(public, with_wishes, Round.year.in_(_visible_years(session)))
        .order_by(Round.year.desc(), Round.number.desc())
    )
    return list(session.scalars(found))


def round_of_public_page(session: Session, round_id: uuid.UUID) -> Round | None:
    """The round, if its draw may be read by everybody: it has a draw of its own, and its year is announced."""
    found = session.get(Round, round_id)
    if found is None or found.kind not in KINDS_WITH_WISHES or found.year not in _visible_years(session):
        return None
    return found


def _visible_years(session: Session) -> list[int]:
    return [season.year for season in seasons.visible(session)]


def result_run(session: Session, round_id: uuid.UUID) -> Run | None:
    """The run that gave the round's result.  Replays follow it and have their own files."""
    return runs.first_published(session, round_id)


def numbered_run(session: Session, round_id: uuid.UUID, number: int | None) -> Run | None:
    """A published run of the round by its number; without a number, the run that gave the result."""
    if number is None:
        return result_run(session, round_id)
    found = select(Run).where(Run.round_id == round_id, Run.number == number, Run.published_at.is_not(None))
    return session.scalars(found).one_or_none()


def file_size(session: Session, run: Run) -> int:
    """Size of the run's public file in bytes, 0 if there is none.  The file itself is not loaded."""
    return session.scalar(select(func.octet_length(Run.public_file)).where(Run.id == run.id)) or 0


class Standing(StrEnum):
    """What a published commitment is to the result that a page shows."""

    COUNTS = "counts"
    """This result follows from it; before a result, it is the one that is frozen now."""
    OTHER = "other"
    """Another published result of the round follows from it: the first one or a replay."""
    REPLACED = "replaced"
    """A correction replaced it, and no published result follows from it."""


@dataclass(frozen=True)
class PublishedCommitment:
    """A commitment of the round; `at` is when its result was published, or else the commitment itself."""

    commitment: str
    standing: Standing
    at: dt.datetime


def commitments(session: Session, round_id: uuid.UUID, run: Run | None) -> list[PublishedCommitment]:
    """Every commitment that was published of the round's markets, the newest first, as the result `run` makes of them."""
    results = select(Run.snapshot_id, func.max(Run.published_at).label("at")).where(Run.published_at.is_not(None))
    of_results = results.where(Run.round_id == round_id).group_by(Run.snapshot_id).subquery()
    found = (
        select(Snapshot.id, Snapshot.commitment, Snapshot.made_at, Snapshot.replaced_at, of_results.c.at)
        .outerjoin(of_results, of_results.c.snapshot_id == Snapshot.id)
        .where(Snapshot.round_id == round_id)
        .order_by(Snapshot.made_at.desc())
    )
    made = []
    for row in session.execute(found):
        counts = row.id == run.snapshot_id if run is not None else row.replaced_at is None
        other = Standing.OTHER if row.at is not None else Standing.REPLACED
        made.append(PublishedCommitment(row.commitment, Standing.COUNTS if counts else other, row.at or row.made_at))
    return made


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
    found = cut_offs.public_lines(CutOff.run_id == run.id)
    if words:
        found = found.where(Kindergarten.name.contains(words.strip(), autoescape=True))
    if area:
        found = found.where(Kindergarten.area_code == area)
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    last = max(1, -(-total // per_page))
    page = min(max(page, 1), last)
    named = found.add_columns(Kindergarten.name.label("kindergarten"), Kindergarten.area_code.label("area"))
    ordered = named.group_by(Kindergarten.id).order_by(Kindergarten.sort_key, *cut_offs.IN_ORDER)
    rows = session.execute(ordered.limit(per_page).offset((page - 1) * per_page))
    told = tuple(PublishedCutOff(row.kindergarten, row.area, cut_offs.line_of(row)) for row in rows)
    return CutOffPage(told, total, page, last)
