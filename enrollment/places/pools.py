"""Reserved places 预留学位: how a programme's places are split between groups, in order of precedence."""

import datetime as dt
import uuid
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.places import ledger, scope
from enrollment.places.programmes import Pool, Programme

MOST_POOLS = 15


@dataclass(frozen=True)
class PoolPlan:
    """`groups` are codes of grounds that open the pool; `unclaimed` says whether what is left goes to everybody."""

    code: str
    name: str
    places: int
    groups: list[str] = field(default_factory=list)
    unclaimed: str = "open"

    @classmethod
    def of(cls, pool: Pool) -> "PoolPlan":
        return cls(pool.code, pool.name, pool.places, list(pool.groups), pool.unclaimed)


def set_pools(
    session: Session,
    programme_id: uuid.UUID,
    pools: list[PoolPlan],
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
    version: int | None = None,
) -> Programme:
    """Replace the pools of a programme; the first takes precedence.  The ledger notes every number that changed.

    Refuses `needs_approval`, `pools_exceed_places`, `pool_code_twice`, `pool_without_group` and a missing reason.
    """
    programme = ledger.lock_programme(session, programme_id, by=by, version=version)
    if programme.state == "approved" and not scope.may_decide(by, programme.kindergarten):
        raise Refused("needs_approval")
    _check(programme, pools)
    said = ledger.require_reason(reason)
    before = {pool.code: pool.places for pool in programme.pools}
    after = {pool.code: pool.places for pool in pools}
    for code in sorted(before.keys() | after.keys()):
        if before.get(code, 0) != after.get(code, 0):
            ledger.add_entry(
                session, programme, f"pool:{code}", before.get(code), after.get(code, 0),
                account_id=by.account_id, now=now, reason=said,
            )  # fmt: skip
    _replace(session, programme, pools)
    programme.version += 1
    audit.record(session, "set_pools", "programme", programme.id, by=by, now=now, reason=said, pools=after)
    session.flush()
    return programme


def _check(programme: Programme, pools: list[PoolPlan]) -> None:
    if len({pool.code for pool in pools}) < len(pools):
        raise Refused("pool_code_twice", field="pools")
    if len(pools) > MOST_POOLS or any(pool.places < 0 for pool in pools):
        raise Refused("number_negative", field="pools")
    if any(not pool.groups for pool in pools):
        raise Refused("pool_without_group", field="pools")
    reserved = sum(pool.places for pool in pools)
    if reserved > programme.places:
        raise Refused("pools_exceed_places", field="pools", reserved=reserved, places=programme.places)


def _replace(session: Session, programme: Programme, pools: list[PoolPlan]) -> None:
    """Rows keep their id while their code stays.  Precedences move out of the way first: they are unique."""
    kept = {pool.code: pool for pool in programme.pools}
    for code in set(kept) - {pool.code for pool in pools}:
        session.delete(kept.pop(code))
    session.flush()
    for spare, pool in enumerate(kept.values()):
        pool.precedence = 15 - spare
    session.flush()
    for precedence, plan in enumerate(pools):
        row = kept.get(plan.code)
        if row is None:
            row = Pool(programme_id=programme.id, code=plan.code, precedence=precedence)
            session.add(row)
        row.name, row.places, row.groups, row.unclaimed = plan.name, plan.places, list(plan.groups), plan.unclaimed
        row.precedence = precedence
    session.flush()
    session.refresh(programme, ["pools"])
