"""The opening of a child, for its guardians alone: its own facts, how to find them in the public file, and its lines.

It opens no more of a hidden line than the child's result needs: an outsider of a pool sees that the pool went to its
groups, a child with a worse tier sees the tier but not the ticket.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from allocation.arrays import Array
from allocation.files import text_columns
from allocation.files.bundle import DrawRecord2
from allocation.files.commitments import quote
from allocation.files.opening_packing import (
    BLOCK,
    CODE,
    DIGEST,
    ENTRY,
    NEXT_STEPS,
    RANK,
    STEP,
    TIER,
    WISH,
    pack,
    unpack,
)
from allocation.files.publication import (
    BETTER,
    LINE_FIELDS,
    Block,
    Publication,
    Sensitive,
    Settings,
    seat_code,
)  # fmt: skip
from allocation.lottery import DIGEST_BYTES
from allocation.outcome import LINE, Outcome
from allocation.sha256 import digests

FORMAT = "opening/2"
AT_ONCE = 4096
"""Children whose columns are Python lists at the same time."""
_DIGEST = f'"{DIGEST}"'


def make(
    market_files: Mapping[str, bytes],
    draw: DrawRecord2,
    outcome: Outcome | None = None,
    *,
    run: int,
    secret: bytes,
    child: str,
    sensitive: Sensitive | None = None,
    replays: int | None = None,
) -> dict[str, Any]:
    """The opening of one child by its code; the other arguments as for :func:`allocation.files.public_file.make`.

    For several children make one :class:`Openings`. Raises ``KeyError`` for a code that is not in the market.
    """
    settings = Settings(run, secret, sensitive or Sensitive(), replays, hides_few_moves=replays is not None)
    return Openings(Publication(market_files, draw, settings, outcome)).of(child)


def make_all(publication: Publication) -> Iterator[tuple[int, bytes]]:
    """The number in the market and the packed opening (:mod:`allocation.files.opening_packing`) of each child, in the order of
    the codes."""
    openings = Openings(publication)
    for children in parts(publication):
        yield from zip(children.tolist(), openings.packed(children), strict=True)


def parts(publication: Publication) -> Iterator[Array]:
    """The numbers of all children in the order of their codes, some thousand at a time for :meth:`Openings.packed`."""
    order = publication.facts.order
    for start in range(0, len(order), AT_ONCE):
        yield order[start : start + AT_ONCE]


class Openings:
    """The openings of one publication.

    Their JSON is written piece by piece and in the packed form at once: to write it whole and to compress it takes four times
    as long for a city.
    """

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        entries, options, wishes = publication.entries, publication.options, len(publication.market.programme)
        self.entry_rows = np.lexsort((entries.block, entries.wish))
        self.entry_begin = np.searchsorted(entries.wish[self.entry_rows], np.arange(wishes + 1))
        hidden = np.array([block.hidden for block in publication.blocks], dtype=bool)
        told = hidden[publication.block_of[options.pool]] & ~options.guaranteed & (options.outcome != BETTER)
        self.hidden_rows = np.flatnonzero(told)
        self.hidden_begin = np.searchsorted(options.child[self.hidden_rows], np.arange(publication.market.children + 1))
        self.blocks = [BLOCK + block.code for block in publication.blocks]
        self.programmes = [quote(code)[1:-1] for code in publication.programme_codes]
        self.fields: dict[str, tuple[str, bytes]] = {}
        self.opened: dict[int, dict[str, tuple[str, bytes]]] = {}
        self.facts: dict[int, bytes] = {}  # of the children whose openings are made

    def of(self, child: str) -> dict[str, Any]:
        """The opening of a child by its code. Raises ``KeyError`` for an unknown code."""
        if child not in self._numbers:
            raise KeyError(child)
        [packed] = self.packed(np.array([self._numbers[child]]))
        found: dict[str, Any] = json.loads(unpack(packed))
        return found

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {code: number for number, code in enumerate(self.publication.child_codes)}

    def packed(self, children: Array) -> Iterator[bytes]:
        """The packed openings of these children (their numbers in the market)."""
        of = self.publication
        ticket = None if of.market.ticket is None else of.market.ticket[children]
        tickets: Sequence[Any] = ["null"] * len(children) if ticket is None else ticket.tolist()
        columns = (children.tolist(), tickets, self._results(children), *self._wishes(children))
        before = f'{{"commitment":"{DIGEST}","digest":'
        commitment = bytes.fromhex(of.draw.commitment)
        after = f',"format":"{FORMAT}","hidden":'
        run = f',"run":{of.settings.run},"salt":"{DIGEST}","ticket":'
        self.facts = self._facts(children)
        for child, ticket, result, wishes, codes in zip(*columns, strict=True):
            members = self._members(child)
            drawn = of.draw.seed and self._is_drawn(members)
            elder, of_elder = self._elder(child)
            hidden, of_hidden = self._hidden(child)
            path, of_path = self._path(child)
            unit = [self._proof(other) for other in members if other != child] if len(members) > 1 else ()
            yield pack(
                f'{before}{_DIGEST if drawn else "null"},"elder":{elder},"facts":{self.facts[child].decode()},'
                f'"family":{self._family(child) if drawn else "null"}{after}{hidden},"path":{path},"result":{result}{run}'
                f'{ticket},"unit":[{",".join([told for told, _ in unit])}],"wishes":[{wishes}]}}',
                b"".join(
                    (commitment, self._digest(child) if drawn else b"", of_elder, of_hidden, of_path, of.facts.salt(child),
                     *[own for _, own in unit], codes)
                ),
            )  # fmt: skip

    def _facts(self, children: Array) -> dict[int, bytes]:
        """The facts of these children, and of the others whose facts are in their openings."""
        elder = self.publication.market.elder
        others = [member for child in self._units.keys() & set(children.tolist()) for member in self._units[child]]
        named = np.full(len(children), -1) if elder is None else elder[children]
        told = np.unique(np.concatenate([children, others, named[named >= 0]]).astype(np.int64))
        return dict(zip(told.tolist(), self.publication.facts.texts(told), strict=True))

    def _members(self, child: int) -> list[int]:
        """The children of the unit of a child, in the order of their codes."""
        return self._units.get(child) or [child]

    @cached_property
    def _units(self) -> dict[int, list[int]]:
        """For each child of a bound unit all of its children, in the order of their codes."""
        leader = self.publication.leader
        found: dict[int, list[int]] = {}
        for member in np.flatnonzero(leader != np.arange(len(leader))).tolist():
            found.setdefault(int(leader[member]), [int(leader[member])]).append(member)
        codes = self.publication.child_codes
        return {member: sorted(unit, key=codes.__getitem__) for unit in found.values() for member in unit}

    def _is_drawn(self, members: list[int]) -> bool:
        """Whether the seed drew one of these children."""
        held = self.publication.parsed.held
        return held is None or any(held[member] < 0 for member in members)

    def _digest(self, child: int) -> bytes:
        at = DIGEST_BYTES * self._family_of(child)
        return self._digests[at : at + DIGEST_BYTES]

    @cached_property
    def _digests(self) -> bytes:
        """The digests of all families, one after the other."""
        seed = bytes.fromhex(self.publication.draw.seed or "")
        return digests(seed, *text_columns.texts(self.publication.market.codes.families)).tobytes()

    def _family_of(self, child: int) -> int:
        family = self.publication.market.family
        return child if family is None else int(family[child])

    @cached_property
    def _families(self) -> tuple[list[int], list[int]]:
        """The children whom the seed drew, family by family and by their codes, and for each family where its children begin."""
        of = self.publication
        drawn = np.arange(of.market.children) if of.parsed.held is None else np.flatnonzero(of.parsed.held < 0)
        family = drawn if of.market.family is None else of.market.family[drawn]
        order = np.lexsort((of.facts.place[drawn], family))
        begins = np.searchsorted(family[order], np.arange(len(of.market.codes.families) + 1))
        return drawn[order].tolist(), begins.tolist()

    def _family(self, child: int) -> str:
        children, begins = self._families
        family, codes = self._family_of(child), self.publication.child_codes
        return f"[{','.join([quote(codes[each]) for each in children[begins[family] : begins[family + 1]]])}]"

    def _path(self, child: int) -> tuple[str, bytes]:
        sides, nodes = self.publication.facts.path(child)
        return (f"[{STEP[sides[0]]}{sides[1:].translate(NEXT_STEPS)}]" if sides else "[]"), nodes

    def _proof(self, child: int) -> tuple[str, bytes]:
        """What shows that these facts of a child were committed: the facts, the salt and the path to the root."""
        facts = self.publication.facts
        path, nodes = self._path(child)
        return f'{{"facts":{self.facts[child].decode()},"path":{path},"salt":"{DIGEST}"}}', nodes + facts.salt(child)

    def _elder(self, child: int) -> tuple[str, bytes]:
        """The facts of the elder, whose salt shows where it is placed; of another family's child only the seat."""
        of = self.publication
        elder = -1 if of.market.elder is None else int(of.market.elder[child])
        if elder < 0:
            return "null", b""
        if self._family_of(elder) == self._family_of(child):
            return self._proof(elder)
        if of.outcome.programme[elder] < 0:
            return '{"seat":null}', b""
        return f'{{"seat":"{CODE}"}}', bytes.fromhex(seat_code(of.facts.salt(elder), of.run))

    def _wishes(self, children: Array) -> tuple[list[str], list[bytes]]:
        """The wishes of each child with its entries in the blocks of each programme, and the codes of these entries."""
        of, market = self.publication, self.publication.market
        lengths = np.diff(market.offsets)[children]
        ends = np.cumsum(lengths)
        step = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
        wish = np.repeat(market.offsets[:-1][children], lengths) + step
        counts = np.diff(self.entry_begin)[wish]
        through = np.cumsum(counts)
        rows = self.entry_rows[
            np.arange(int(counts.sum())) - np.repeat(through - counts - self.entry_begin[wish], counts)
        ]
        entries = of.entries
        columns = (entries.block[rows].tolist(), entries.outcome[rows].tolist(), entries.position[rows].tolist())
        heads, outcomes = self.blocks, ENTRY
        told = [f"{heads[block]}{outcomes[outcome]}{at}}}" for block, outcome, at in zip(*columns, strict=True)]
        listed = (step + 1 if market.rank is None else market.rank[wish], of.outcome.unit_tier[wish])
        names = map(self.programmes.__getitem__, market.programme[wish].tolist())
        bounds = pairwise([0, *through.tolist()])
        each = [
            f'{{"blocks":[{",".join(told[begin:end])}{WISH}{name}{RANK}{rank}{TIER}{tier}}}'
            for (begin, end), name, rank, tier in zip(bounds, names, *(one.tolist() for one in listed), strict=True)
        ]
        codes, width = entries.code[rows].tobytes(), entries.code.shape[1]
        of_children = [0, *ends.tolist()]
        starts = np.concatenate(([0], through))[of_children] * width
        return (
            [",".join(each[begin:end]) for begin, end in pairwise(of_children)],
            [codes[begin:end] for begin, end in pairwise(starts.tolist())],
        )

    def _hidden(self, child: int) -> tuple[str, bytes]:
        """For each hidden block that the child asked: the commitments of its fields, and those that decided, opened."""
        of = self.publication
        rows = self.hidden_rows[self.hidden_begin[child] : self.hidden_begin[child + 1]].tolist()
        if not rows:
            return "{}", b""
        opened: dict[str, list[tuple[str, bytes]]] = {}
        committed: dict[str, tuple[str, bytes]] = {}
        for row in rows:
            pool = int(of.options.pool[row])
            block = of.blocks[of.block_of[pool]]
            committed[block.code] = self._fields(block)
            fields = self._opened(block, pool)
            opened.setdefault(block.code, []).extend(fields[name] for name in self._deciding(row, pool))
        told, digests_of = [], []
        for code in sorted(opened):
            fields_told, fields_digests = committed[code]
            told.append(
                f'"{code}":{{"fields":[{fields_told}],"opened":[{",".join([each for each, _salt in opened[code]])}]}}'
            )
            digests_of += [fields_digests, *[salt for _told, salt in opened[code]]]
        return f"{{{','.join(told)}}}", b"".join(digests_of)

    def _fields(self, block: Block) -> tuple[str, bytes]:
        """The commitments to all fields of a hidden block; made once."""
        if block.code not in self.fields:
            found = [each for pool in block.pools for each in self.publication.field_commitments(block, pool)]
            self.fields[block.code] = (",".join([_DIGEST] * len(found)), bytes.fromhex("".join(found)))
        return self.fields[block.code]

    def _opened(self, block: Block, pool: int) -> dict[str, tuple[str, bytes]]:
        """Each field of a hidden line as it is opened, with its salt; made once."""
        if pool not in self.opened:
            of = self.publication
            name, line = quote(of.market.pools.name(pool)), of.line(pool)
            self.opened[pool] = {
                field: (f'[{name},"{field}","{line[field]}",{_DIGEST}]', of.line_salt(block, pool, field))
                for field in LINE_FIELDS
            }
        return self.opened[pool]

    def _deciding(self, row: int, pool: int) -> Iterator[str]:
        """The fields of a line that are needed to compare it with the child, in their order."""
        of = self.publication
        cutoffs = of.outcome.cutoffs
        yield LINE_FIELDS[0]
        if cutoffs.state[pool] != LINE:
            return
        mine = (bool(of.options.belongs[row]), int(of.outcome.unit_tier[of.options.wish[row]]))
        for name, own, line in zip(LINE_FIELDS[1:3], mine, (bool(cutoffs.eligible[pool]), int(cutoffs.tier[pool])), strict=True):  # fmt: skip
            yield name
            if own != line:
                return
        yield LINE_FIELDS[3]

    def _results(self, children: Array) -> list[str]:
        """The place of each child."""
        of = self.publication
        pools = of.outcome.pool[children]
        columns = (pools, of.block_of[pools], of.outcome.programme[children], of.outcome.listed_rank[children])
        names = self._pool_names
        return [
            "null" if pool < 0
            else f'{self.blocks[block]}","pool":{names[pool]},"programme":"{self.programmes[programme]}{RANK}{rank}}}'
            for pool, block, programme, rank in zip(*(column.tolist() for column in columns), strict=True)
        ]  # fmt: skip

    @cached_property
    def _pool_names(self) -> list[str]:
        pools = self.publication.market.pools
        return [quote(pools.name(pool)) for pool in range(pools.count)]
