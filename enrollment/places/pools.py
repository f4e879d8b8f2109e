"""Reserved places 预留学位: how a programme's places are split between groups, in order of precedence.

What the pools leave over forms the pool `general`, which is for everybody and last in precedence.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import ledger, scope
from enrollment.places.programmes import Pool, Programme

MOST_POOLS = 15
LONGEST_NAME = 30
OPEN, LOCKED = "open", "locked"
UNCLAIMED = (OPEN, LOCKED)
"""What happens to places that no eligible child takes: others get them, or they stay empty."""

GENERAL = "general"


@dataclass(frozen=True)
class PoolPlan:
    """One pool as it is wanted.  `groups` are codes of grounds: a child with any of them is eligible."""

    code: str
    name: str
    places: int
    groups: list[str] = field(default_factory=list)
    unclaimed: str = OPEN

    @classmethod
    def of(cls, pool: Pool) -> "PoolPlan":
        return cls(pool.code, pool.name, pool.places, list(pool.groups), pool.unclaimed)

    def values(self, precedence: int) -> dict[str, str]:
        """What the ledger keeps of a pool beside its places, by the part of the pool."""
        return {
            "name": self.name,
            "groups": " ".join(sorted(self.groups)),
            "unclaimed": self.unclaimed,
            "precedence": str(precedence + 1),
        }


def fresh_code(groups: Iterable[str], taken: Collection[str]) -> str:
    """A code for a new pool, after the first ground that it is for; unlike those taken."""
    first = next(iter(groups), "pool")
    wanted = (first if number == 1 else f"{first}_{number}" for number in range(1, len(taken) + 2))
    return next(code for code in wanted if code not in taken)


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
    """Let the pools of a programme be exactly these; the first takes precedence.  The ledger notes what changed.

    Only who decides on the kindergarten's plan may do so (NotFound).  Stale when `version` is no longer the row's.
    Refuses `reason_missing`, `too_many_pools`, `pools_unchanged`, and on a field `pools-<index>-<part>`
    `pool_without_name`, `pool_name_too_long`, `pool_code_twice`, `number_negative`, `pool_without_group` and
    `pools_exceed_places`.
    """
    programme = ledger.lock_programme(session, programme_id, by=by, version=version)
    if not scope.may_decide(by, programme.kindergarten):
        raise NotFound
    _check(programme, pools)
    before = {pool.code: (PoolPlan.of(pool), number) for number, pool in enumerate(programme.pools)}
    after = {pool.code: (pool, number) for number, pool in enumerate(pools)}
    changes = list(_changes(before, after))
    if not changes:
        raise Refused("pools_unchanged")
    said = ledger.require_reason(reason)
    for name, was, becomes in changes:
        ledger.add_entry(session, programme, name, was, becomes, account_id=by.account_id, now=now, reason=said)
    _replace(session, programme, pools)
    programme.version += 1
    places = {pool.code: pool.places for pool in pools}
    audit.record(session, "set_pools", "programme", programme.id, by=by, now=now, reason=said, pools=places)
    session.flush()
    return programme


def _changes(
    before: Mapping[str, tuple[PoolPlan, int]], after: Mapping[str, tuple[PoolPlan, int]]
) -> Iterable[tuple[str, object, object]]:
    """(field, before, after) of each part of each pool that differs; a pool that goes is a pool with 0 places."""
    for code in sorted(before.keys() | after.keys()):
        old, new = before.get(code), after.get(code)
        was, becomes = (old[0].places if old else None), (new[0].places if new else 0)
        if old is None or was != becomes:
            yield f"pool:{code}", was, becomes
        if new is not None:
            parts = old[0].values(old[1]) if old else {}
            yield from (
                (f"pool:{code}:{part}", parts.get(part), value)
                for part, value in new[0].values(new[1]).items()
                if parts.get(part) != value
            )


def _check(programme: Programme, pools: list[PoolPlan]) -> None:
    if len(pools) > MOST_POOLS:
        raise Refused("too_many_pools", most=MOST_POOLS)
    names: set[str] = set()
    codes: set[str] = {GENERAL}
    reserved = 0
    for index, pool in enumerate(pools):
        reserved += pool.places
        _check_one(f"pools-{index}", pool)
        if pool.code in codes or pool.name.strip() in names:
            raise Refused("pool_code_twice", field=f"pools-{index}-name")
        codes.add(pool.code)
        names.add(pool.name.strip())
        if reserved > programme.places:
            total = sum(each.places for each in pools)
            field = f"pools-{index}-places"
            raise Refused("pools_exceed_places", field=field, reserved=total, places=programme.places)


def _check_one(field: str, pool: PoolPlan) -> None:
    if not pool.name.strip():
        raise Refused("pool_without_name", field=f"{field}-name")
    if len(pool.name.strip()) > LONGEST_NAME:
        raise Refused("pool_name_too_long", field=f"{field}-name", most=LONGEST_NAME)
    if pool.places < 0:
        raise Refused("number_negative", field=f"{field}-places")
    if not pool.groups:
        raise Refused("pool_without_group", field=f"{field}-groups")


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
