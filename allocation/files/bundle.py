"""The public audit file: a zip with the market, the record of the draw and the result, the same bytes every time."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from allocation import files, lottery
from allocation.checks import Report
from allocation.faults import Fault, MarketFault
from allocation.files.summary import digests, summary
from allocation.outcome import Outcome
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
    """An opened bundle. ``strange`` names what does not belong into one; ``repacked``: its zip is not as :func:`pack` made it."""

    market: dict[str, bytes]
    draw: DrawRecord
    result: dict[str, bytes]
    strange: tuple[str, ...] = ()
    repacked: bool = False


def unpack(path: str | Path) -> Bundle:
    """Open a bundle, a zip or a folder. Raises :class:`~allocation.faults.MarketFault` if it is none."""
    path = Path(path)
    found, strange, repacked = _of_folder(path) if path.is_dir() else _of_zip(path)
    missing = [one for one in ("draw.json", *_RESULTS[:3]) if one not in found]
    if missing:
        raise MarketFault([Fault(path.name, -1, "", f"{one} is missing") for one in missing])
    try:
        draw = DrawRecord(**json.loads(found["draw.json"]))
        if not re.fullmatch("[0-9a-f]{64}", draw.commitment):
            raise ValueError("a commitment has 64 hex digits in lower case")
    except (ValueError, TypeError) as error:
        raise MarketFault([Fault("draw.json", -1, "", f"not a record of a draw: {error}")]) from None
    market = {one: found[f"market/{one}"] for one in files.MARKET_FILES if f"market/{one}" in found}
    result = {one.removeprefix("result/"): found[one] for one in _RESULTS if one in found}
    return Bundle(market, draw, result, tuple(strange), repacked)


_RESULTS = [f"result/{file}" for file in (*files.RESULT_FILES, "summary.json")]
_KNOWN = {"draw.json", *(f"market/{file}" for file in files.MARKET_FILES), *_RESULTS}
_LARGEST = 8 << 30
_MOST_TIMES_SMALLER = 200  # more is no table of a city, but an attack


def _of_folder(path: Path) -> tuple[dict[str, bytes], list[str], bool]:
    inside = {one.relative_to(path).as_posix(): one for one in sorted(path.rglob("*")) if one.is_file()}
    found = {name: one.read_bytes() for name, one in inside.items() if name in _KNOWN}
    return found, [name for name in inside if name not in _KNOWN], False


def _of_zip(path: Path) -> tuple[dict[str, bytes], list[str], bool]:
    if not zipfile.is_zipfile(path):
        cut = path.is_file() and path.open("rb").read(4) == b"PK\3\4"
        why = (
            "the end of the zip file is missing; perhaps the download was cut off"
            if cut
            else "neither a folder nor a zip file"
        )
        raise MarketFault([Fault(path.name, -1, "", why)])
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        names = [entry.filename for entry in entries]
        faults = [
            Fault(path.name, -1, "", f"{name} is in the zip twice")
            for name in sorted({*names})
            if names.count(name) > 1
        ]
        faults += [
            Fault(path.name, -1, "", f"{entry.filename} would unpack to {entry.file_size} bytes; no bundle holds that")
            for entry in entries
            if entry.file_size > min(_LARGEST, _MOST_TIMES_SMALLER * entry.compress_size + (1 << 20))
        ]
        if faults:
            raise MarketFault(faults)
        found = {name: archive.read(name) for name in names if name in _KNOWN}
    repacked = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    return found, [name for name in names if name not in _KNOWN], repacked


def verify(path: str | Path, say: Callable[[str], None] = lambda line: None) -> list[str]:
    """Do the draw and the allocation again; what differs from the bundle, in words. Nothing means: all of it is right."""
    bundle = unpack(path)
    if bundle.repacked:
        say("the zip was packed anew (the published one is not compressed); its content is compared all the same")
    market = files.parse_market(bundle.market)
    wrong = [f"{name} does not belong into a bundle" for name in bundle.strange]
    wrong += _draw_differs(bundle)
    say(f"commitment {bundle.draw.commitment}: compare it with the one that was published before the draw")
    say(f"{market.children} children read" + (", tickets drawn" if market.seed else ""))
    outcome = solve(market, say)
    again = files.result_files(outcome)
    say("placed again")
    wrong += [
        _row_differs(name, again[name], bundle.result[name]) for name in again if again[name] != bundle.result[name]
    ]
    return wrong + list(_figures_differ(outcome, bundle, again))


def _draw_differs(bundle: Bundle) -> Iterator[str]:
    draw, ours = bundle.draw, lottery.commitment(bundle.market)
    if ours != draw.commitment:
        noted = _summary(bundle).get("inputs")
        changed = [
            name
            for name, digest in digests(bundle.market).items()
            if isinstance(noted, dict) and noted.get(name) not in (None, digest)
        ]
        where = f"; changed since the run: {', '.join(changed)}" if changed else ""
        yield f"the commitment is not that of this market: {draw.commitment} was published, this list gives {ours}{where}"
    if json.loads(bundle.market["market.json"]).get("seed") != draw.seed:
        yield "the seed in market.json is not the one in draw.json"
    if draw.seed is None:
        if "tickets.csv" not in bundle.market:
            yield "there is neither a seed nor tickets"
    elif lottery.seed_bytes(draw.commitment, draw.beacon, draw.ceremony).hex() != draw.seed:
        yield "the seed does not come from commitment, beacon and ceremony"


def _row_differs(name: str, ours: bytes, theirs: bytes) -> str:
    """The first row that differs, as it was published and as it was found here."""
    shorter = min(len(ours), len(theirs))
    unequal = np.frombuffer(ours[:shorter], np.uint8) != np.frombuffer(theirs[:shorter], np.uint8)
    at = int(unequal.argmax()) if unequal.any() else shorter
    start = ours.rfind(b"\n", 0, at) + 1
    published, computed = (data[start:].split(b"\n", 1)[0][:200].decode(errors="replace") for data in (theirs, ours))
    row = ours.count(b"\n", 0, start) + 1
    return (
        f"result/{name} differs from row {row} on: published {published or 'nothing'}, computed {computed or 'nothing'}"
    )


def _summary(bundle: Bundle) -> dict:
    """The published summary, as far as it can be read; other figures than these are not of this engine."""
    try:
        found = json.loads(bundle.result.get("summary.json", b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_NOT_FROM_THE_RESULT = ("engine", "finished", "checks", "proposals", "inputs")


def _figures_differ(outcome: Outcome, bundle: Bundle, again: Mapping[str, bytes]) -> Iterator[str]:
    published = _summary(bundle)
    if "summary.json" in bundle.result and not published:
        yield "result/summary.json cannot be read"
    ours = json.loads(json.dumps(summary(outcome, Report({}), inputs={}, outputs=again)))
    for name in sorted({*ours} & {*published} - {*_NOT_FROM_THE_RESULT}):
        if ours[name] != published[name]:
            yield f"result/summary.json: {name} is {published[name]}, the result gives {ours[name]}"
