"""The commitment of ``market/2``: the public files as they are, and the facts of all children as one Merkle root.

A family can be shown that its own facts are among those that were committed, without the facts of any other child. The
leaf of a child is hashed with a random salt, so that nobody can find facts by trying. ``docs/engine.md`` has the format.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from allocation import lottery
from allocation.arrays import Array
from allocation.draw_form import DrawForm
from allocation.faults import Fault, MarketFault
from allocation.files import text_columns as text
from allocation.files.csv_rows import Column, csv_bytes, hex_texts
from allocation.files.json_objects import parse_object
from allocation.files.layout import COLUMNS, FORMAT_2
from allocation.files.reader import ParsedMarket, parse_files
from allocation.lottery import DIGEST_BYTES, sized, tagged_hash

CHILDREN_ROOT = "children.root"
PUBLIC_FILES = ("market.json", "programmes.csv", "pools.csv")
"""The files of a market that are public as they are; in the commitment the root stands for the others."""

LEFT, RIGHT = "L", "R"
Path = list[list[str]]
"""From a leaf to the root: on which side the other node is, and its 64 hex digits."""

_AT_ONCE = 1 << 14
"""Children whose wishes are there as texts at the same time."""
_EMPTY = "empty/2"
_NODE = "node/2"
_LEAF = "child/2"


def market_files_2(
    files: Mapping[str, bytes], form: DrawForm | None, *, salts: bytes, after: int = 0
) -> dict[str, bytes]:
    """The files of a ``market/1`` as those of a ``market/2``: with the declared form of the draw and a salt for each child.

    ``salts`` are 32 random bytes for each child, in the order of the codes, new for each snapshot: the engine itself makes
    nothing by chance. ``form`` is ``None`` where every child has its ticket. ``after`` is the last ticket that the
    season has given.
    """
    head = parse_object(files["market.json"], "market.json")
    table = text.read_columns(files["children.csv"], COLUMNS["children.csv"], lambda row, why: None)
    codes = text.take(table["child"], text.sort_order(table["child"]))
    rows = np.arange(len(codes))
    columns = (
        Column(rows, text.texts(codes)),
        Column(rows, hex_texts(np.frombuffer(salts, dtype=np.uint8).reshape(len(codes), DIGEST_BYTES))),
    )
    declared = None if form is None else form.declared()
    fields = {
        **head, "format": FORMAT_2, "after": after, "children": len(codes), "draw_form": declared,
        "guaranteed": int(np.count_nonzero(text.lengths(table["current"]))),
    }  # fmt: skip
    return {**files, "market.json": lottery.canonical(fields), "salts.csv": csv_bytes(COLUMNS["salts.csv"], columns)}


def commitment(files: Mapping[str, bytes]) -> str:
    """The 64 hex digits that fix a ``market/2``."""
    return commitment_2(files, children_root(parse_files(files)))


def commitment_2(files: Mapping[str, bytes], root: str) -> str:
    """The 64 hex digits that fix the public files of a ``market/2`` and, by their root, the facts of all children."""
    public = {name: files[name] for name in PUBLIC_FILES if name in files}
    public["market.json"] = lottery.without_seed(public["market.json"])
    lines = {name: hashlib.sha256(data).hexdigest() for name, data in public.items()} | {CHILDREN_ROOT: root}
    return hashlib.sha256("".join(f"{lines[name]}  {name}\n" for name in sorted(lines)).encode()).hexdigest()


def children_root(parsed: ParsedMarket) -> str:
    """The Merkle root of all children's facts (64 hex digits)."""
    return ChildFacts(parsed).tree.root


class ChildFacts:
    """The facts of each child of a ``market/2`` as they were hashed, and the tree over them.

    Raises :class:`~allocation.faults.MarketFault` for a ``market/1``, which has no salts.
    """

    def __init__(self, parsed: ParsedMarket) -> None:
        if parsed.salts is None:
            raise MarketFault([Fault("market.json", -1, "format", f"not {FORMAT_2}")])
        self.market = parsed.market
        self._salts = bytes.fromhex(text.texts(parsed.salts).data.tobytes().decode())
        self.order = text.sort_order(parsed.market.codes.children)  # the leaves, by the codes of the children
        self.place = np.empty(len(self.order), dtype=np.int64)
        self.place[self.order] = np.arange(len(self.order))
        self._texts_of = FactsTexts(parsed)
        leaves = b"".join(map(self._leaves, blocks_of(self.order)))
        self.tree = MerkleTree(np.frombuffer(leaves, dtype=np.uint8).reshape(-1, DIGEST_BYTES))

    def texts(self, children: Array) -> list[bytes]:
        """The canonical JSON of the facts of these children, made when they are asked for: all at once they would take more
        memory than the market."""
        return self._texts_of(children)

    def _leaves(self, children: Array) -> bytes:
        """As :func:`leaf` for many children, one after the other; the bytes before a salt are made once."""
        digest, before = hashlib.sha256, sized(_LEAF.encode()) + DIGEST_BYTES.to_bytes(8, "big")
        told = zip(children.tolist(), self.texts(children), strict=True)
        return b"".join([digest(before + self.salt(child) + sized(facts)).digest() for child, facts in told])

    def salt(self, child: int) -> bytes:
        """The salt of a child (32 bytes)."""
        return self._salts[DIGEST_BYTES * child : DIGEST_BYTES * (child + 1)]

    def path(self, child: int) -> tuple[str, bytes]:
        """The path from the leaf of a child to the root, as :meth:`MerkleTree.path` gives it."""
        return self.tree.path(int(self.place[child]))


def leaf(salt: bytes, facts: bytes) -> bytes:
    """The leaf of a child (32 bytes) from its salt and the canonical JSON of its facts."""
    return tagged_hash(_LEAF, salt, facts)


def blocks_of(children: Array) -> Iterator[Array]:
    """The children in blocks, whose columns may be Python lists."""
    for begin in range(0, len(children), _AT_ONCE):
        yield children[begin : begin + _AT_ONCE]


class FactsTexts:
    """The canonical JSON of the facts of children.

    Written piece by piece: the general JSON writer takes five times as long for a city. A code needs no escape but for
    the backslash; :mod:`allocation.files.codes` allows neither quotation marks nor control characters.
    """

    def __init__(self, parsed: ParsedMarket) -> None:
        self.parsed, self.market = parsed, parsed.market
        codes = parsed.market.codes
        self._programmes, self._groups = _quoted(codes.programmes), text.to_column(codes.groups).to_pylist()
        self._children, self._families, self._units = map(text.to_column, (codes.children, codes.families, codes.units))

    def __call__(self, children: Array) -> list[bytes]:
        market, held = self.market, self.parsed.held
        own = children if market.family is None else market.family[children]
        columns = [
            _quoted(text.take(self._children, children)),
            self._cells(market.current, children, None), self._cells(market.elder, children, self._children),
            _quoted(text.take(self._families, own)), self._group_lists(children),
            ["null"] * len(children) if held is None else ["null" if n < 0 else str(n) for n in held[children].tolist()],
            self._cells(market.unit, children, self._units), self._wish_lists(children),
        ]  # fmt: skip
        return [
            f'{{"child":{code},"current":{current},"elder":{elder},"family":{of},"groups":[{groups}],"ticket":{ticket},'
            f'"unit":{bound},"wishes":[{wishes}]}}'.encode()
            for code, current, elder, of, groups, ticket, bound, wishes in zip(*columns, strict=True)
        ]

    def _cells(self, column: Array | None, children: Array, codes: text.Text | None) -> Sequence[str]:
        """The codes of a column of these children, of programmes without ``codes``; null where there is none."""
        found = ["null"] * len(children)
        if column is None:
            return found
        numbers = column[children]
        rows = np.flatnonzero(numbers >= 0)
        named = numbers[rows]
        told = [self._programmes[at] for at in named.tolist()] if codes is None else _quoted(text.take(codes, named))
        for row, code in zip(rows.tolist(), told, strict=True):
            found[row] = code
        return found

    def _group_lists(self, children: Array) -> Sequence[str]:
        start, group = self.market.group_start, self.market.group
        if start is None or group is None:
            return [""] * len(children)
        bounds = zip(start[children].tolist(), start[children + 1].tolist(), strict=True)
        return [
            ",".join(map(quote, sorted({self._groups[number] for number in group[begin:end].tolist()})))
            if begin < end else ""
            for begin, end in bounds
        ]  # fmt: skip

    def _wish_lists(self, children: Array) -> Sequence[str]:
        market, quoted = self.market, self._programmes
        begins = market.offsets[children]
        lengths = market.offsets[children + 1] - begins
        ends = np.cumsum(lengths)
        step = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
        wish = np.repeat(begins, lengths) + step
        rank = step + 1 if market.rank is None else market.rank[wish]
        columns = (column.tolist() for column in (rank, market.programme[wish], market.tier[wish]))
        wishes = [f"[{number},{quoted[programme]},{tier}]" for number, programme, tier in zip(*columns, strict=True)]
        return [",".join(wishes[begin:end]) for begin, end in pairwise([0, *ends.tolist()])]


def _quoted(codes: Any) -> list[str]:
    return [quote(code) for code in text.to_column(codes).to_pylist()]


def quote(code: str) -> str:
    """The JSON of a code."""
    return '"' + code.replace("\\", "\\\\") + '"'


class MerkleTree:
    """A binary tree of hashes over leaves (uint8[n, 32]); an odd last node is carried up unchanged."""

    def __init__(self, leaves: Array) -> None:
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            self.levels.append(_level_above(self.levels[-1]))
        self._known = [(-1, "", b"")] * (
            len(self.levels) - 1
        )  # of each level the node that was asked last, and its way up

    @property
    def root(self) -> str:
        """64 hex digits."""
        top = self.levels[-1]
        return top[0].tobytes().hex() if len(top) else tagged_hash(_EMPTY).hex()

    def path(self, leaf_number: int) -> tuple[str, bytes]:
        """From leaf ``leaf_number`` to the root: on which side the other node of each step is, and these nodes one after the other.

        The upper part is that of the leaf before, if they share it: of one leaf after another only two nodes are new.
        """
        depth = len(self._known)
        nodes = [leaf_number >> level for level in range(depth)]
        known = next((level for level in range(depth) if self._known[level][0] == nodes[level]), depth)
        _node, sides, digests = self._known[known] if known < depth else (-1, "", b"")
        for level in range(known - 1, -1, -1):
            node, other = nodes[level], nodes[level] ^ 1
            if other < len(self.levels[level]):
                sides = (LEFT if other < node else RIGHT) + sides
                digests = self.levels[level][other].tobytes() + digests
            self._known[level] = (node, sides, digests)
        return sides, digests


def root_of(leaf_hash: bytes, path: Sequence[Sequence[str]]) -> str:
    """The root (64 hex digits) to which a path leads from a leaf."""
    node = leaf_hash
    for side, other in path:
        beside = bytes.fromhex(other)
        node = tagged_hash(_NODE, beside, node) if side == LEFT else tagged_hash(_NODE, node, beside)
    return node.hex()


def _level_above(nodes: Array) -> Array:
    """Each pair of a level hashed; as :func:`~allocation.lottery.tagged_hash`, with the bytes before a node made once."""
    length = DIGEST_BYTES.to_bytes(8, "big")
    before, digest, packed = len(_NODE).to_bytes(8, "big") + _NODE.encode() + length, hashlib.sha256, nodes.tobytes()
    above = b"".join(
        digest(
            before + packed[at : at + DIGEST_BYTES] + length + packed[at + DIGEST_BYTES : at + 2 * DIGEST_BYTES]
        ).digest()
        for at in range(0, len(packed) - DIGEST_BYTES, 2 * DIGEST_BYTES)
    )
    pairs = np.frombuffer(above, dtype=np.uint8).reshape(-1, DIGEST_BYTES)
    return np.concatenate([pairs, nodes[2 * len(pairs) :]])
