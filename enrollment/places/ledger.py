"""The places ledger: every change of a number with its reason and author.

Staff propose numbers and the area approves them.  The approved numbers are valid until then, so a proposal does not
change an open round.
"""

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import class_plan, programmes, scope
from enrollment.places.approvals import papers
from enrollment.places.approvals.papers import Approval
from enrollment.places.areas import CLASS_NORM
from enrollment.places.class_plan import NUMBERS, LevelPlan
from enrollment.places.ledger_rows import (
    REASON_APPROVED,
    REASON_CLASS_LOSS,
    REASON_FROM_ROLL,
    REASON_IMPORTED,
    LedgerEntry,
    PlanProposal,
    add_entry,
)
from enrollment.places.programmes import Programme, ProgrammeState

__all__ = [
    "REASON_APPROVED",
    "REASON_CLASS_LOSS",
    "REASON_FROM_ROLL",
    "REASON_IMPORTED",
    "LedgerEntry",
    "PlanProposal",
    "add_entry",
]


NO_PROGRAMME = 0
"""The version of a page whose level had no programme."""


def propose(
    session: Session,
    programme_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
    version: int | None = None,
    seen: uuid.UUID | None = None,
    approval: Approval | None = None,
    **numbers: int,
) -> PlanProposal:
    """Propose numbers to the area.  A newer proposal replaces an open one, which stays in the history.

    `approval` is what the numbers rest on.  `version` and `seen` are the programme's version and the open proposal of the page: Stale if another proposal was made
    since.  The plan of the kindergarten must be valid together with its other proposals.
    """
    programme = lock_programme(session, programme_id, by=by, version=version)
    earlier = open_proposal(session, programme.id)
    if version is not None and seen != (earlier.id if earlier else None):
        raise Stale(programme=str(programme.id))
    wanted = _changed_plan(programme, numbers)
    beside = _plans(session, programme) | {p.programme.level: p.plan for p in _other_open_proposals(session, programme)}
    class_plan.check_kindergarten(beside | {programme.level: wanted}, _licensed(programme))
    if earlier:
        _decide(earlier, "replaced", by=by, now=now)
        session.flush()
    proposal = PlanProposal(
        programme_id=programme.id,
        numbers=_as_numbers(wanted),
        reason=require_reason(reason),
        paper=papers.keep(session, programme.kindergarten_id, approval, by=by, now=now),
        made_by=by.account_id,
        made_at=now,
    )
    session.add(proposal)
    if programme.state == ProgrammeState.DRAFT:
        _change_state(session, programme, ProgrammeState.PROPOSED, by=by, now=now, reason=proposal.reason)
    audit.record(session, "propose_plan", "programme", programme.id, by=by, now=now, **proposal.numbers)
    session.flush()
    return proposal


def propose_level(
    session: Session,
    kindergarten_id: uuid.UUID,
    level: str,
    year: int,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
    version: int | None = None,
    seen: uuid.UUID | None = None,
    approval: Approval | None = None,
    **numbers: int,
) -> PlanProposal:
    """The same for a level that may have no programme yet: the page then says `NO_PROGRAMME` as its version, and somebody
    else's first proposal makes it stale."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    if level not in CLASS_NORM:
        raise NotFound
    if version == NO_PROGRAMME:
        there = programmes.find(session, kindergarten.id, level, year)
        if there is not None:
            raise Stale(programme=str(there.id))
        version = None
    programme = programmes.ensure(session, kindergarten.id, level, year)
    return propose(
        session, programme.id, by=by, now=now, reason=reason, version=version, seen=seen, approval=approval, **numbers
    )


def require_seen(session: Session, kindergarten_id: uuid.UUID, year: int, seen: Collection[uuid.UUID]) -> None:
    """Raises Stale unless the open proposals of the kindergarten's year are exactly those that the page showed.

    The caller holds the lock of the kindergarten, under which a proposal is made and decided.
    """
    found = (
        select(PlanProposal.id)
        .join(PlanProposal.programme)
        .where(Programme.kindergarten_id == kindergarten_id, Programme.year == year, PlanProposal.decision.is_(None))
    )
    if set(session.scalars(found)) != set(seen):
        raise Stale(kindergarten=str(kindergarten_id))


def approve_kindergarten(
    session: Session,
    kindergarten_id: uuid.UUID,
    year: int,
    *,
    by: Actor,
    now: dt.datetime,
    seen: Collection[uuid.UUID] | None = None,
) -> int:
    """Approve the whole plan of a kindergarten, so that classes may move between levels; return the number of levels.

    `seen` are the open proposals of the page: Stale if others are open now, which nobody has read.
    """
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    if not scope.may_decide(by, kindergarten):
        raise NotFound
    if seen is not None:
        require_seen(session, kindergarten.id, year, seen)
    rows = _programmes_of(session, kindergarten.id, year)
    proposals = {row.id: open_proposal(session, row.id) for row in rows}
    plans = {row.level: (proposals[row.id] or row) for row in rows}
    class_plan.check_kindergarten(
        {level: row.plan if isinstance(row, PlanProposal) else class_plan.plan_of(row) for level, row in plans.items()},
        kindergarten.licensed_classes,
    )
    waiting = [row for row in rows if proposals[row.id] or row.state == ProgrammeState.PROPOSED]
    for row in waiting:
        _approve_locked(session, row, proposals[row.id], by=by, now=now)
    session.flush()
    return len(waiting)


def send_back(session: Session, programme_id: uuid.UUID, *, by: Actor, now: dt.datetime, remark: str) -> PlanProposal:
    """Reject the open proposal with a remark; the earlier numbers stay valid."""
    programme = lock_programme(session, programme_id, by=by)
    _require_decider(by, programme)
    proposal = open_proposal(session, programme.id)
    if proposal is None:
        raise Refused("nothing_proposed")
    _decide(proposal, "sent_back", by=by, now=now, remark=require_reason(remark, field="remark"))
    if programme.state == ProgrammeState.PROPOSED:
        _change_state(session, programme, ProgrammeState.DRAFT, by=by, now=now, reason=remark)
    audit.record(session, "send_back_plan", "programme", programme.id, by=by, now=now, reason=remark)
    session.flush()
    return proposal


def set_aside(session: Session, programme: Programme, *, by: Actor, now: dt.datetime, remark: str) -> None:
    """End an open proposal whose numbers are older than those that were written now: approved, it would undo them."""
    proposal = open_proposal(session, programme.id)
    if proposal is not None:
        _decide(proposal, "replaced", by=by, now=now, remark=remark)
        audit.record(session, "set_plan_aside", "programme", programme.id, by=by, now=now)
        session.flush()


def open_proposal(session: Session, programme_id: uuid.UUID) -> PlanProposal | None:
    found = select(PlanProposal).where(PlanProposal.programme_id == programme_id, PlanProposal.decision.is_(None))
    return session.scalars(found).one_or_none()


def lock_programme(session: Session, programme_id: uuid.UUID, *, by: Actor, version: int | None = None) -> Programme:
    """The programme within the actor's scope, locked together with its kindergarten, so that sums over levels stay valid."""
    owner = session.scalar(select(Programme.kindergarten_id).where(Programme.id == programme_id))
    if owner is None:
        raise NotFound
    scope.kindergarten_in_scope(session, owner, by=by, lock=True)
    found = select(Programme).where(Programme.id == programme_id).with_for_update(of=Programme)
    programme = session.scalars(found.execution_options(populate_existing=True)).one()
    if version is not None and version != programme.version:
        raise Stale(programme=str(programme.id))
    return programme


def _require_decider(by: Actor, programme: Programme) -> None:
    if not scope.may_decide(by, programme.kindergarten):
        raise NotFound


def require_reason(reason: str, field: str = "reason") -> str:
    if not reason.strip():
        raise Refused("reason_missing", field=field)
    return reason.strip()


def _licensed(programme: Programme) -> int | None:
    return programme.kindergarten.licensed_classes


def _as_numbers(plan: LevelPlan) -> dict[str, int]:
    return {number: getattr(plan, number) for number in NUMBERS}


def _changed_plan(programme: Programme, numbers: dict[str, int]) -> LevelPlan:
    unknown = set(numbers) - set(NUMBERS)
    if unknown:
        raise TypeError(f"not numbers of a class plan: {sorted(unknown)}")
    wanted = LevelPlan(**(_as_numbers(class_plan.plan_of(programme)) | numbers))
    class_plan.check_level(programme.level, wanted)
    _check_commitments(programme, wanted)
    return wanted


def _check_commitments(programme: Programme, wanted: LevelPlan) -> None:
    """Refuse fewer places than families hold or pools reserve."""
    least = max(programme.taken - programme.overhang, 0)
    if wanted.places < least:
        raise Refused("places_below_taken", field="planned_classes", taken=least, places=wanted.places)
    reserved = sum(pool.places for pool in programme.pools)
    if wanted.places < reserved:
        raise Refused("places_below_pools", field="planned_classes", reserved=reserved, places=wanted.places)


def _programmes_of(session: Session, kindergarten_id: uuid.UUID, year: int) -> list[Programme]:
    found = select(Programme).where(Programme.kindergarten_id == kindergarten_id, Programme.year == year)
    held = found.order_by(Programme.id).with_for_update(of=Programme)
    return list(session.scalars(held.execution_options(populate_existing=True)))


def _plans(session: Session, programme: Programme) -> dict[str, LevelPlan]:
    rows = _programmes_of(session, programme.kindergarten_id, programme.year)
    return {row.level: class_plan.plan_of(row) for row in rows}


def _other_open_proposals(session: Session, programme: Programme) -> list[PlanProposal]:
    found = (
        select(PlanProposal)
        .join(PlanProposal.programme)
        .where(
            Programme.kindergarten_id == programme.kindergarten_id,
            Programme.year == programme.year,
            PlanProposal.decision.is_(None),
            Programme.id != programme.id,
        )
    )
    return list(session.scalars(found))


def _approve_locked(
    session: Session, programme: Programme, proposal: PlanProposal | None, *, by: Actor, now: dt.datetime
) -> None:
    reason = proposal.reason if proposal else REASON_APPROVED
    if proposal:
        _check_commitments(programme, proposal.plan)
        paper_id = proposal.paper_id
        _write_numbers(
            session, programme, proposal.plan, account_id=proposal.made_by, now=now, reason=reason, paper_id=paper_id
        )
        _decide(proposal, "approved", by=by, now=now)
    if programme.state != ProgrammeState.APPROVED:
        _change_state(session, programme, ProgrammeState.APPROVED, by=by, now=now, reason=reason)
    audit.record(session, "approve_plan", "programme", programme.id, by=by, now=now, places=programme.places)


def _write_numbers(
    session: Session,
    programme: Programme,
    wanted: LevelPlan,
    *,
    account_id: uuid.UUID | None,
    now: dt.datetime,
    reason: str,
    paper_id: uuid.UUID | None,
) -> None:
    for field in (*NUMBERS, "places"):
        before, after = getattr(programme, field), getattr(wanted, field)
        if before != after:
            add_entry(
                session, programme, field, before, after,
                account_id=account_id, now=now, reason=reason, paper_id=paper_id,
            )  # fmt: skip
            setattr(programme, field, after)
    programme.version += 1


def _change_state(
    session: Session, programme: Programme, state: str, *, by: Actor, now: dt.datetime, reason: str
) -> None:
    add_entry(session, programme, "state", programme.state, state, account_id=by.account_id, now=now, reason=reason)
    programme.state = state
    programme.version += 1


def _decide(proposal: PlanProposal, decision: str, *, by: Actor, now: dt.datetime, remark: str | None = None) -> None:
    proposal.decision, proposal.decided_by, proposal.decided_at, proposal.remark = (
        decision,
        by.account_id,
        now,
        remark,
    )
