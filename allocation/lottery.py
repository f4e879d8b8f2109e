"""The draw of a season: commitment, seed, tickets. Anybody can repeat it with a SHA-256 tool.

``seed_bytes = SHA-256(commitment ‖ beacon ‖ ceremony)``: the commitment as its 32 bytes, the other two as published
(text as UTF-8), absent ones empty. ``digest = SHA-256(seed_bytes ‖ family code)``; families are ordered by their
digests, the children of a family by their codes; the ticket of a child is its position in that order, from 1.  A later
format, ``draw/2``, differs in the seed alone: :func:`seed_bytes_2`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from allocation.arrays import Array
from allocation.draw_form import DrawForm
from allocation.market import Market
from allocation.sha256 import digests

DIGEST_BYTES = 32


def commitment(files: Mapping[str, bytes]) -> str:
    """The 64 hex digits that fix a market: SHA-256 over a line for each file, in name order.

    ``files`` holds ``market.json`` and the CSV files of the market; the seed in ``market.json`` counts as null.
    """
    return hashlib.sha256(commitment_lines(files)).hexdigest()


def commitment_lines(files: Mapping[str, bytes]) -> bytes:
    """The hashed lines: ``sha256␠␠name␊`` for each file, as ``sha256sum`` prints it."""
    fixed = {**files, "market.json": without_seed(files["market.json"])}
    lines = (f"{hashlib.sha256(fixed[name]).hexdigest()}  {name}\n" for name in sorted(fixed))
    return "".join(lines).encode()


def without_seed(market_json: bytes) -> bytes:
    """``market.json`` with the seed null, keys sorted, no spaces."""
    return canonical({**json.loads(market_json), "seed": None})


def canonical(value: object) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8, without a line end."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seed_bytes(commitment: str, beacon: str | bytes = b"", ceremony: str | bytes = b"") -> bytes:
    """The seed (32 bytes) from the commitment (64 hex digits) and the two public parts."""
    fixed = bytes.fromhex(commitment)
    if len(fixed) != DIGEST_BYTES:
        raise ValueError(f"a commitment has 64 hex digits, not {len(commitment)}")
    return hashlib.sha256(fixed + _bytes(beacon) + _bytes(ceremony)).digest()


def seed_bytes_2(commitment: str, form: DrawForm, beacon: str = "", ceremony: str = "") -> bytes:
    """The seed (32 bytes) of a ``draw/2``: a hash of the commitment, the declared form and the two parts.

    Each part has its length before it, so that no text can be moved from one part to the other.  Raises ``ValueError``
    for a commitment without 64 hex digits, and ``DrawFormError`` for parts that are not in the one spelling of the form.
    """
    fixed = bytes.fromhex(commitment)
    if len(fixed) != DIGEST_BYTES:
        raise ValueError(f"a commitment has 64 hex digits, not {len(commitment)}")
    form.require_parts(beacon=beacon, ceremony=ceremony)
    return tagged_hash("seed/2", fixed, form.text().encode(), beacon.encode(), ceremony.encode())


def tagged_hash(tag: str, *parts: bytes) -> bytes:
    """SHA-256 over the tag and the parts, each after its length as 8 bytes, the most significant first."""
    return hashlib.sha256(b"".join([sized(part) for part in (tag.encode(), *parts)])).digest()


def sized(part: bytes) -> bytes:
    """A part of a tagged hash: its length as 8 bytes, the most significant first, and the part."""
    return len(part).to_bytes(8, "big") + part


def _bytes(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part


def draw(seed: bytes, families: Sequence[str], children: Sequence[str], after: int = 0) -> Array:
    """Tickets (uint32[n]) for ``children`` (distinct codes) of ``families`` (the family code of each).

    The first ticket is ``after + 1``: children who join later get tickets after the last one, from a seed of their own.
    Raises ``ValueError`` for a seed that is not 32 bytes or a repeated child code.
    """
    if len(set(children)) != len(children):
        raise ValueError("a child code is there twice")
    number: dict[str, int] = {}
    family = [number.setdefault(code, len(number)) for code in families]
    encoded = [code.encode() for code in number]
    starts = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(code) for code in encoded], out=starts[1:])
    order = sorted(range(len(children)), key=children.__getitem__)
    ranks = family_ranks(seed, np.frombuffer(b"".join(encoded), dtype=np.uint8), starts)
    return tickets(ranks[np.array(family, dtype=np.int64)], np.array(order, dtype=np.int64), after)


def family_ranks(seed: bytes, texts: Array, starts: Array) -> Array:
    """The place of each family (int64, from 0) in the order of SHA-256(seed ‖ code).

    ``texts`` (uint8) holds the codes one after the other, code ``i`` from ``starts[i]`` to ``starts[i + 1]``.
    """
    if len(seed) != DIGEST_BYTES:
        raise ValueError(f"a seed has {DIGEST_BYTES} bytes, not {len(seed)}")
    words = digests(seed, texts, starts).view(">u8").astype(np.uint64)
    order = np.argsort(words[:, 0])
    if (np.diff(words[order, 0]) == 0).any():  # two digests with the same first 8 bytes
        order = np.lexsort((words[:, 3], words[:, 2], words[:, 1], words[:, 0]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def tickets(rank: Array, child_order: Array, after: int = 0) -> Array:
    """Tickets (uint32[n]) from the rank of each child's family and the order of the child codes (int64[n] each)."""
    line = child_order[np.argsort(rank[child_order] * len(rank) + np.arange(len(rank)))]
    ticket = np.empty(len(line), dtype=np.uint32)
    ticket[line] = np.arange(after + 1, after + 1 + len(line), dtype=np.uint32)
    return ticket


def draw_market(market: Market, seed: bytes, after: int = 0) -> Market:
    """The market with the tickets of this seed; its codes must name children and families."""
    children = [str(code) for code in market.codes.children]
    names = [str(code) for code in market.codes.families]
    families = children if market.family is None else [names[family] for family in market.family.tolist()]
    return market.with_tickets(draw(seed, families, children, after), seed=seed.hex())
