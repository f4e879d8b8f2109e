"""The opening of a child, for its guardians alone: its own facts, how to find them in the public file, and its lines.

It opens no more of a hidden line than the child's result needs: an outsider of a pool sees that the pool went to its
groups, a child with a worse tier sees the tier but not the ticket.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from allocation import lottery
from allocation.files.bundle import DrawRecord2
from allocation.files.commitments import quote
from allocation.files.publication import (
    LINE_FIELDS,
    OUTCOMES,
    Block,
    Publication,
    Sensitive,
    Settings,
    seat_code,
)  # fmt: skip
from allocation.files.text_columns import to_column
from allocation.outcome import LINE, Outcome

FORMAT = "opening/2"


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


def make_all(publication: Publication) -> Iterator[tuple[str, bytes]]:
    """The code and the canonical JSON of the opening of each child, in the order of the codes."""
    openings = Openings(publication)
    for child in publication.facts.order.tolist():
        yield publication.child_codes[child], openings.text(child)


class Openings:
    """The openings of one publication.

    Their JSON is written piece by piece, as that of the facts is: the general writer takes three times as long for a city.
    """

    def __init__(self, publication: Publication) -> None:
        self.publication = publication
        count = publication.market.children
        entries, options = publication.entries, publication.options
        self.entry_rows = np.lexsort((entries.block, entries.child))
        self.entry_begin = np.searchsorted(entries.child[self.entry_rows], np.arange(count + 1)).tolist()
        self.option_begin = np.searchsorted(options.child, np.arange(count + 1)).tolist()
        self.wish_begin = publication.market.offsets.tolist()
        self.programmes = [quote(code) for code in publication.programme_codes]
        self.fields: dict[int, list[str]] = {}

    def of(self, child: str) -> dict[str, Any]:
        """The opening of a child by its code. Raises ``KeyError`` for an unknown code."""
        if child not in self._numbers:
            raise KeyError(child)
        found: dict[str, Any] = json.loads(self.text(self._numbers[child]))
        return found

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {code: number for number, code in enumerate(self.publication.child_codes)}

    def text(self, child: int) -> bytes:
        """The canonical JSON of the opening of a child by its number in the market."""
        of = self.publication
        ticket = int(of.market.ticket[child]) if of.market.ticket is not None else None
        members = self._members(child)
        unit = ",".join(of.facts.proof(other) for other in members if other != child)
        drawn = of.draw.seed and (of.parsed.held is None or bool((of.parsed.held[members] < 0).any()))
        hidden = self._hidden(child)
        return (
            f'{{"commitment":"{of.draw.commitment}","digest":{self._digest(child) if drawn else "null"},"elder":{self._elder(child)},'
            f'"facts":{of.facts.texts[child].decode()},"family":{self._family(child) if drawn else "null"},"format":"{FORMAT}",'
            f'"hidden":{lottery.canonical(hidden).decode() if hidden else "{}"},"path":{of.facts.path(child)},'
            f'"result":{self._result(child)},"run":{of.settings.run},"salt":"{of.facts.salts[child]}",'
            f'"ticket":{"null" if ticket is None else ticket},"unit":[{unit}],"wishes":[{self._wishes(child)}]}}'
        ).encode()

    def _members(self, child: int) -> list[int]:
        return self._units.get(int(self.publication.leader[child]), [child])

    @cached_property
    def _units(self) -> dict[int, list[int]]:
        """The children of each bound unit, in the order of their codes."""
        leader = self.publication.leader
        found: dict[int, list[int]] = {}
        for member in np.flatnonzero(leader != np.arange(len(leader))).tolist():
            found.setdefault(int(leader[member]), [int(leader[member])]).append(member)
        return {unit: sorted(members, key=self.publication.child_codes.__getitem__) for unit, members in found.items()}

    def _digest(self, child: int) -> str:
        digest = hashlib.sha256(self._seed + self._family_code(child).encode()).hexdigest()
        return f'"{digest}"'

    @cached_property
    def _seed(self) -> bytes:
        return bytes.fromhex(self.publication.draw.seed or "")

    @cached_property
    def _family_codes(self) -> list[str]:
        found: list[str] = to_column(self.publication.market.codes.families).to_pylist()
        return found

    def _family_code(self, child: int) -> str:
        family = self.publication.market.family
        return self._family_codes[child if family is None else int(family[child])]

    @cached_property
    def _families(self) -> dict[str, list[str]]:
        """The children of each family that the seed drew, in the order of their codes."""
        of = self.publication
        found: dict[str, list[str]] = {}
        for child in of.facts.order.tolist():
            if of.parsed.held is None or of.parsed.held[child] < 0:
                found.setdefault(self._family_code(child), []).append(of.child_codes[child])
        return found

    def _family(self, child: int) -> str:
        return f"[{','.join(map(quote, self._families[self._family_code(child)]))}]"

    def _elder(self, child: int) -> str:
        """The facts of the elder, whose salt shows where it is placed; of another family's child only the seat."""
        of = self.publication
        elder = -1 if of.market.elder is None else int(of.market.elder[child])
        if elder < 0:
            return "null"
        if self._family_code(elder) == self._family_code(child):
            return of.facts.proof(elder)
        placed = of.outcome.programme[elder] >= 0
        return f'{{"seat":"{seat_code(bytes.fromhex(of.facts.salts[elder]), of.run)}"}}' if placed else '{"seat":null}'

    def _wishes(self, child: int) -> str:
        of, market = self.publication, self.publication.market
        begin, end = self.wish_begin[child], self.wish_begin[child + 1]
        own = self._entries(child)
        programmes = market.programme[begin:end].tolist()
        ranks = range(1, end - begin + 1) if market.rank is None else market.rank[begin:end].tolist()
        tiers = of.outcome.unit_tier[begin:end].tolist()
        return ",".join(
            f'{{"blocks":[{own.get(programme, "")}],"programme":{self.programmes[programme]},"rank":{rank},"tier":{tier}}}'
            for programme, rank, tier in zip(programmes, ranks, tiers, strict=True)
        )

    def _entries(self, child: int) -> dict[int, str]:
        """The entries of a child in the blocks of each programme."""
        of = self.publication
        rows = self.entry_rows[self.entry_begin[child] : self.entry_begin[child + 1]]
        codes, entries = of.entries.code[rows].tobytes().hex(), of.entries
        width = len(codes) // max(1, len(rows))
        columns = (entries.block[rows].tolist(), entries.outcome[rows].tolist(), entries.position[rows].tolist())
        found: dict[int, str] = {}
        for number, (at, outcome, position) in enumerate(zip(*columns, strict=True)):
            block = of.blocks[at]
            entry = codes[number * width : (number + 1) * width]
            told = f'{{"block":"{block.code}","entry":"{entry}","outcome":"{OUTCOMES[outcome]}","position":{position}}}'
            before = found.get(block.programme)
            found[block.programme] = told if before is None else f"{before},{told}"
        return found

    def _hidden(self, child: int) -> dict[str, Any]:
        """For each hidden block that the child asked: the commitments of its fields, and those that decided, opened."""
        of = self.publication
        found: dict[str, Any] = {}
        for row in range(self.option_begin[child], self.option_begin[child + 1]):
            pool = int(of.options.pool[row])
            block = of.blocks[of.block_of[pool]]
            if not block.hidden or of.options.guaranteed[row] or OUTCOMES[of.options.outcome[row]] == "better":
                continue
            told = found.setdefault(block.code, {"fields": self._fields(block), "opened": []})
            for name in self._deciding(row, pool):
                salt = of.line_salt(block, pool, name).hex()
                told["opened"].append([of.market.pools.name(pool), name, of.line(pool)[name], salt])
        return found

    def _fields(self, block: Block) -> list[str]:
        for pool in block.pools:
            if pool not in self.fields:
                self.fields[pool] = self.publication.field_commitments(block, pool)
        return [each for pool in block.pools for each in self.fields[pool]]

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

    def _result(self, child: int) -> str:
        of, pool = self.publication, int(self.publication.outcome.pool[child])
        if pool < 0:
            return "null"
        block, programme = of.blocks[of.block_of[pool]].code, self.programmes[of.outcome.programme[child]]
        rank = of.outcome.listed_rank[child]
        return f'{{"block":"{block}","pool":{quote(of.market.pools.name(pool))},"programme":{programme},"rank":{rank}}}'
