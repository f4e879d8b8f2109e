"""The definitions in plain Python: every outcome of a tiny market is enumerated and the stable ones are kept.

Slow and short, so that a reader can compare it with the specification line by line. Without siblings: the tests that use
it handle class levels one after the other.
"""

from itertools import product

from allocation.market import Pool


def pools_of(market, programme):
    """The pools of a programme in precedence order: those listed, and ``general`` last for what they leave."""
    listed = [pool for pool in market.pools.listed if pool.programme == programme]
    left = int(market.places[programme]) - sum(pool.places or 0 for pool in listed)
    rows = [pool._replace(places=left) if pool.places is None else pool for pool in listed]
    rows.sort(key=lambda pool: pool.precedence)
    if not any(pool.name == "general" for pool in rows) and (left or not rows):
        rows.append(Pool(programme, "general", 99, left))
    return rows


class Rule:
    """A market as units, tries and pools."""

    def __init__(self, market):
        self.market = market
        members = {}
        for child in range(market.children):
            own = -2 - child if market.unit is None or market.unit[child] < 0 else int(market.unit[child])
            members.setdefault(own, []).append(child)
        self.units = list(members.values())
        self.close = market.pair_rule == "close"
        self.pools = [pools_of(market, programme) for programme in range(market.programmes)]
        self.places = [pool.places for pools in self.pools for pool in pools]
        self.tries = [self._tries(unit) for unit in self.units]

    def _groups(self, child):
        start = self.market.group_start
        return set() if start is None else set(self.market.group[start[child] : start[child + 1]].tolist())

    def _tries(self, unit):
        """The proposals of the unit, in order: (rank, pool, standing, guaranteed)."""
        market = self.market
        ticket = min(int(market.ticket[c]) for c in unit)
        tries = []
        for step in range(int(market.offsets[unit[0] + 1] - market.offsets[unit[0]])):
            wish = [int(market.offsets[c]) + step for c in unit]
            programme = int(market.programme[wish[0]])
            own = market.current is not None and int(market.current[unit[0]]) == programme
            tier = max(int(market.tier[w]) for w in wish)
            first = sum(map(len, self.pools[:programme]))
            for q, pool in enumerate(self.pools[programme], first):
                belongs = not pool.groups or all(set(pool.groups) & self._groups(c) for c in unit)
                if pool.places and (belongs or pool.unclaimed == "open"):
                    tries.append((step + 1, q, (not own, not belongs, tier, ticket), own))
        return tries

    def stable(self):
        """Every stable outcome, as the index of each unit's granted try (the number of its tries for none)."""
        return [o for o in product(*(range(len(t) + 1) for t in self.tries)) if self.is_stable(o)]

    def is_stable(self, outcome):
        """Every pool holds exactly the units that the pair rule admits of all that proposed to it."""
        for pool, places in enumerate(self.places):
            seated, refused = [], []
            for unit, granted in enumerate(outcome):
                for index, (_, q, standing, _) in enumerate(self.tries[unit][: granted + 1]):
                    if q == pool:
                        (seated if index == granted else refused).append((standing, len(self.units[unit])))
            if not self._pool_is_stable(places, sorted(seated), sorted(refused)):
                return False
        return True

    def _pool_is_stable(self, places, seated, refused):
        """The pool holds exactly the units that the pair rule admits of all that proposed to it."""
        taken, used, closed = [], 0, False
        for one in sorted(seated + refused):
            fits = used + one[1] <= places if self.close else used < places
            if fits and not closed:
                taken.append(one)
                used += one[1]
            else:
                closed = True
        return taken == seated

    def best(self, stable):
        """Of all stable outcomes the one that every unit likes at least as much as any other; fails if there is none."""
        best = tuple(min(column) for column in zip(*stable, strict=True))
        assert best in stable
        return best

    def placements(self, outcome):
        """(rank, pool) of each child; (0, -1) for none."""
        where = {}
        for unit, granted in enumerate(outcome):
            rank, pool = self.tries[unit][granted][:2] if granted < len(self.tries[unit]) else (0, -1)
            where.update(dict.fromkeys(self.units[unit], (rank, pool)))
        return [where[child] for child in range(self.market.children)]
