"""The bundle: a zip file with the market, the record of the draw and the result; the same bytes for the same content."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from allocation import lottery
from allocation.faults import Fault, MarketFault
from allocation.files.archive import read_archive
from allocation.files.codes import is_code
from allocation.files.json_objects import is_digest, is_text, parse_object
from allocation.files.layout import MARKET_FILES, RESULT_FILES

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_UNIX = 3


@dataclass(frozen=True)
class DrawRecord:
    """``draw.json``: what was published before and at the draw. A market with given tickets has no seed."""

    commitment: str  # 64 hex digits
    commitment_time: str = ""
    beacon: str = ""
    beacon_name: str = ""
    ceremony: str = ""
    seed: str | None = None  # 64 hex digits


def pack(market: Mapping[str, bytes], draw: DrawRecord, result: Mapping[str, bytes]) -> bytes:
    """The bytes of a bundle: ``draw.json``, ``market/…``, ``result/…`` in name order, with fixed times."""
    entries = {f"market/{name}": data for name, data in market.items()}
    entries |= {f"result/{name}": data for name, data in result.items()}
    entries["draw.json"] = lottery.canonical(asdict(draw))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, date_time=_FIXED_TIME)
            entry.create_system = _UNIX  # otherwise the bytes would depend on the machine
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, entries[name])  # not compressed: the bytes would depend on the compressor
    return sink.getvalue()


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. ``unknown`` names files that do not belong to a bundle; ``compressed``: not as :func:`pack` made it."""

    market: dict[str, bytes]
    draw: DrawRecord
    result: dict[str, bytes]
    unknown: tuple[str, ...] = ()
    compressed: bool = False


_RESULTS = [f"result/{file}" for file in (*RESULT_FILES, "summary.json")]
_KNOWN = {"draw.json", *(f"market/{file}" for file in MARKET_FILES), *_RESULTS}
_REQUIRED = ("draw.json", *(f"result/{file}" for file in RESULT_FILES))


def unpack(path: str | Path) -> Bundle:
    """Open a bundle, a zip file or a folder. Raises :class:`~allocation.faults.MarketFault` if it is none."""
    archive = read_archive(path, _KNOWN)
    found = archive.contents
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise MarketFault([Fault(Path(path).name, -1, "", f"{name} is missing") for name in missing])
    return Bundle(
        market={name: found[f"market/{name}"] for name in MARKET_FILES if f"market/{name}" in found},
        draw=_draw_record(parse_object(found["draw.json"], "draw.json")),
        result={name.removeprefix("result/"): found[name] for name in _RESULTS if name in found},
        unknown=archive.unknown,
        compressed=archive.compressed,
    )


def _draw_record(given: dict[str, Any]) -> DrawRecord:
    known = {each.name for each in fields(DrawRecord)}
    wrong = []
    for key, value in given.items():
        if key not in known:
            wrong.append((key if is_code(key) else "", "an unknown key"))
        elif key == "commitment" or (key == "seed" and value is not None):
            if not is_digest(value):
                wrong.append((key, "not 64 hex digits in lower case"))
        elif key != "seed" and not is_text(value):
            wrong.append((key, "not a text"))
    if "commitment" not in given:
        wrong.append(("commitment", "is missing"))
    if wrong:
        raise MarketFault([Fault("draw.json", -1, key, message) for key, message in wrong])
    return DrawRecord(**given)
