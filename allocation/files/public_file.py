"""The public file of a draw: everybody can check every pool, every line and the seed, and nobody can find a child."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from allocation import lottery
from allocation.arrays import Array
from allocation.files import text_columns as text
from allocation.files.bundle import DrawRecord2, zip_parts
from allocation.files.commitments import PUBLIC_FILES
from allocation.files.csv_rows import ROWS_AT_ONCE, Column, csv_bytes, csv_of_parts, encode_texts, hex_texts
from allocation.files.publication import (
    ADMITTED,
    ENTRY_BYTES,
    LINE_FIELDS,
    OUTCOMES,
    OVER,
    REFUSED,
    Block,
    Publication,
    Sensitive,
    Settings,
    seat_code,
)  # fmt: skip
from allocation.outcome import LINE, STATES, Outcome
from allocation.sha256 import digests

FORMAT = "public/2"
PUBLIC_COLUMNS = {
    "blocks.csv": (
        "block", "programme", "pool", "order", "places", "filled", "applicants", "state", "line_position",
        "line_eligible", "line_tier", "line_ticket", "reason", "line_commitment",
    ),
    "orders.csv": ("block", "position", "entry", "outcome", "nullifier"),
    "digests.csv": ("digest", "children"),
}  # fmt: skip
SHOWN, HIDDEN = "shown", "hidden"

CLOSED_BY_UNIT, LOCKED, GUARANTEED_OVER, UNIT_OVER = "closed_by_unit", "locked", "guaranteed_over", "unit_over"
REASONS = (CLOSED_BY_UNIT, GUARANTEED_OVER, LOCKED, UNIT_OVER)
"""Why a block has free places although somebody was refused there, or more children than places; joined by ``;``."""


def make(
    market_files: Mapping[str, bytes],
    draw: DrawRecord2,
    outcome: Outcome | None = None,
    *,
    run: int,
    secret: bytes,
    sensitive: Sensitive | None = None,
    replays: int | None = None,
) -> bytes:
    """The public zip file of one result. ``market_files`` are those of a ``market/2`` with the seed, if there is one.

    ``run`` numbers the result among those of its round. ``secret`` are 32 random bytes of this run; they hide the lines
    of hidden blocks, so that they must not become public.
    """
    settings = Settings(run, secret, sensitive or Sensitive(), replays, hides_few_moves=replays is not None)
    return write(Publication(market_files, draw, settings, outcome))


def write(publication: Publication) -> bytes:
    """As :func:`make`, from a publication that is also used for openings."""
    return b"".join(write_parts(publication))


def write_parts(publication: Publication) -> list[bytes]:
    """As :func:`write`, in parts like those of :func:`allocation.files.bundle.zip_parts`."""
    return zip_parts(public_files(publication))


def public_files(of: Publication) -> dict[str, bytes]:
    """The files in the zip file, by name."""
    names = of.market.pools.name
    about = {
        "format": FORMAT, "run": of.settings.run, "children_root": of.facts.tree.root, "children": of.market.children,
        "replays": of.settings.replays,
        "merged": {block.code: [names(q) for q in block.pools] for block in of.blocks if len(block.pools) > 1},
    }  # fmt: skip
    found = {name: of.files[name] for name in PUBLIC_FILES if name in of.files}
    found |= {
        "draw.json": lottery.canonical(of.draw.fields()), "public.json": lottery.canonical(about),
        "blocks.csv": _blocks(of), "orders.csv": _orders(of),
    }  # fmt: skip
    if of.draw.seed is not None:
        found["digests.csv"] = _digests(of, bytes.fromhex(of.draw.seed))
    return found


def _orders(of: Publication) -> bytes:
    return csv_of_parts(PUBLIC_COLUMNS["orders.csv"], _order_columns(of))


def _order_columns(of: Publication) -> Iterator[Sequence[Column]]:
    """The columns of ``orders.csv``, some thousand rows at a time: as texts, the codes of all take most of the memory of a run."""
    entries, outcomes = of.entries, encode_texts(OUTCOMES)
    for begin in range(0, len(entries.child), ROWS_AT_ONCE):
        rows = slice(begin, begin + ROWS_AT_ONCE)
        outcome, codes = entries.outcome[rows], entries.code[rows]
        placed = np.flatnonzero(outcome <= OVER)
        seats = [seat_code(of.facts.salt(child), of.run) for child in entries.child[rows][placed].tolist()]
        nullifier = np.full(len(outcome), -1, dtype=np.int64)
        nullifier[placed] = np.arange(len(placed))
        yield (
            Column(entries.block[rows] + 1), Column(entries.position[rows]), Column(np.arange(len(codes)), hex_texts(codes)),
            Column(outcome, outcomes), Column(nullifier, encode_texts(seats)),
        )  # fmt: skip


def _blocks(of: Publication) -> bytes:
    entries, cutoffs, pools = of.entries, of.outcome.cutoffs, of.market.pools
    begins = np.searchsorted(entries.block, np.arange(len(of.blocks) + 1))
    waiting, over = (
        np.bincount(of.options.pool[of.options.outcome == which], minlength=pools.count) for which in (REFUSED, OVER)
    )
    rows = []
    for number, block in enumerate(of.blocks):
        outcome = entries.outcome[begins[number] : begins[number + 1]]
        own = list(block.pools)
        row = [
            block.code, of.programme_codes[block.programme], pools.name(own[0]) if len(own) == 1 else "",
            HIDDEN if block.hidden else SHOWN, pools.places[own].sum(), cutoffs.filled[own].sum(), len(outcome),
        ]  # fmt: skip
        if block.hidden:
            row += [""] * 5
        else:
            [pool] = own
            line = of.line(pool)
            last = np.flatnonzero(outcome == ADMITTED)
            row += [STATES[cutoffs.state[pool]], last[-1] + 1 if cutoffs.state[pool] == LINE else ""]
            row += [line[name] for name in LINE_FIELDS[1:]]
        row += [
            ";".join(_reasons(of, block, outcome, waiting, over)),
            of.line_commitment(block) if block.hidden else "",
        ]
        rows.append(",".join(map(str, row)))
    return "\n".join([",".join(PUBLIC_COLUMNS["blocks.csv"]), *rows, ""]).encode()


def _reasons(of: Publication, block: Block, outcome: Array, waiting: Array, over: Array) -> list[str]:
    """What explains the number of children of a block beside its places, in the order of the codes.

    ``waiting`` and ``over`` count for each pool the children whom it refused, and those above its places.
    """
    places, filled = of.market.pools.places, of.outcome.cutoffs.filled
    own = list(block.pools)
    closed = any(waiting[q] and filled[q] < places[q] for q in own)
    free = filled[own].sum() < places[own].sum()
    found = {
        CLOSED_BY_UNIT: closed,
        GUARANTEED_OVER: bool(over[own].any()),
        LOCKED: free and not closed and bool((outcome == REFUSED).any()),
        UNIT_OVER: bool((filled[own] - over[own] > places[own]).any()),
    }
    return [reason for reason in REASONS if found[reason]]


def _digests(of: Publication, seed: bytes) -> bytes:
    """The digests of the families whose tickets this seed drew, in order, with the number of their children."""
    held = of.parsed.held
    joining = np.arange(of.market.children) if held is None else np.flatnonzero(held < 0)
    family = joining if of.market.family is None else of.market.family[joining]
    codes = of.market.codes.families
    children = np.bincount(family, minlength=len(codes))
    drawn = np.flatnonzero(children)
    found = digests(seed, *text.texts(text.take(codes, drawn)))
    words = found.view(">u8").astype(np.uint64)
    order = np.lexsort((words[:, 3], words[:, 2], words[:, 1], words[:, 0]))
    columns = Column(np.arange(len(order)), hex_texts(found[order])), Column(children[drawn][order])
    return csv_bytes(PUBLIC_COLUMNS["digests.csv"], columns)


__all__ = ["ENTRY_BYTES", "FORMAT", "PUBLIC_COLUMNS", "REASONS", "make", "public_files", "write", "write_parts"]
