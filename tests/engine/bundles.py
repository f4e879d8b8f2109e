"""Bundles of small markets, drawn as in the real season."""

import json
from dataclasses import replace

from allocation import files, lottery
from allocation.checks import check
from allocation.files import bundle
from allocation.files.summary import digests, summary
from allocation.market import Codes, Market
from allocation.solve import solve


def with_codes(market: Market) -> Market:
    """The market with codes of two alphabets, so that their order is not that of their numbers."""
    groups = 1 + max([2, *_listed(market.group), *market.pools.group.tolist()])
    children, programmes = range(market.children), range(market.programmes)
    return replace(
        market,
        codes=Codes(
            children=[f"{'娃' if c % 3 == 1 else 'c'}{(c * 7) % 11:02d}-{c}" for c in children],
            programmes=[f"{'𠮷' if p % 2 else '（'}{p}" for p in programmes],
            families=[f"F{(f * 5) % 13:02d}x{f}" for f in range(1 + max([market.children, *_listed(market.family)]))],
            kindergartens=[f"k{k}" for k in range(1 + max([market.programmes, *_listed(market.kindergarten)]))],
            areas=["510104"],
            groups=[f"G{g}" for g in range(groups)],
            units=[f"U{u}" for u in range(1 + max([market.children, *_listed(market.unit)]))],
        ),
    )


def _listed(column) -> list[int]:
    return [] if column is None else column.tolist()


def packed(
    market: Market,
    *,
    drawn: bool = True,
    beacon: str = "道指 38,250.12",
    ceremony: str = "3 5 6",
    with_summary: bool = False,
) -> bytes:
    """The bundle of a market: with a seed of its own, or with the tickets that the market has."""
    market = market if len(market.codes.children) else with_codes(market)
    written = files.market_files(replace(market, ticket=None) if drawn else market)
    record = bundle.DrawRecord(commitment=lottery.commitment(written))
    if drawn:
        seed = lottery.seed_bytes(record.commitment, beacon, ceremony).hex()
        record = bundle.DrawRecord(record.commitment, "2026-06-01T10:00:00+08:00", beacon, "收盘指数", ceremony, seed)
        written["market.json"] = lottery.canonical({**json.loads(written["market.json"]), "seed": seed})
    outcome = solve(files.parse_market(written))
    result = files.result_files(outcome)
    if with_summary:
        told = summary(outcome, check(outcome.market, outcome), inputs=digests(written), outputs=digests(result))
        result["summary.json"] = json.dumps(told, indent=1).encode()
    return bundle.pack(written, record, result)
