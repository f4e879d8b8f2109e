"""The market of a variant: the families' lists under its tiers, its reserved places and its places."""

from dataclasses import dataclass

import numpy as np

from allocation.arrays import Array
from allocation.eligibility import pool_masks
from allocation.market import Market
from allocation.pools import Pool
from enrollment.ground.errors import Refused
from enrollment.laboratory.families import GROUND_BIT, GROUNDS, Families
from enrollment.laboratory.variants import Method, Reserve, Variant

RESERVED = "reserved"


@dataclass(frozen=True)
class VariantMarket:
    """`full` has the whole list of each child; `named` what each child names in ranked wishes.  `mask` is that of `full`."""

    full: Market
    named: Market
    mask: Array | None


def market_of(families: Families, variant: Variant) -> VariantMarket:
    """Refuses `variant_moved_unknown` and `variant_moved_below`."""
    places = _places(families, variant)
    pools = _pools(families, variant, places)
    full = _market(families, variant, places, pools, families.lengths)
    if variant.method == Method.ONE_WISH or variant.wishes == 0:
        named = full
    else:
        most = families.declared if variant.wishes is None else np.minimum(families.lengths, variant.wishes)
        named = _market(families, variant, places, pools, most)
    return VariantMarket(full, named, pool_masks(full))


def _places(families: Families, variant: Variant) -> Array:
    places = families.programmes.places.copy()
    number = {code: at for at, code in enumerate(families.programmes.codes)}
    for code, added in variant.moved:
        if code not in number:
            raise Refused("variant_moved_unknown", "moved", programme=code)
        places[number[code]] += added
        if places[number[code]] < 0:
            raise Refused("variant_moved_below", "moved", programme=code)
    return places


def _pools(families: Families, variant: Variant, places: Array) -> list[Pool]:
    """The groups of a pool are programme × ground, numbered like the estimates of chances."""
    if variant.reserve == Reserve.NONE:
        return []
    if variant.reserve == Reserve.PLAN:
        return _planned_pools(families, places)
    ground = GROUNDS.index(variant.reserve_ground)
    found = []
    for programme, total in enumerate(places.tolist()):
        kept = total * variant.reserve_percent // 100
        precedence = 1 if variant.reserve == Reserve.LAST else -1
        unclaimed = "locked" if variant.reserve == Reserve.ONLY else "open"
        group = (_group(programme, ground),)
        found.append(Pool(programme, RESERVED, precedence, kept, group, unclaimed))
        found.append(Pool(programme, "general", 0, total - kept))
    return found


def _planned_pools(families: Families, places: Array) -> list[Pool]:
    """The plan's pools; where places were taken away, the last pools lose them first."""
    rest = places.tolist()
    found = []
    for pool in families.programmes.pools:
        kept = min(pool.places or 0, rest[pool.programme])
        rest[pool.programme] -= kept
        groups = tuple(_group(pool.programme, ground) for ground in pool.groups)
        found.append(pool._replace(places=kept, groups=groups))
    return found


def _group(programme: int, ground: int) -> int:
    return programme * len(GROUNDS) + ground


def _market(families: Families, variant: Variant, places: Array, pools: list[Pool], most: Array) -> Market:
    """The market in which each child names the first `most` wishes of its list."""
    kept = families.position < most[families.owner]
    programme = families.programme[kept]
    programmes = families.programmes
    return Market.from_arrays(
        np.concatenate(([0], np.cumsum(np.minimum(most, families.lengths)))),
        programme,
        tiers_of(families, variant)[kept],
        None,
        places,
        unit=families.unit if (families.unit >= 0).any() else None,
        family=families.family,
        elder=families.elder if (families.elder >= 0).any() else None,
        groups=_groups(families, programme, kept, pools) if pools else None,
        pools=pools,
        level=programmes.level,
        nature=programmes.nature,
        area=programmes.area,
        kindergarten=programmes.kindergarten,
        sibling_tier=_sibling_tiers(families, variant),
        pair_rule=variant.pair_rule or families.pair_rule,
    )


def tiers_of(families: Families, variant: Variant) -> Array:
    """The tier of each wish of the lists under the variant (uint8[m])."""
    under = families.under_policy.get(variant.policy)
    tier = _renumbered(variant)[families.tier if under is None else under.tier]
    if variant.ground is not None:
        tier = np.where(families.holds(variant.ground), np.minimum(tier, variant.ground_tier), tier)
    return tier.astype(np.uint8)


def _sibling_tiers(families: Families, variant: Variant) -> Array:
    under = families.under_policy.get(variant.policy)
    old = families.programmes.sibling_tier if under is None else under.sibling_tier
    return np.where(old >= 0, _renumbered(variant)[np.maximum(old, 0)], -1)


def _renumbered(variant: Variant) -> Array:
    new = np.arange(16)
    new[: len(variant.tiers)] = variant.tiers
    return new


def _groups(families: Families, programme: Array, kept: Array, pools: list[Pool]) -> tuple[Array, Array]:
    """The groups of each child, in CSR form: at each programme the grounds that hold and have a pool there."""
    used = {group for pool in pools for group in pool.groups}
    asked = np.zeros((len(families.programmes.places), len(GROUNDS)), dtype=bool)
    for group in used:
        asked[divmod(group, len(GROUNDS))] = True
    owner, grounds = families.owner[kept], families.grounds[kept]
    rows, numbers = [], []
    for at, ground in enumerate(GROUNDS):
        here = asked[programme, at] & ((grounds & GROUND_BIT[ground]) > 0)
        rows.append(owner[here])
        numbers.append(programme[here] * len(GROUNDS) + at)
    child, number = np.concatenate(rows), np.concatenate(numbers)
    start = np.concatenate(([0], np.cumsum(np.bincount(child, minlength=families.children))))
    return start.astype(np.int64), number[np.argsort(child, kind="stable")].astype(np.int32)
