"""The draw room of a round, as its page shows it: the current step, its job, and all snapshots and runs."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Stage
from enrollment.draw import draw_jobs, duplicate_waivers, participants, replay, runs
from enrollment.draw.draw_jobs import JobStatus
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.duplicate_waivers import DuplicateWaiver
from enrollment.draw.publication import hours
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Run, RunState
from enrollment.offers import tally
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.offers.tally import Subject
from enrollment.places.kindergartens import Kindergarten, admits_in
from enrollment.places.programmes import Programme
from enrollment.season import round_rows
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round, RoundProgramme

STEPS = ("review", "freeze", "seed", "run", "sign", "hour", "published")
"""The steps of a draw, in their order."""


@dataclass(frozen=True)
class DrawRoom:
    """`waivers` are the signed ones for the public record; `snapshots` and `runs` are the newest first.

    `doing` is the newest job of the round; `hour` is announced for its next result, and `publication` what waits for it.
    What counts applications or offers of the whole city is read when a page asks for it, once.
    """

    session: Session = field(repr=False, compare=False)
    round: Round
    waivers: tuple[DuplicateWaiver, ...]
    snapshots: tuple[Snapshot, ...]
    draw: Draw | None
    runs: tuple[Run, ...]
    approvals: int
    doing: JobStatus | None
    hour: dt.datetime | None
    publication: Publication | None

    @cached_property
    def under_review(self) -> tuple[Row, ...]:
        """(name, n) of the kindergartens that still review."""
        return tuple(participants.under_review(self.session, self.round))

    @cached_property
    def is_under_review(self) -> bool:
        """Whether any kindergarten still reviews."""
        return participants.is_under_review(self.session, self.round)

    @cached_property
    def returned(self) -> int:
        """How many returned applications take part with the facts that were verified."""
        return participants.count(self.session, self.round, (Stage.RETURNED,))

    def returns(self, now: dt.datetime) -> tuple[int, dt.datetime | None]:
        """How many families have not completed what was sent back, and the last moment at which one still may."""
        return participants.returned(self.session, self.round, now=now)

    @cached_property
    def _undecided(self) -> list[uuid.UUID]:
        return duplicate_waivers.open_pairs(self.session, self.round)

    @property
    def undecided_pairs(self) -> int:
        """The number of possible duplicates that nobody has decided."""
        return len(self._undecided)

    @cached_property
    def waiver(self) -> DuplicateWaiver | None:
        """The waiver that lets exactly these be frozen once two people signed it."""
        found = self._undecided
        return duplicate_waivers.of_pairs(self.session, self.round.id, found) if found else None

    @cached_property
    def closing(self) -> list[str]:
        """The kindergartens of the round that close before its children begin: a market has no place there."""
        found = (
            select(Kindergarten.name, Kindergarten.sort_key)
            .join(Programme, Programme.kindergarten_id == Kindergarten.id)
            .join(RoundProgramme, RoundProgramme.programme_id == Programme.id)
            .where(RoundProgramme.round_id == self.round.id, ~admits_in(self.round.year))
            .order_by(Kindergarten.sort_key)
            .distinct()
        )
        return list(self.session.scalars(found))

    @cached_property
    def tickets(self) -> int:
        """How many tickets the season has given: they are numbered from one, without gaps."""
        return _count(self.session, select(func.max(Ticket.number)).where(Ticket.year == self.round.year))

    @cached_property
    def unanswered(self) -> int:
        """How many families have not answered their offer of this round: what the database keeps of the year while no other
        round made offers; else counted, when few offers of earlier rounds are still open."""
        year, others = self.round.year, select(Round.id).where(Round.id != self.round.id)
        published = others.where(Round.year == self.round.year, Round.stage == RoundStage.PUBLISHED)
        if self.session.scalar(published.limit(1)) is None:
            return tally.read(self.session, [year]).total(Subject.OFFER, (OfferState.OFFERED,), year)
        open_offers = select(func.count()).select_from(Offer)
        return _count(
            self.session, open_offers.where(Offer.round_id == self.round.id, Offer.state == OfferState.OFFERED)
        )

    @cached_property
    def answer_by(self) -> dt.datetime:
        """The deadline of the last family: the round's date, or a later one after a replay or a late reminder."""
        return _answer_by(self.session, self.round)

    @property
    def at_work(self) -> bool:
        return self.doing is not None and self.doing.going_on

    @property
    def broke_off(self) -> JobStatus | None:
        """The last job, if it was refused or failed and its step still has to be done."""
        doing = self.doing
        if doing is None or not doing.came_to_nothing:
            return None
        waits_for = {
            "freeze_round": STEPS[:-1],
            "enter_seed": ("seed",),
            "prepare_run": ("hour", "published"),
            "replay_round": ("published",),
        }
        run = next((run for run in self.runs if run.id == doing.run_id), None)
        still = self.step in waits_for[doing.kind] and (run is None or run.state == RunState.SIGNED)
        return doing if still else None

    @property
    def snapshot(self) -> Snapshot | None:
        """The current snapshot of the round."""
        of_replays = {run.snapshot_id for run in self.runs if run.replays}
        standing = (s for s in self.snapshots if s.replaced_at is None and s.id not in of_replays)
        return next(standing, None)

    @property
    def is_outdated(self) -> bool:
        """Whether a correction changed what the frozen list holds, so that it must be frozen again."""
        before_publication = self.round.stage in (RoundStage.FROZEN, RoundStage.DRAWN)
        return before_publication and self.snapshot is not None and self.snapshot.outdated_at is not None

    @property
    def in_progress(self) -> Run | None:
        return next((run for run in self.runs if run.state in (RunState.WAITING, RunState.RUNNING)), None)

    @property
    def to_sign(self) -> Run | None:
        """The newest checked run whose snapshot was not replaced; None while another one waits for its hour."""
        if self.signed:
            return None
        replaced = {each.id for each in self.snapshots if each.replaced_at is not None}
        return next(
            (run for run in self.runs if run.state == RunState.CHECKED and run.snapshot_id not in replaced), None
        )

    @property
    def signed(self) -> Run | None:
        """The run that two people signed and that waits for its hour."""
        return next((run for run in self.runs if run.state == RunState.SIGNED), None)

    @property
    def published(self) -> Run | None:
        return next((run for run in self.runs if run.state == RunState.PUBLISHED), None)

    @property
    def step(self) -> str:
        """The step that has to be done next, a code of `STEPS`."""
        if self.round.stage in (RoundStage.PLANNED, RoundStage.OPEN, RoundStage.CLOSED):
            return "review" if self.round.stage != RoundStage.CLOSED or self.is_under_review else "freeze"
        if self.is_outdated:
            return "review" if self.is_under_review else "freeze"
        if self.round.stage == RoundStage.FROZEN:
            return "seed"
        if self.round.stage == RoundStage.DRAWN:
            return "hour" if self.signed else "sign" if self.to_sign else "run"
        return "published"


def of_round(session: Session, round_id: uuid.UUID) -> DrawRoom:
    """NotFound for a round that does not exist."""
    signed = hours.signed_run(session, round_id)
    round_ = round_rows.get_round(session, round_id)
    snapshots = session.scalars(
        select(Snapshot).where(Snapshot.round_id == round_id).order_by(Snapshot.number.desc())
    ).all()
    return DrawRoom(
        session=session,
        round=round_,
        waivers=tuple(duplicate_waivers.approved_of(session, round_id)),
        snapshots=tuple(snapshots),
        draw=draw_of(session, round_),
        runs=tuple(runs.of_round(session, round_id)),
        approvals=len(replay.approvals(session, round_id)),
        doing=draw_jobs.of_round(session, round_),
        hour=hours.hour_of(session, round_),
        publication=hours.publication_of(session, signed.id) if signed else None,
    )


def draw_of(session: Session, round_: Round) -> Draw | None:
    """The draw that was made for this round, else the first one of the season, whose tickets the round uses."""
    own = (
        select(Draw)
        .join(Snapshot, Snapshot.id == Draw.snapshot_id)
        .where(Snapshot.round_id == round_.id)
        .order_by(Draw.number.desc())
        .limit(1)
    )
    first = select(Draw).where(Draw.year == round_.year, Draw.number == 1)
    return session.scalars(own).first() or session.scalars(first).first()


def _answer_by(session: Session, round_: Round) -> dt.datetime:
    last = session.scalar(
        select(func.max(Offer.answer_by)).where(Offer.round_id == round_.id, Offer.state == OfferState.OFFERED)
    )
    return max(last or round_.confirm_by, round_.confirm_by)


def _count(session: Session, query) -> int:
    return session.scalar(query) or 0
