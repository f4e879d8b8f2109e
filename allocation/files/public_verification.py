"""What is wrong with a public file, as anybody can find without the facts of a child."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from allocation.arrays import Array
from allocation.draw_form import DrawFormError
from allocation.files.bundle import DrawRecord2
from allocation.files.commitments import commitment_2
from allocation.files.opening_verification import verify_opening
from allocation.files.public_file import CLOSED_BY_UNIT, GUARANTEED_OVER, LOCKED, REASONS, UNIT_OVER
from allocation.files.public_reader import BlockRow, PublicFile, open_public
from allocation.files.publication import ADMITTED, OVER, REFUSED
from allocation.outcome import ALL, LINE, STATES
from allocation.validation import LARGEST_UNIT, WORST_TIER

__all__ = ["hidden_blocks", "seed_differences", "verify_opening", "verify_public"]


def verify_public(public: str | Path | PublicFile, published_commitment: str | None = None) -> list[str]:
    """What is wrong with a public file, one line each; an empty list means that all that can be checked is right.

    ``published_commitment`` (64 hex digits) is the one that was published before the draw, from another source than the
    file. Without it a file that is wrong as a whole, but agrees with itself, is not found. Raises
    :class:`~allocation.faults.MarketFault` for what is no public file.
    """
    file = public if isinstance(public, PublicFile) else open_public(public)
    wrong = [f"{name} does not belong into a public file" for name in file.unknown]
    wrong += commitment_differences(file.draw.commitment, published_commitment)
    wrong += _commitment(file)
    wrong += seed_differences(file.draw, file.head.get("seed"), file.head.get("draw_form"))
    wrong += _digests(file)
    block_faults = list(_blocks(file))
    wrong += block_faults
    return wrong if block_faults else wrong + list(_orders(file)) + list(_seats(file))


def commitment_differences(commitment: str, published: str | None) -> Iterator[str]:
    """Whether a file is about another commitment than the published one."""
    if published is not None and commitment != published.lower():
        yield f"the file is not about the published commitment: it is about {commitment}, published was {published}"


def _commitment(file: PublicFile) -> Iterator[str]:
    ours = commitment_2(file.files, file.root)
    if ours != file.draw.commitment:
        yield f"the commitment is not that of these files: {file.draw.commitment} was published, they give {ours}"
    if file.head.get("children") != file.about["children"]:
        yield "market.json and public.json name different numbers of children"


def seed_differences(draw: DrawRecord2, noted: str | None, declared: object) -> Iterator[str]:
    """Whether the seed of a ``draw/2`` comes from the commitment, the form that was declared with it, and the parts."""
    if noted != draw.seed:
        yield "the seed in market.json is not the one in draw.json"
    if declared != (None if draw.form is None else draw.form.declared()):
        yield "the form in draw.json is not the one that was declared with the market"
    if draw.seed is None:
        return
    try:
        if draw.expected_seed() != draw.seed:
            yield "the seed does not come from commitment, form, beacon and ceremony"
    except DrawFormError as error:
        yield from (f"the seed: {fault}" for fault in error.faults)
    except ValueError as error:
        yield f"the seed: {error}"


def _digests(file: PublicFile) -> Iterator[str]:
    if (file.draw.seed is None) != (file.digests is None):
        yield "digests.csv is missing" if file.digests is None else "digests.csv is there, but no seed"
    if file.digests is None:
        return
    digests = [digest for digest, _ in file.digests]
    drawn = sum(children for _, children in file.digests)
    if any(a >= b for a, b in pairwise(digests)):
        yield "digests.csv is not in the order of the digests"
    if any(children < 1 for _, children in file.digests):
        yield "digests.csv has a family without children"
    if drawn > file.about["children"] or (not file.head.get("after") and drawn < file.about["children"]):
        yield f"digests.csv has {drawn} children, the market {file.about['children']}"


def _blocks(file: PublicFile) -> Iterator[str]:
    """The blocks are the pools of the programmes, each once, with their places."""
    pools, market = file.market.pools, file.market
    names = list(file.programme_numbers)
    known = {(names[pools.programme[q]], pools.name(q)): q for q in range(pools.count)}
    seen: set[int] = set()
    for number, block in enumerate(file.blocks, start=1):
        own = [known.get((block.programme, name)) for name in block.pools]
        found = [q for q in own if q is not None]
        if block.code != str(number):
            yield f"blocks.csv: block {block.code} is not numbered {number}"
        if None in own or not own or seen & set(found) or len(set(found)) < len(found):
            yield f"block {block.code}: not pools of {block.programme} that stand in no other block"
            continue
        seen |= set(found)
        if block.places != int(pools.places[found].sum()):
            yield f"block {block.code}: {block.places} places, the committed files give {pools.places[found].sum()}"
        if not _cells_agree(block):
            yield f"block {block.code}: a hidden block shows a line, or a shown block has none"
    for q in range(market.pools.count):
        if pools.places[q] > 0 and q not in seen:
            yield f"{names[pools.programme[q]]}, {pools.name(q)}: the pool is in no block"
    if not np.isin(file.orders.block, np.arange(1, len(file.blocks) + 1)).all() or (np.diff(file.orders.block) < 0).any():  # fmt: skip
        yield "orders.csv is not in the order of the blocks"


def _cells_agree(block: BlockRow) -> bool:
    if block.hidden:
        return not block.state and block.line is None and block.line_position is None and block.line_commitment != ""
    line = block.state == STATES[LINE]
    right = len(block.pools) == 1 and block.state != "" and not block.line_commitment
    return right and (block.line is not None) == line and (block.line_position is not None) == line


def _orders(file: PublicFile) -> Iterator[str]:
    orders, begins = file.orders, file.begins
    for at, block in enumerate(file.blocks):
        rows = slice(int(begins[at]), int(begins[at + 1]))
        outcome, entry = orders.outcome[rows], orders.entry[rows]
        count = len(outcome)
        if block.applicants != count or (orders.position[rows] != np.arange(1, count + 1)).any():
            yield f"block {block.code}: the positions are not 1 to {block.applicants}"
        if block.hidden and (entry[1:] <= entry[:-1]).any():
            yield f"block {block.code}: the entries of a hidden block are not in the order of their codes"
        if ((orders.nullifier[rows] != b"") != (outcome <= OVER)).any():
            yield f"block {block.code}: a nullifier stands at an entry that was not admitted, or is missing"
        if block.filled != np.count_nonzero(outcome <= OVER):
            yield f"block {block.code}: {block.filled} filled, the order has {np.count_nonzero(outcome <= OVER)}"
        if not block.hidden:
            yield from _line(file, block, outcome)
        yield from _places(file, block, outcome)


def _line(file: PublicFile, block: BlockRow, outcome: Array) -> Iterator[str]:
    admitted, refused = np.flatnonzero(outcome == ADMITTED), np.flatnonzero(outcome == REFUSED)
    last = int(admitted[-1]) + 1 if len(admitted) else 0
    if len(refused) and refused[0] < last:
        yield f"block {block.code}: position {refused[0] + 1} is refused, but position {last} is admitted"
    everybody = block.state == STATES[ALL]
    if (everybody and len(refused)) or not (everybody or len(refused) or (outcome == OVER).any()):
        yield f"block {block.code}: the state {block.state} is not that of its order"
    if block.line is None:
        return
    eligible, tier, ticket = block.line
    if block.line_position != last:
        yield f"block {block.code}: the line is at position {block.line_position}, the last admitted at {last}"
    most = file.head.get("after", 0) + file.about["children"]
    if eligible > 1 or tier > WORST_TIER or ticket < 1 or (file.draw.seed is not None and ticket > most):
        yield f"block {block.code}: no child can have the numbers of the line"


def _places(file: PublicFile, block: BlockRow, outcome: Array) -> Iterator[str]:
    pools, close = len(block.pools), file.market.pair_rule == "close"
    over, refused = np.count_nonzero(outcome == OVER), np.count_nonzero(outcome == REFUSED)
    most_by_units = pools * (LARGEST_UNIT - 1)
    reasons = set(block.reasons)
    if not reasons <= set(REASONS):
        yield f"block {block.code}: {';'.join(block.reasons)} is no reason"
    if (over > 0) != (GUARANTEED_OVER in reasons):
        yield f"block {block.code}: {over} stand over by a guarantee, which is not what its reason says"
    above = block.filled - over - block.places
    if above > 0 and not (UNIT_OVER in reasons and not close and above <= most_by_units):
        yield f"block {block.code}: {block.filled} children in {block.places} places"
    free = block.places - block.filled
    locked = LOCKED in reasons and block.hidden and _has_locked_pool(file, block)
    closed = CLOSED_BY_UNIT in reasons and close and (free <= most_by_units or locked)
    if refused and free > 0 and not (locked or closed):
        yield f"block {block.code}: {refused} refused while {free} places are free"


def hidden_blocks(public: str | Path) -> tuple[int, int]:
    """How many blocks of a public file show no order, and how many blocks there are."""
    blocks = open_public(public).blocks
    return sum(block.hidden for block in blocks), len(blocks)


def _has_locked_pool(file: PublicFile, block: BlockRow) -> bool:
    pools, programme = file.market.pools, file.programme_numbers[block.programme]
    own = range(pools.start[programme], pools.start[programme + 1])
    return any(pools.locked[q] for q in own if pools.name(q) in block.pools)


def _seats(file: PublicFile) -> Iterator[str]:
    """No entry twice, no child in two places, and no more guaranteed children than were committed."""
    over = int(np.count_nonzero(file.orders.outcome == OVER))
    if over > file.head["guaranteed"]:
        yield f"{over} children stand over by a guarantee, {file.head['guaranteed']} have one"
    for name, codes in (("entry", file.orders.entry), ("nullifier", file.orders.nullifier)):
        ordered = np.sort(codes[codes != b""])
        twice = np.flatnonzero(ordered[1:] == ordered[:-1])
        if len(twice):
            meaning = "a child has two places" if name == "nullifier" else "an entry stands twice"
            yield f"orders.csv: {meaning}: {ordered[twice[0]].decode()}"
