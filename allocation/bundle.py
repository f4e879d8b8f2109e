"""The public audit file: a zip with the market, the record of the draw and the result, the same bytes every time."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from allocation import files, lottery
from allocation.faults import Fault, MarketFault
from allocation.solve import solve

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


@dataclass(frozen=True)
class DrawRecord:
    """``draw.json``: what was published before and at the draw. A market with given tickets has no seed."""

    commitment: str
    commitment_time: str = ""
    beacon: str = ""
    beacon_name: str = ""
    ceremony: str = ""
    seed: str | None = None


def pack(market: Mapping[str, bytes], draw: DrawRecord, result: Mapping[str, bytes]) -> bytes:
    """The bundle's bytes: ``draw.json``, ``market/…``, ``result/…`` in name order, with fixed times."""
    entries = {f"market/{name}": data for name, data in market.items()}
    entries |= {f"result/{name}": data for name, data in result.items()}
    entries["draw.json"] = lottery.canonical(asdict(draw))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, date_time=_FIXED_TIME)
            entry.create_system = 3  # the same on every machine
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, entries[name])  # stored: a compressor may change with its version
    return sink.getvalue()


@dataclass(frozen=True)
class Bundle:
    """An opened bundle."""

    market: dict[str, bytes]
    draw: DrawRecord
    result: dict[str, bytes]


def unpack(path: str | Path) -> Bundle:
    """Open a bundle. Raises :class:`~allocation.faults.MarketFault` if it is none."""
    name = Path(path).name
    result_names = [f"result/{file}" for file in (*files.RESULT_FILES, "summary.json")]
    found = files.read_files(path, ["draw.json", *files.MARKET_FILES, *result_names])
    missing = [one for one in ("draw.json", *result_names[:3]) if one not in found]
    if missing:
        raise MarketFault([Fault(name, -1, "", f"{one} is missing") for one in missing])
    try:
        draw = DrawRecord(**json.loads(found["draw.json"]))
        if not re.fullmatch("[0-9a-f]{64}", draw.commitment):
            raise ValueError("a commitment has 64 hex digits in lower case")
    except (ValueError, TypeError) as error:
        raise MarketFault([Fault("draw.json", -1, "", f"not a record of a draw: {error}")]) from None
    result = {one.removeprefix("result/"): found[one] for one in result_names if one in found}
    return Bundle({one: found[one] for one in files.MARKET_FILES if one in found}, draw, result)


def verify(path: str | Path, say: Callable[[str], None] = lambda line: None) -> list[str]:
    """Do the draw and the allocation again; what differs from the bundle, in words. Nothing means: all of it is right."""
    bundle = unpack(path)
    market = files.parse_market(bundle.market)
    wrong = list(_draw_differs(bundle))
    say("commitment and seed compared")
    say(f"{market.children} children read" + (", tickets drawn" if market.seed else ""))
    again = files.result_files(solve(market, say))
    say("placed again")
    return wrong + [f"result/{name} differs" for name in files.RESULT_FILES if again[name] != bundle.result[name]]


def _draw_differs(bundle: Bundle):
    draw = bundle.draw
    if lottery.commitment(bundle.market) != draw.commitment:
        yield "the commitment is not that of this market"
    if json.loads(bundle.market["market.json"]).get("seed") != draw.seed:
        yield "the seed in market.json is not the one in draw.json"
    if draw.seed is None:
        if "tickets.csv" not in bundle.market:
            yield "there is neither a seed nor tickets"
    elif lottery.seed_bytes(draw.commitment, draw.beacon, draw.ceremony).hex() != draw.seed:
        yield "the seed does not come from commitment, beacon and ceremony"
