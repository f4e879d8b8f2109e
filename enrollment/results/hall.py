"""What a hall sees of a draw on its screen: scenes of a round, from the commitment to the hour of the result.

A screen in a hall is read by everybody, so this module gives no child, and until the hour no number of children (DRW05):
of a run it knows the state, the checks and the digest, and its figures only once it is published.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from allocation import lottery
from allocation.checks import CHECKS
from allocation.draw_form import DrawForm
from enrollment.draw import draw_rooms, runs
from enrollment.draw.draw_rooms import DrawRoom
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.execution import STEPS
from enrollment.draw.publication import hours
from enrollment.draw.publication.hours import Announcement
from enrollment.draw.run_rows import Run, RunState
from enrollment.draw.seed import declared_forms, part_standings
from enrollment.draw.seed.part_standings import PartStanding, PartState
from enrollment.draw.seed.witness_rows import SeedPart
from enrollment.ground.jobs import Job
from enrollment.results import run_comparison
from enrollment.results.run_comparison import Compared
from enrollment.season.round_rows import Round


class Scene(StrEnum):
    """One address each, in the order of a draw."""

    COMMITMENT = "commitment"
    BEACON = "beacon"
    CEREMONY = "ceremony"
    SEED = "seed"
    CHECKS = "checks"
    SIGNATURES = "signatures"
    HOUR = "hour"


class Progress(StrEnum):
    DONE = "done"
    NOW = "now"
    TODO = "todo"
    FAULT = "fault"


_SCENE_OF_STEP = {
    "review": Scene.COMMITMENT,
    "freeze": Scene.COMMITMENT,
    "run": Scene.CHECKS,
    "sign": Scene.SIGNATURES,
    "hour": Scene.HOUR,
    "published": Scene.HOUR,
}


@dataclass(frozen=True)
class Line:
    """A step of the run, or one of its checks; `code` is of `run_step` or `run_check`."""

    code: str
    progress: Progress


@dataclass(frozen=True)
class Figures:
    """The result in four numbers, for after the hour."""

    placed: int
    first: int
    unplaced: int
    empty: int


@dataclass(frozen=True)
class Hall:
    """Everything that the scenes of a round show.

    `draw` is the round's own; None where it uses the tickets of an earlier one.  `seed` is computed here again from its
    parts, as soon as all of them are there; it is the one that the draw has, or will have.
    """

    round: Round
    scenes: tuple[Scene, ...]
    at: Scene
    snapshot: Snapshot | None
    draw: Draw | None
    form: DrawForm | None
    standings: Mapping[SeedPart, PartStanding]
    seed: str
    run_state: RunState | None
    run_digest: str
    steps: tuple[Line, ...]
    checks: tuple[Line, ...]
    compared: frozenset[Compared]
    signatures: Sequence[tuple[str, dt.datetime]]
    announcement: Announcement
    figures: Figures | None

    def progress_of(self, scene: Scene) -> Progress:
        order = self.scenes.index
        if self.figures is not None or order(scene) < order(self.at):
            return Progress.DONE
        return Progress.NOW if scene == self.at else Progress.TODO

    def beside(self, scene: Scene, step: int) -> Scene | None:
        """The scene before (-1) or after (1) this one."""
        at = self.scenes.index(scene) + step
        return self.scenes[at] if 0 <= at < len(self.scenes) else None


def of_round(session: Session, round_: Round, *, now: dt.datetime) -> Hall:
    room = draw_rooms.of_round(session, round_.id)
    draw = room.draw if room.draw is not None and _is_of(session, room.draw, round_) else None
    form = _form(session, room, draw)
    standings = part_standings.of_draw(session, draw, now=now) if draw is not None else ()
    run = _run(room)
    is_public = run is not None and run.published_at is not None
    return Hall(
        round=round_,
        scenes=_scenes(draw, form),
        at=_at(room, standings),
        snapshot=room.snapshot,
        draw=draw,
        form=form,
        standings={each.part: each for each in standings},
        seed=_seed(draw, standings),
        run_state=RunState(run.state) if run is not None else None,
        run_digest=(run.digest or "") if run is not None else "",
        steps=_steps(session, run),
        checks=_checks(run),
        compared=run_comparison.compared_with(session, run) if run is not None and run.summary else frozenset(),
        signatures=runs.signers(session, run) if run is not None else (),
        announcement=hours.announcement(session, round_, now=now),
        figures=_figures(run) if run is not None and is_public else None,
    )


def _is_of(session: Session, draw: Draw, round_: Round) -> bool:
    return session.get_one(Snapshot, draw.snapshot_id).round_id == round_.id


def _form(session: Session, room: DrawRoom, draw: Draw | None) -> DrawForm | None:
    """The form that the commitment fixed; before it the declared one, and none for a round without a draw of its own."""
    if draw is not None:
        return declared_forms.of_draw(draw) if draw.draw_form else None
    declared = declared_forms.newest(session, room.round.id) if room.draw is None else None
    return declared_forms.parse(declared.form) if declared is not None else None


def _scenes(draw: Draw | None, form: DrawForm | None) -> tuple[Scene, ...]:
    parts = form.parts if form is not None else {}
    left_out = {Scene(part) for part in SeedPart if part not in parts}
    if draw is None and form is None:
        left_out.add(Scene.SEED)
    return tuple(scene for scene in Scene if scene not in left_out)


def _at(room: DrawRoom, standings: Sequence[PartStanding]) -> Scene:
    """The scene of what has to be done next."""
    if room.step != "seed":
        return _SCENE_OF_STEP[room.step]
    waits = {each.part for each in standings if each.state != PartState.AGREED}
    return next((Scene(part) for part in (SeedPart.BEACON, SeedPart.CEREMONY) if part in waits), Scene.SEED)


def _seed(draw: Draw | None, standings: Sequence[PartStanding]) -> str:
    if draw is None:
        return ""
    if draw.draw_form is None or not standings or any(each.state != PartState.AGREED for each in standings):
        return draw.seed or ""
    values = {each.part: each.value for each in standings}
    form = declared_forms.of_draw(draw)
    beacon, ceremony = values.get(SeedPart.BEACON, ""), values.get(SeedPart.CEREMONY, "")
    return lottery.seed_bytes_2(draw.commitment, form, beacon, ceremony).hex()


def _run(room: DrawRoom) -> Run | None:
    """The run of the hall: the published one, else the newest that nobody set aside.  Replays have no hall."""
    own = [run for run in room.runs if run.replays is None]
    public = (run for run in own if run.published_at is not None)
    of_list = room.snapshot.id if room.snapshot is not None else None
    newest = (run for run in own if run.state != RunState.SET_ASIDE and run.snapshot_id == of_list)
    return next(public, None) or next(newest, None)


def _steps(session: Session, run: Run | None) -> tuple[Line, ...]:
    if run is None:
        return tuple(Line(step, Progress.TODO) for step in STEPS)
    if run.state == RunState.FAILED:
        checking = STEPS.index("checking")
        told = [Progress.DONE] * checking + [Progress.FAULT] + [Progress.TODO] * (len(STEPS) - checking - 1)
        return tuple(map(Line, STEPS, told))
    if run.state not in (RunState.WAITING, RunState.RUNNING):
        return tuple(Line(step, Progress.DONE) for step in STEPS)
    job = session.get(Job, run.job_id, populate_existing=True) if run.job_id else None
    at = STEPS.index(job.step) if job is not None and job.step in STEPS else 0
    return tuple(Line(step, _beside(number, at)) for number, step in enumerate(STEPS))


def _beside(number: int, at: int) -> Progress:
    return Progress.DONE if number < at else Progress.NOW if number == at else Progress.TODO


def _checks(run: Run | None) -> tuple[Line, ...]:
    """The checks; a run that failed keeps which of them found something, without what it found."""
    if run is None or run.state in (RunState.WAITING, RunState.RUNNING):
        return tuple(Line(code, Progress.TODO) for code in CHECKS)
    if run.state == RunState.FAILED:
        faulty = {line.partition(":")[0] for line in (run.error or "").splitlines()}
        return tuple(Line(code, Progress.FAULT if code in faulty else Progress.TODO) for code in CHECKS)
    found = (run.summary or {}).get("checks", {})
    return tuple(
        Line(code, Progress.DONE if found[code] == "passed" else Progress.FAULT) for code in CHECKS if code in found
    )


def _figures(run: Run) -> Figures | None:
    told = run.summary
    if not told:
        return None
    by_rank = told.get("by_rank") or {}
    placed = int(told["placed"])
    empty = int(told["places"]) + int(told.get("overhang", 0)) - placed
    return Figures(placed, int(by_rank.get("1", 0)), int(told["unplaced"]), empty)
