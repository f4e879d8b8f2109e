"""Reading an estimate: the stored cut-offs of a few programmes, in the arrays that the engine needs."""

import uuid
from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.arrays import readonly as frozen
from allocation.market import Market
from allocation.pools import PoolTable
from allocation.simulation import Draws, FamilyOdds, SupposedWish, family_odds
from enrollment.chances.estimate_market import GROUNDS
from enrollment.chances.estimate_rows import ChanceEstimate, ChanceLine, unpacked


class SimulatedLines:
    """The simulated cut-offs 录取线 (lines) of some programmes, as the engine's draws of a market with only these programmes.

    `number` is the number of each programme in that market; programmes outside the estimate have none.
    """

    def __init__(self, session: Session, estimate: ChanceEstimate, programme_ids: Sequence[uuid.UUID]):
        rows = session.scalars(
            select(ChanceLine)
            .join(ChanceEstimate, ChanceEstimate.round_id == ChanceLine.round_id)
            .where(
                ChanceLine.round_id == estimate.round_id,
                ChanceLine.programme_id.in_(programme_ids),
                ChanceEstimate.digest == estimate.digest,  # a newer estimate may have replaced it meanwhile
            )
        ).all()
        self.number = {row.programme_id: at for at, row in enumerate(rows)}
        lines = [unpacked(row.lines, estimate.draws) for row in rows]
        nothing = np.zeros(0, dtype=np.int32)
        self._draws = Draws(
            market=Market(
                offsets=np.zeros(estimate.children + 1, dtype=np.int64),
                programme=nothing,
                tier=nothing.astype(np.uint8),
                ticket=None,
                places=np.zeros(len(rows), dtype=np.int32),
                pools=_pools(rows),
            ),
            draws=estimate.draws,
            granted=nothing,
            lines=np.concatenate(lines, axis=1) if lines else np.zeros((estimate.draws, 0), dtype=np.uint64),
        )

    def odds(self, wishes: Sequence[SupposedWish], children: int = 1, bound: bool = True) -> FamilyOdds:
        """The odds of a family with these wishes.  Every call uses the same random tickets, so that two lists can be compared."""
        return family_odds(self._draws, wishes, children=children, bound=bound)


def _pools(rows: Sequence[ChanceLine]) -> PoolTable:
    """The groups of each pool.  Numbers of places are 0, because they are not needed any more."""
    pools = [(at, pool) for at, row in enumerate(rows) for pool in row.pools]
    programme = [at for at, _ in pools]
    return PoolTable(
        start=frozen(np.searchsorted(programme, range(len(rows) + 1)), np.int32),
        programme=frozen(programme, np.int32),
        places=frozen(np.zeros(len(pools)), np.int32),
        locked=frozen([pool["locked"] for _, pool in pools], bool),
        group_start=frozen(np.cumsum([0, *(len(pool["grounds"]) for _, pool in pools)]), np.int64),
        group=frozen([GROUNDS[ground] for _, pool in pools for ground in pool["grounds"]], np.int32),
    )
