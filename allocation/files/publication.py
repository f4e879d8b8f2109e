"""What is published of a result: the order of each pool as entries that cannot be linked, and the lines.

An *option* is a child and a pool that it may ask. A *block* is one pool, or several pools of one programme whose figures
would be about few children or about a sensitive ground. An *entry* is a child in a block. The public file
(:mod:`allocation.files.public_file`) and the openings of the families (:mod:`allocation.files.opening`) are written
from the same publication. ``docs/adr/0019-three-files-of-a-draw.md`` has the reasons.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from allocation import lottery
from allocation.arrays import Array
from allocation.eligibility import pool_masks
from allocation.faults import Fault, MarketFault
from allocation.files.bundle import DrawRecord2
from allocation.files.commitments import ChildFacts
from allocation.files.json_objects import is_digest, parse_object
from allocation.files.reader import ParsedMarket, parse_files
from allocation.lottery import DIGEST_BYTES, sized, tagged_hash
from allocation.outcome import LINE, STATES, Outcome
from allocation.solve import solve
from allocation.units import Units, form_units

OUTCOMES = ("admitted", "over", "better", "refused")
ADMITTED, OVER, BETTER, REFUSED = range(4)
"""What became of an entry. *over*: placed above the number of places, because its place was guaranteed. *better*: placed
at an earlier wish, or at an earlier pool of the same programme. The smallest counts for a block of several pools."""

FEW = 5
"""A figure about 1 to so many children is not published."""
ENTRY_BYTES = 16
_CODES_AT_ONCE = 1 << 16
LINE_FIELDS = ("state", "eligible", "tier", "ticket")


@dataclass(frozen=True)
class Sensitive:
    """Grounds that nobody may read from what is public: tiers of programmes that only such a ground reaches, and groups."""

    tiers: frozenset[tuple[str, int]] = frozenset()  # code of the programme, tier
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """What a publication needs beside market and draw; ``publication.json`` of the full bundle. The secret is 32 bytes.

    ``hides_few_moves``: the blocks of a replay show no order where few children came or left. Replays from before that
    have it not.
    """

    run: int
    secret: bytes
    sensitive: Sensitive = field(default_factory=Sensitive)
    replays: int | None = None  # the run that this one replays
    hides_few_moves: bool = False

    def file(self) -> bytes:
        """``publication.json``."""
        return lottery.canonical({
            "format": "publication/2", "run": self.run, "replays": self.replays, "secret": self.secret.hex(),
            "sensitive_tiers": sorted(map(list, self.sensitive.tiers)),
            "sensitive_groups": sorted(self.sensitive.groups),
            **({"hides_few_moves": True} if self.hides_few_moves else {}),
        })  # fmt: skip

    @classmethod
    def read(cls, data: bytes) -> "Settings":
        """Raises :class:`~allocation.faults.MarketFault` if it cannot be read."""
        given = parse_object(data, "publication.json")
        try:
            if given["format"] != "publication/2" or not is_digest(given["secret"]):
                raise ValueError
            tiers = frozenset((str(programme), int(tier)) for programme, tier in given["sensitive_tiers"])
            groups = frozenset(map(str, given["sensitive_groups"]))
            replays = None if given["replays"] is None else int(given["replays"])
            secret, hides = bytes.fromhex(given["secret"]), given.get("hides_few_moves", False) is True
            return cls(int(given["run"]), secret, Sensitive(tiers, groups), replays, hides)
        except (KeyError, TypeError, ValueError):
            raise MarketFault([Fault("publication.json", -1, "", "not the settings of a publication")]) from None


@dataclass(frozen=True)
class Options:
    """Each child with each pool that it may ask, in the order of its wishes and of precedence (arrays of one length)."""

    child: Array
    wish: Array  # index in the market's wishes
    pool: Array
    belongs: Array  # bool
    guaranteed: Array  # bool
    key: Array  # uint64: its place in the order of the pool, as in the engine but without the child itself
    outcome: Array  # uint8, index in OUTCOMES


@dataclass(frozen=True)
class Block:
    """One row of ``blocks.csv``: one pool, or pools of a programme together. A hidden block shows no order and no line."""

    code: str
    programme: int
    pools: tuple[int, ...]
    hidden: bool


@dataclass(frozen=True)
class Entries:
    """Rows of ``orders.csv`` (arrays of one length)."""

    block: Array  # index in the blocks
    position: Array  # from 1
    child: Array
    wish: Array  # index in the market's wishes
    outcome: Array
    code: Array  # uint8[rows, ENTRY_BYTES]


class Publication:
    """One result with its market and draw, ready to be written as a public file and as openings."""

    def __init__(
        self,
        market_files: Mapping[str, bytes],
        draw: DrawRecord2,
        settings: Settings,
        outcome: Outcome | None = None,
        parsed: ParsedMarket | None = None,
    ) -> None:
        """``outcome`` is that of :func:`~allocation.solve.solve` for these files, ``parsed`` what they are read as; without them
        the files are read and the market is solved."""
        self.files, self.draw, self.settings = market_files, draw, settings
        self.parsed = parse_files(market_files) if parsed is None else parsed
        self.market = self.parsed.market
        self.outcome = solve(self.market) if outcome is None else outcome
        self.facts = ChildFacts(self.parsed)
        self.units = form_units(self.market, pool_masks(self.market))
        self.leader = np.arange(self.market.children) if self.units.leader is None else self.units.leader
        self.options = _options(self)
        self.blocks = _blocks(self)
        self.block_of = np.full(self.market.pools.count, -1, dtype=np.int64)
        for number, block in enumerate(self.blocks):
            self.block_of[list(block.pools)] = number
        self.entries = _entries(self)

    @property
    def run(self) -> str:
        """The number of the run as it is hashed."""
        return str(self.settings.run)

    @cached_property
    def programme_codes(self) -> Sequence[str]:
        """The code of each programme."""
        return [str(code) for code in self.market.codes.programmes]

    @cached_property
    def child_codes(self) -> Sequence[str]:
        """The code of each child."""
        return [str(code) for code in self.market.codes.children]

    def line(self, pool: int) -> dict[str, str]:
        """The line of a pool as texts; the three numbers are empty but in the state ``line``."""
        cutoffs = self.outcome.cutoffs
        shown = cutoffs.state[pool] == LINE
        numbers = (cutoffs.eligible[pool], cutoffs.tier[pool], cutoffs.ticket[pool])
        return {"state": STATES[cutoffs.state[pool]]} | {
            name: str(int(number)) if shown else "" for name, number in zip(LINE_FIELDS[1:], numbers, strict=True)
        }

    def line_salt(self, block: Block, pool: int, name: str) -> bytes:
        """The salt of one hidden field of a line."""
        code = self.market.pools.name(pool)
        return tagged_hash("line-salt/2", self.settings.secret, block.code.encode(), code.encode(), name.encode())

    def field_commitments(self, block: Block, pool: int) -> list[str]:
        """The commitments to the fields of a hidden line, in the order of ``LINE_FIELDS``."""
        line = self.line(pool)
        return [field_commitment(self.line_salt(block, pool, name), line[name]) for name in LINE_FIELDS]

    def line_commitment(self, block: Block) -> str:
        """The commitment to all lines of a hidden block."""
        return block_commitment([each for pool in block.pools for each in self.field_commitments(block, pool)])


def field_commitment(salt: bytes, value: str) -> str:
    """The commitment to one field of a hidden line (64 hex digits)."""
    return tagged_hash("line/2", salt, value.encode()).hex()


def block_commitment(of_fields: Sequence[str]) -> str:
    """The commitment of a hidden block from those of its fields: pools in precedence order, fields in their order."""
    return tagged_hash("lines/2", *map(bytes.fromhex, of_fields)).hex()


def entry_code(salt: bytes, programme: str, block: str, run: str) -> str:
    """How a child is named in a block; without the child's salt it cannot be linked to any other block or run."""
    parts = (salt, programme.encode(), block.encode(), run.encode())
    return tagged_hash("entry/2", *parts)[:ENTRY_BYTES].hex()


def seat_code(salt: bytes, run: str) -> str:
    """The nullifier of a child that is placed: the same wherever it is placed, so that two places of a child are seen."""
    return tagged_hash("seat/2", salt, run.encode())[:ENTRY_BYTES].hex()


def _options(of: Publication) -> Options:
    market, units, outcome, pools = of.market, of.units, of.outcome, of.market.pools
    child = np.repeat(np.arange(market.children, dtype=np.int32), np.diff(market.offsets))
    step = (np.arange(len(child)) - market.offsets[child]).astype(np.int32)
    first = pools.start[market.programme].astype(np.int32)
    count = pools.start[market.programme + 1].astype(np.int32) - first
    wish = np.repeat(np.arange(len(child), dtype=np.int32), count)
    at = (np.arange(len(wish)) - np.repeat(np.cumsum(count) - count, count)).astype(np.int32)
    pool = first[wish] + at
    belongs = np.ones(len(wish), dtype=bool)
    if units.mask is not None:
        of_leader = market.offsets[of.leader[child]] + step
        belongs = (units.mask[of_leader[wish]] >> at.astype(np.uint16)) & 1 == 1
    del first, count, at
    asked = (pools.places[pool] > 0) & (belongs | ~pools.locked[pool])
    placed_here = ((outcome.rank[child] - 1 == step)[wish]) & (outcome.pool[child][wish] == pool)
    not_asked = placed_here & ~asked  # a guaranteed child that may ask no pool of its programme stands in one of them
    asked |= placed_here
    wish, pool, belongs, not_asked, placed_here = (
        column[asked] for column in (wish, pool, belongs, not_asked, placed_here)
    )
    del asked
    who, own_step = child[wish], step[wish]
    placed_step = outcome.rank[who] - 1
    found = np.full(len(wish), REFUSED, dtype=np.uint8)
    better = (own_step > placed_step) | ((own_step == placed_step) & (pool > outcome.pool[who]))
    found[(placed_step >= 0) & better] = BETTER
    found[placed_here] = ADMITTED
    found[not_asked] = OVER
    del own_step, placed_step, better
    guaranteed = np.zeros(len(wish), dtype=bool)
    if units.current is not None:
        guaranteed = units.current[of.leader[who]] == market.programme[wish]
    key = (~guaranteed).astype(np.uint64) << np.uint64(63)
    key |= (~belongs).astype(np.uint64) << np.uint64(62)
    key |= outcome.unit_tier[wish].astype(np.uint64) << np.uint64(58)
    key |= units.ticket[of.leader[who]].astype(np.uint64) << np.uint64(26)
    options = Options(who, wish, pool, belongs, guaranteed, key, found)
    if guaranteed.any():
        _mark_over(of, options)
    return options


def _mark_over(of: Publication, options: Options) -> None:
    """Mark guaranteed units that stand above the number of places: they were refused like others, but keep a place."""
    market, units = of.market, of.units
    close = market.pair_rule == "close"
    rows = np.flatnonzero(options.guaranteed & ((options.outcome == ADMITTED) | (options.outcome == REFUSED)))
    rows = rows[np.lexsort((of.leader[options.child[rows]], options.key[rows], options.pool[rows]))]
    pool, used, closed, before = -1, 0, False, -1
    for row in rows.tolist():
        if options.pool[row] != pool:
            pool, used, closed, before = int(options.pool[row]), 0, False, -1
        unit = int(of.leader[options.child[row]])
        if unit != before:
            size, places = _size(units, unit), int(market.pools.places[pool])
            fits = used + size <= places if close else used < places
            closed = closed or not fits or options.outcome[row] == REFUSED
            used, before = used + size, unit
        if closed and options.outcome[row] == ADMITTED:
            options.outcome[row] = OVER


def _size(units: Units, unit: int) -> int:
    return 1 if units.size is None else int(units.size[unit])


def is_few(count: int) -> bool:
    """Whether a figure is about so few children that it is not published."""
    return 1 <= count <= FEW


def _blocks(of: Publication) -> list[Block]:
    market, pools = of.market, of.market.pools
    asked = np.bincount(of.options.pool, minlength=pools.count)
    secret, changed = _hidden_pools(of, asked), _few_moves(of)
    order = sorted(range(market.programmes), key=of.programme_codes.__getitem__)
    found: list[Block] = []
    for programme in order:
        used = [q for q in range(pools.start[programme], pools.start[programme + 1]) if pools.places[q] > 0 or asked[q]]
        hidden = used if programme in changed else _merged(of, used, secret, asked)
        parts = [((q,), False) for q in used if q not in hidden] + ([(tuple(hidden), True)] if hidden else [])
        for own, is_hidden in sorted(parts):
            found.append(Block(str(len(found) + 1), programme, own, is_hidden))
    return found


def _hidden_pools(of: Publication, asked: Array) -> set[int]:
    """Pools that are not shown alone: few children, a sensitive group, or a line that only a sensitive ground reaches."""
    market, cutoffs, sensitive = of.market, of.outcome.cutoffs, of.settings.sensitive
    found = {q for q in range(market.pools.count) if is_few(int(cutoffs.filled[q])) or is_few(int(asked[q]))}
    names = [str(code) for code in market.codes.groups]
    for q, (begin, end) in enumerate(zip(market.pools.group_start, market.pools.group_start[1:], strict=False)):
        if any(names[group] in sensitive.groups for group in market.pools.group[begin:end]):
            found.add(q)
    for q in np.flatnonzero(cutoffs.state == LINE).tolist():
        if (of.programme_codes[market.pools.programme[q]], int(cutoffs.tier[q])) in sensitive.tiers:
            found.add(q)
    return found


def _few_moves(of: Publication) -> set[int]:
    """The programmes to which 1 to ``FEW`` children came, or which they left, since the run that is replayed.

    Both runs have the same tickets: where the orders of both are shown, the child who left one programme could be found as
    the child who came to another.
    """
    now, before, count = of.outcome.programme, of.market.current, of.market.programmes
    if not of.settings.hides_few_moves or before is None:
        return set()
    moved = now != before
    came, left = (np.bincount(place[moved & (place >= 0)], minlength=count) for place in (now, before))
    return {p for p in range(count) if is_few(int(came[p])) or is_few(int(left[p]))}


def _merged(of: Publication, used: Sequence[int], secret: set[int], asked: Array) -> list[int]:
    """The pools of one programme that are hidden together: at least two if there are two, and no few children."""
    filled = of.outcome.cutoffs.filled
    hidden = [q for q in used if q in secret]
    if not hidden:
        return []
    others = sorted((q for q in used if q not in secret), key=lambda q: (filled[q], q))
    while others and (len(hidden) < 2 or is_few(int(filled[hidden].sum())) or is_few(int(asked[hidden].sum()))):
        hidden.append(others.pop(0))
    return sorted(hidden)


def _entries(of: Publication) -> Entries:
    options, blocks = of.options, of.blocks
    block, first = _asked_blocks(of)
    child, wish, outcome = options.child[first], options.wish[first], options.outcome[first]
    codes = _entry_codes(of, block, child)
    key, tie = options.key[first], of.facts.place[child].astype(np.uint64)
    del first
    if len(block):
        hidden = np.array([each.hidden for each in blocks], dtype=bool)[block]
        key[hidden], tie[hidden] = codes.view(">u8")[hidden].T
    row = np.lexsort((tie, key, block)).astype(np.int32)
    del key, tie
    block, child, wish, outcome, codes = (column[row] for column in (block, child, wish, outcome, codes))
    begins = np.searchsorted(block, np.arange(len(blocks)))
    position = (np.arange(len(row)) - begins[block] + 1).astype(np.int32) if len(row) else row
    return Entries(block, position, child, wish, outcome, codes)


def _asked_blocks(of: Publication) -> tuple[Array, Array]:
    """Each block that a child asked, child after child in each block, and the option that tells what became of it there."""
    options = of.options
    together = of.block_of[options.pool] * of.market.children + options.child
    order = np.lexsort((options.outcome, together)).astype(np.int32)
    together = together[order]
    first = order[np.concatenate(([True], np.diff(together) != 0))] if len(order) else order
    return of.block_of[options.pool[first]].astype(np.int32), first


def _entry_codes(of: Publication, block: Array, child: Array) -> Array:
    """As :func:`entry_code` for many rows: the bytes before and after the salt are made once."""
    before, salt = sized(b"entry/2") + DIGEST_BYTES.to_bytes(8, "big"), of.facts.salt
    ends = [
        sized(of.programme_codes[each.programme].encode()) + sized(each.code.encode()) + sized(of.run.encode())
        for each in of.blocks
    ]
    digest, codes = hashlib.sha256, bytearray()
    for begin in range(0, len(child), _CODES_AT_ONCE):
        rows = (column[begin : begin + _CODES_AT_ONCE].tolist() for column in (child, block))
        codes += b"".join(
            [digest(before + salt(row) + ends[at]).digest()[:ENTRY_BYTES] for row, at in zip(*rows, strict=True)]
        )
    return np.frombuffer(codes, dtype=np.uint8).reshape(-1, ENTRY_BYTES)
