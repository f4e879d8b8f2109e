"""Studies: a city official names one, adds variants, asks for it to be drawn, and may stop it; everybody of the desk reads.

A study changes no rule and no result.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.jobs import Job, JobState
from enrollment.laboratory.study_rows import LaboratoryStudy, LaboratoryVariant, StudyState
from enrollment.laboratory.variants import AS_DECLARED, Method, Reserve, Variant
from enrollment.season.round_rows import Round, RoundKind, RoundStage, get_round

KIND = "draw_laboratory"
FEWEST_DRAWS, USUAL_DRAWS, MOST_DRAWS = 30, 50, 1000
MOST_VARIANTS = 20


class Comparison(StrEnum):
    """What a new study begins with."""

    ONE_WISH = "one_wish"
    """Two phases of one wish against three, five and any number of ranked wishes."""

    RESERVES = "reserves"
    """The plan's reserved places against none, and half for the service area, tried first or last."""


STARTS: dict[Comparison, tuple[tuple[str, Variant], ...]] = {
    Comparison.ONE_WISH: (
        ("one_wish", Variant("", Method.ONE_WISH, phases=2)),
        ("ranked_3", Variant("", wishes=3)),
        ("ranked_5", Variant("", wishes=5)),
        ("ranked_all", Variant("", wishes=0)),
    ),
    Comparison.RESERVES: (
        ("as_now", AS_DECLARED),
        ("no_reserve", Variant("", reserve=Reserve.NONE)),
        ("reserve_first", Variant("", reserve=Reserve.FIRST)),
        ("reserve_last", Variant("", reserve=Reserve.LAST)),
    ),
}
"""For each comparison the variants: the code of the name, which the page words, and the values."""


def first_variants(comparison: Comparison, name_of: Callable[[str], str]) -> list[Variant]:
    """The variants of a comparison; `name_of` words the code of each."""
    return [replace(values, name=name_of(code)) for code, values in STARTS[comparison]]


def rounds_to_study(session: Session) -> list[Round]:
    """The main rounds in which families can hand in wishes or could, the newest first."""
    found = select(Round).where(Round.kind == RoundKind.MAIN, Round.stage != RoundStage.PLANNED)
    return list(session.scalars(found.order_by(Round.year.desc(), Round.number)))


def all_studies(session: Session) -> list[LaboratoryStudy]:
    """Every study, the newest first."""
    found = select(LaboratoryStudy).options(selectinload(LaboratoryStudy.variants))
    return list(session.scalars(found.order_by(LaboratoryStudy.made_at.desc(), LaboratoryStudy.id)))


def get(session: Session, study_id: uuid.UUID) -> LaboratoryStudy:
    """A study with its variants.  Raises NotFound."""
    found = session.get(LaboratoryStudy, study_id, populate_existing=True)
    if found is None:
        raise NotFound(study_id)
    return found


def create(
    session: Session,
    name: str,
    round_id: uuid.UUID,
    variants: list[Variant],
    *,
    draws: int = USUAL_DRAWS,
    by: Actor,
    now: dt.datetime,
) -> LaboratoryStudy:
    """A new study.  Refuses `only_the_city`, `study_name_missing`, `study_round`, `study_draws` and what a variant refuses."""
    _require_city(by)
    if not name.strip():
        raise Refused("study_name_missing", "name")
    round_ = get_round(session, round_id)
    if round_ not in rounds_to_study(session):
        raise Refused("study_round", "round_id")
    if not FEWEST_DRAWS <= draws <= MOST_DRAWS:
        raise Refused("study_draws", "draws", fewest=FEWEST_DRAWS, most=MOST_DRAWS)
    made = LaboratoryStudy(
        name=name.strip(), round_id=round_id, draws=draws, seed=round_.year, made_by=by.account_id, made_at=now
    )
    made.variants = [
        LaboratoryVariant(number=number, variant=variant.checked().to_json())
        for number, variant in enumerate(variants, 1)
    ]
    session.add(made)
    session.flush()
    audit.record(session, "make_study", "laboratory_study", made.id, by=by, now=now, name=made.name, draws=draws)
    return made


def add_variant(
    session: Session, study_id: uuid.UUID, variant: Variant, *, version: int, by: Actor, now: dt.datetime
) -> LaboratoryVariant:
    """Add a variant; the study is then a draft.  Refuses as `create`, `study_is_running` and `study_variants`."""
    study = _idle(session, study_id, version, by)
    if len(study.variants) >= MOST_VARIANTS:
        raise Refused("study_variants", most=MOST_VARIANTS)
    number = max((each.number for each in study.variants), default=0) + 1
    made = LaboratoryVariant(number=number, variant=variant.checked().to_json())
    study.variants.append(made)
    _mark_changed(session, study)
    audit.record(session, "add_study_variant", "laboratory_study", study.id, by=by, now=now, number=number)
    return made


def remove_variant(
    session: Session, study_id: uuid.UUID, number: int, *, version: int, by: Actor, now: dt.datetime
) -> None:
    """Remove a variant.  Refuses `study_first_variant`, with which the others are compared."""
    study = _idle(session, study_id, version, by)
    found = next((each for each in study.variants if each.number == number), None)
    if found is None:
        raise NotFound(number)
    if found is study.variants[0]:
        raise Refused("study_first_variant")
    study.variants.remove(found)
    _mark_changed(session, study)
    audit.record(session, "remove_study_variant", "laboratory_study", study.id, by=by, now=now, number=number)


def request(session: Session, study_id: uuid.UUID, *, version: int, by: Actor, now: dt.datetime) -> None:
    """Ask for the study to be drawn in the background; earlier results of its variants are replaced."""
    start(session, _idle(session, study_id, version, by), by=by, now=now)


def start(session: Session, study: LaboratoryStudy, *, by: Actor, now: dt.datetime) -> None:
    """Enqueue the drawing of a study that the caller may draw."""
    for each in study.variants:
        each.result = None
    study.state, study.version = StudyState.RUNNING, study.version + 1
    study.job_id = jobs.enqueue(session, KIND, {"study": str(study.id)}, now=now)
    session.flush()
    audit.record(session, "ask_draw_laboratory", "laboratory_study", study.id, by=by, now=now)


def stop(session: Session, study_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """Stop a study that is drawn; the variants that are ready keep their results.  False, without effect, if it had ended."""
    _require_city(by)
    study = get(session, study_id)
    if study.state != StudyState.RUNNING:
        return False
    study.state, study.version = StudyState.STOPPED, study.version + 1
    session.flush()
    audit.record(session, "stop_study", "laboratory_study", study.id, by=by, now=now)
    return True


def job_of(session: Session, study: LaboratoryStudy) -> Job | None:
    """The newest job of the study."""
    return session.get(Job, study.job_id, populate_existing=True) if study.job_id else None


def is_running(session: Session, study: LaboratoryStudy) -> bool:
    """Whether a worker draws the study or is about to; not when its job has failed."""
    job = job_of(session, study)
    return study.state == StudyState.RUNNING and job is not None and job.state != JobState.FAILED


def _require_city(by: Actor) -> None:
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")


def _idle(session: Session, study_id: uuid.UUID, version: int, by: Actor) -> LaboratoryStudy:
    _require_city(by)
    study = session.get(LaboratoryStudy, study_id, with_for_update=True, populate_existing=True)
    if study is None:
        raise NotFound(study_id)
    if is_running(session, study):
        raise Refused("study_is_running")
    if study.version != version:
        raise Stale
    return study


def _mark_changed(session: Session, study: LaboratoryStudy) -> None:
    """A study that changed is a draft again; what was drawn stays until it is drawn anew."""
    study.version += 1
    study.state = StudyState.DRAFT
    session.flush()
