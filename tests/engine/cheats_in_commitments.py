"""Cheats in what was committed, in the seed and in its digests."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from allocation import lottery
from allocation.benchmark.synthetic import synthetic_market
from allocation.draw_form import DrawForm
from allocation.files.publication import Publication, Settings
from allocation.lottery import tagged_hash
from allocation.outcome import STATES
from tests.engine.honest_draws import Published, honest, town
from tests.engine.three_files import Draw, a_draw, entries_of


def other_facts(change: Callable[[dict[str, bytes]], str]) -> Callable[[], Published]:
    """Facts are changed after the commitment and everything is made again from them, but for commitment and seed."""

    def make() -> Published:
        draw = town()
        market = dict(draw.market)
        child = change(market)
        again = Draw(market, draw.record, Publication(market, draw.record, draw.publication.settings))
        found = honest(again)
        found.public["public.json"] = entries_of(draw.public)["public.json"]
        found.harmed = [child]
        return found

    return make


def first_tier(value: int) -> Callable[[dict[str, bytes]], str]:
    def change(market: dict[str, bytes]) -> str:
        rows = [line.split(",") for line in market["wishes.csv"].decode().splitlines()]
        row = next(row for row in rows[1:] if row[1] == "1" and int(row[3]) not in (0, 4))
        row[3] = str(value)
        market["wishes.csv"] = ("\n".join(map(",".join, rows)) + "\n").encode()
        return row[0]

    return change


def other_salt(market: dict[str, bytes]) -> str:
    rows = [line.split(",") for line in market["salts.csv"].decode().splitlines()]
    rows[5][1] = "ab" * 32
    market["salts.csv"] = ("\n".join(map(",".join, rows)) + "\n").encode()
    return rows[5][0]


def salts_ground_again() -> Published:
    """New salts, a new root, and all that follows from them; the commitment stays."""
    draw = town()
    market = dict(draw.market)
    other_salt(market)
    return honest(Draw(market, draw.record, Publication(market, draw.record, draw.publication.settings)))


def forged_as_a_whole() -> Published:
    """Another market with a commitment, a seed and a result of its own: it agrees with itself in everything."""
    other = a_draw(synthetic_market(300, seed=2, units=True, pools=True, codes=True))
    return replace(honest(other), known=town().record.commitment)


def _record(found: Published, **values: Any) -> Published:
    """Another record of the draw in the public and in the full file, with a result that follows from its seed."""
    record = replace(town().record, **values)
    market = dict(town().market)
    market["market.json"] = lottery.canonical({**json.loads(market["market.json"]), "seed": record.seed})
    settings: Settings = town().publication.settings
    return replace(honest(Draw(market, record, Publication(market, record, settings))), known=found.known)


def another_seed() -> Published:
    return _record(honest(town()), seed="5e" * 32)


def other_spelling() -> Published:
    """The same numbers in another spelling give another seed: 406 spellings were tried until a child was first."""
    record = town().record
    assert record.form is not None
    beacon = record.beacon.replace("2 7", "02 7", 1)
    seed = tagged_hash(
        "seed/2",
        bytes.fromhex(record.commitment),
        record.form.text().encode(),
        beacon.encode(),
        record.ceremony.encode(),
    )
    return _record(honest(town()), beacon=beacon, seed=seed.hex())


def other_form() -> Published:
    record = town().record
    assert record.form is not None
    declared: Any = record.form.declared()
    declared["ceremony"]["most"] = 7
    other = replace(record, form=DrawForm.parse(declared))
    return _record(honest(town()), form=other.form, seed=other.expected_seed())


def another_witnessed_number() -> Published:
    other = replace(town().record, ceremony="6 6 6")
    return _record(honest(town()), ceremony="6 6 6", seed=town().record.seed or other.seed)


def drop_a_family_from_the_digests() -> Published:
    found = honest(town())
    rows = found.rows("digests.csv")
    del rows[7]
    found.write("digests.csv", rows)
    return found


def another_digest() -> Published:
    """A family's digest is replaced by one that comes a little later."""
    found = honest(town())
    rows = found.rows("digests.csv")
    old = rows[7][0]
    rows[7][0] = f"{int(old, 16) + 1:064x}"
    found.harmed = [next(code for code, one in found.openings.items() if one["digest"] == old)]
    found.write("digests.csv", rows)
    return found


def digests_in_another_order() -> Published:
    found = honest(town())
    rows = found.rows("digests.csv")
    rows[3], rows[4] = rows[4], rows[3]
    found.write("digests.csv", rows)
    return found


def raise_places() -> Published:
    """A place more in a programme than was committed."""
    found = honest(town())
    rows = found.rows("programmes.csv")
    rows[1][5] = str(int(rows[1][5]) + 1)
    found.write("programmes.csv", rows)
    return found


def leave_a_pool_out() -> Published:
    """The last block is taken out, with its entries."""
    found = honest(town())
    *rows, gone = found.rows("blocks.csv")
    found.write("blocks.csv", rows)
    found.write("orders.csv", [cells for cells in found.rows("orders.csv") if cells[0] != gone[0]])
    return found


def other_number_of_children() -> Published:
    found = honest(town())
    found.change_json("public.json", children=found.json("public.json")["children"] + 1)
    return found


def false_hidden_line() -> Published:
    """The commitment of a hidden block is to a line one ticket better than the true one, and the openings agree with it."""
    draw = town()
    of, cutoffs = draw.publication, draw.publication.outcome.cutoffs
    pool = next(
        pool for block in of.blocks if block.hidden for pool in block.pools if STATES[cutoffs.state[pool]] == "line"
    )
    ticket = cutoffs.ticket.copy()
    ticket[pool] -= 1
    false = replace(of.outcome, cutoffs=replace(cutoffs, ticket=ticket))
    found = replace(
        honest(Draw(draw.market, draw.record, Publication(draw.market, draw.record, of.settings, false))),
        full=draw.full,
    )
    last = int(np.flatnonzero(of.market.ticket == cutoffs.ticket[pool])[0])
    found.harmed = [of.child_codes[last]]
    return found
