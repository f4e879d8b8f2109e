"""Plans: a city official asks, adds locks, has the plan searched for, may stop it; two of them sign it.

A plan changes no place and no target.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from allocation.planning.conflict import Promise
from allocation.planning.problem import Lock
from enrollment.ground import audit, jobs, signatures
from enrollment.ground.accounts import CITY, Actor, Role
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.jobs import Job, JobState
from enrollment.planning import problem_reader
from enrollment.planning.plan_rows import MeasurePlan, PlanState
from enrollment.planning.question import ENDING, Question

KIND = "search_plan"


def all_plans(session: Session) -> Sequence[MeasurePlan]:
    """Every plan, the newest first, with what was found."""
    found = select(MeasurePlan).options(undefer(MeasurePlan.result))
    return session.scalars(found.order_by(MeasurePlan.made_at.desc(), MeasurePlan.id)).all()


def get(session: Session, plan_id: uuid.UUID) -> MeasurePlan:
    """A plan with its numbers.  Raises NotFound."""
    both = [undefer(MeasurePlan.basis), undefer(MeasurePlan.result)]
    found = session.get(MeasurePlan, plan_id, options=both, populate_existing=True)
    if found is None:
        raise NotFound(plan_id)
    return found


def create(
    session: Session,
    name: str,
    question: Question,
    *,
    locks_of: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> MeasurePlan:
    """A new plan, with the locks of another one if it is asked as "what if".

    Refuses `only_the_city`, `plan_name_missing` and what the question refuses.
    """
    _require_city(by)
    if not name.strip():
        raise Refused("plan_name_missing", "name")
    question = question.checked(problem_reader.first_september(session, now))
    locks = dict(get(session, locks_of).locks) if locks_of is not None else {}
    made = MeasurePlan(name=name.strip(), question=question.to_json(), locks=locks, made_by=by.account_id, made_at=now)
    session.add(made)
    session.flush()
    audit.record(session, "make_plan", "measure_plan", made.id, by=by, now=now, name=made.name)
    return made


def ask_without(
    session: Session, plan_id: uuid.UUID, promise: Promise, name: str, *, by: Actor, now: dt.datetime
) -> MeasurePlan:
    """Ask for a plan without one promise of a conflict, beside the one that promised it.  Refuses `plan_promise_kept` for a
    promise that is not named, that cannot be given up, or whose price is not known yet, and what `create` refuses."""
    _require_city(by)
    source = get(session, plan_id)
    conflict = (source.result or {}).get("conflict") or {"promises": []}
    told = next((each for each in conflict["promises"] if each["promise"] == promise), None)
    question = relaxed(Question.from_json(source.question), promise, told or {})
    if question is None:
        raise Refused("plan_promise_kept")
    made = create(session, name, question, locks_of=None if promise == Promise.LOCKS else source.id, by=by, now=now)
    made.relaxed_from, made.relaxed = source.id, promise
    request(session, made.id, version=made.version, by=by, now=now)
    return made


def relaxed(question: Question, promise: Promise, told: dict[str, Any]) -> Question | None:
    """The question without a promise; `told` is what a search found out about a plan without it.  None where there is none.

    A target and the cap become what that plan reaches and needs, so that the new question still says what it asks.  That
    every child has a place is never given up.
    """
    if not told.get("possible"):
        return None
    if promise == Promise.BUDGET:
        return replace(question, budget=None)
    if promise == Promise.LOCKS:
        return question
    if promise == Promise.MOST:
        return replace(question, most={ENDING: told["ended"]})
    if promise == Promise.PUBLIC:
        return replace(question, public=max(min(told["public"], question.public), 1))
    if promise == Promise.COVERED:
        return replace(question, covered=max(min(told["covered"], question.covered), question.public))
    return None


def lock(
    session: Session, plan_id: uuid.UUID, locks: dict[str, Lock], *, version: int, by: Actor, now: dt.datetime
) -> None:
    """Decide about measures by code; the plan is then a draft.  Refuses `plan_is_running` and `plan_is_signed`."""
    plan = _idle(session, plan_id, version, by)
    changed = dict(plan.locks)
    for code, decided in locks.items():
        changed.pop(code, None)
        if decided != Lock.FREE:
            changed[code] = decided
    plan.locks = changed
    plan.state, plan.version = PlanState.DRAFT, plan.version + 1
    plan.proposed_by = plan.proposed_at = None
    session.flush()
    audit.record(session, "lock_measures", "measure_plan", plan.id, by=by, now=now, number=len(changed))


def request(session: Session, plan_id: uuid.UUID, *, version: int, by: Actor, now: dt.datetime) -> None:
    """Ask for the search in the background.  Refuses as `lock`."""
    plan = _idle(session, plan_id, version, by)
    plan.state, plan.version = PlanState.RUNNING, plan.version + 1
    plan.proposed_by = plan.proposed_at = None
    plan.job_id = jobs.enqueue(session, KIND, {"plan": str(plan.id)}, now=now)
    session.flush()
    audit.record(session, "ask_search_plan", "measure_plan", plan.id, by=by, now=now)


def stop(session: Session, plan_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> bool:
    """Stop the search; the best plan so far is kept.  False, without effect, if it had ended."""
    _require_city(by)
    plan = get(session, plan_id)
    if plan.state != PlanState.RUNNING:
        return False
    plan.state, plan.version = PlanState.STOPPED, plan.version + 1
    session.flush()
    audit.record(session, "stop_plan", "measure_plan", plan.id, by=by, now=now)
    return True


def propose(session: Session, plan_id: uuid.UUID, *, version: int, by: Actor, now: dt.datetime) -> None:
    """Propose a plan for the second signature; a new proposal ends the earlier one.  Refuses `plan_not_ready` and as `lock`."""
    plan = _idle(session, plan_id, version, by)
    if plan.state not in (PlanState.DONE, PlanState.STOPPED) or not (plan.result or {}).get("checked"):
        raise Refused("plan_not_ready")
    plan.proposed_by, plan.proposed_at, plan.version = by.account_id, now, plan.version + 1
    session.flush()
    audit.record(session, "propose_measure_plan", "measure_plan", plan.id, by=by, now=now, name=plan.name)


def sign(session: Session, plan_id: uuid.UUID, *, version: int, by: Actor, now: dt.datetime) -> None:
    """Sign a proposed plan as the second person; nothing of it changes afterwards.

    Refuses `plan_not_proposed`, `plan_second_person`, `first_person_left` and as `lock`.
    """
    plan = _idle(session, plan_id, version, by)
    if plan.proposed_by is None:
        raise Refused("plan_not_proposed")
    if plan.proposed_by == by.account_id:
        raise Refused("plan_second_person")
    signatures.require_first_person(session, plan.proposed_by, CITY)
    plan.signed_by, plan.signed_at, plan.version = by.account_id, now, plan.version + 1
    session.flush()
    audit.record(session, "sign_measure_plan", "measure_plan", plan.id, by=by, now=now, name=plan.name)


def waits_for_second(session: Session, plan: MeasurePlan) -> bool:
    """Whether a proposal can be signed: whoever made it still has the role; otherwise it is proposed anew."""
    return plan.proposed_by is not None and signatures.can_answer(session, plan.proposed_by, CITY)


def job_of(session: Session, plan: MeasurePlan) -> Job | None:
    """The newest job of the plan."""
    return session.get(Job, plan.job_id, populate_existing=True) if plan.job_id else None


def is_running(session: Session, plan: MeasurePlan) -> bool:
    """Whether a worker searches or is about to; not when its job has failed."""
    job = job_of(session, plan)
    return plan.state == PlanState.RUNNING and job is not None and job.state != JobState.FAILED


def _require_city(by: Actor) -> None:
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")


def _idle(session: Session, plan_id: uuid.UUID, version: int, by: Actor) -> MeasurePlan:
    _require_city(by)
    plan = session.get(
        MeasurePlan, plan_id, with_for_update=True, populate_existing=True, options=[undefer(MeasurePlan.result)]
    )
    if plan is None:
        raise NotFound(plan_id)
    if plan.signed_at is not None:
        raise Refused("plan_is_signed")
    if is_running(session, plan):
        raise Refused("plan_is_running")
    if plan.version != version:
        raise Stale
    return plan
