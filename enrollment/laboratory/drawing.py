"""Drawing a study: read once, draw outside any transaction, save each variant when it is ready."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from enrollment.laboratory import experiment, family_reader, studies
from enrollment.laboratory.experiment import Moved, VariantResult
from enrollment.laboratory.families import Families
from enrollment.laboratory.study_rows import LaboratoryVariant, StudyState
from enrollment.laboratory.variants import Variant
from enrollment.places.areas import NATURES
from enrollment.season import policy_approval
from enrollment.season.small_cells import FEWEST


class Stopped(Exception):
    """An official stopped the study."""


@dataclass(frozen=True)
class Task:
    """What is drawn: the families, and the variants with the ids of their rows."""

    study_id: uuid.UUID
    families: Families
    variants: tuple[tuple[uuid.UUID, Variant], ...]
    draws: int
    seed: int

    @property
    def steps(self) -> int:
        """The number of all draws."""
        return sum(experiment.steps_of(variant, self.draws) for _id, variant in self.variants)


def read(session: Session, study_id: uuid.UUID, *, now: dt.datetime) -> Task | None:
    """None if the study was stopped.  Refuses as `family_reader.read`."""
    study = studies.get(session, study_id)
    if study.state != StudyState.RUNNING:
        return None
    listed = tuple((each.id, Variant.from_json(each.variant)) for each in study.variants)
    versions = {variant.policy for _id, variant in listed if variant.policy}
    policies = {
        each: policy_approval.rules_of(policy_approval.get_policy(session, uuid.UUID(each))) for each in versions
    }
    families = family_reader.read(session, study.round_id, now=now, policies=policies)
    study.children, study.fitted = families.children, families.fitted
    return Task(study.id, families, listed, study.draws, study.seed)


def draw(task: Task, tell: Callable[[int, int], None]) -> Iterator[tuple[uuid.UUID, dict[str, Any]]]:
    """The result of each variant, one after the other.  `tell` gets the finished and all draws, and may raise to stop."""
    first: VariantResult | None = None
    before = 0
    for variant_id, variant in task.variants:
        tell_done = partial(_tell_after, tell, task.steps, before)
        found = experiment.run(task.families, variant, task.draws, task.seed, tell_done)
        before += experiment.steps_of(variant, task.draws)
        moved = experiment.compare(task.families, first, found) if first is not None else ([], [])
        first = first or found
        yield variant_id, _as_json(task.families, found, *moved)


def _tell_after(tell: Callable[[int, int], None], steps: int, before: int, done: int) -> None:
    tell(before + done, steps)


def save(session: Session, variant_id: uuid.UUID, result: dict[str, Any]) -> None:
    """Keep the result of a variant; not if the variant is gone."""
    row = session.get(LaboratoryVariant, variant_id)
    if row is not None:
        row.result = result


def raise_if_stopped(session: Session, study_id: uuid.UUID) -> None:
    """For the worker, between draws.  Raises Stopped."""
    if studies.get(session, study_id).state != StudyState.RUNNING:
        raise Stopped


def finish(session: Session, study_id: uuid.UUID, *, now: dt.datetime) -> None:
    """All variants are drawn."""
    study = studies.get(session, study_id)
    if study.state == StudyState.RUNNING:
        study.state, study.drawn_at = StudyState.DONE, now
        study.version += 1


def refuse(session: Session, study_id: uuid.UUID) -> None:
    """The families or a variant cannot be drawn; the result of the job says why."""
    study = studies.get(session, study_id)
    study.state = StudyState.REFUSED
    study.version += 1


def _as_json(families: Families, found: VariantResult, groups: list[Moved], areas: list[Moved]) -> dict[str, Any]:
    return {
        "draws": found.draws,
        "figures": {
            str(metric): None
            if one is None
            else [round(value, 4) for value in (one.mean, one.error, one.low, one.high)]
            for metric, one in found.figures.items()
        },
        "band": {
            str(metric): [None if value is None else round(value, 4) for value in values]
            for metric, values in found.band.items()
        },
        "left_over": round(found.left_over, 4),
        "groups": [_moved(one) for one in groups],
        "areas": [_moved(one) for one in areas],
        "shares": _shares(families, found),
    }


def _moved(one: Moved) -> list[Any]:
    """Averages over draws, as whole children."""
    return [one.group, one.children, *(None if n is None else round(n) for n in (one.better, one.worse))]


def _shares(families: Families, found: VariantResult) -> list[list[Any]]:
    """For each area with children: how many, and the public and the inclusive share after this intake in per cent."""
    total = found.placed + families.continuing
    public, inclusive = NATURES.index("public"), NATURES.index("inclusive")
    return [
        [
            area,
            round(float(row.sum())),
            round(100 * float(row[public] / row.sum()), 2),
            round(100 * float((row[public] + row[inclusive]) / row.sum()), 2),
        ]
        for area, row in zip(families.areas, total, strict=True)
        if row.sum() >= FEWEST
    ]
