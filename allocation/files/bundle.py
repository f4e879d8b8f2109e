"""The bundle: a zip file with the market, the record of the draw and the result; the same bytes for the same content."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from allocation import lottery
from allocation.draw_form import DrawForm, DrawFormError
from allocation.faults import Fault, MarketFault
from allocation.files.archive import read_archive
from allocation.files.codes import is_code
from allocation.files.issued_copy import ISSUED
from allocation.files.json_objects import is_digest, is_text, parse_object
from allocation.files.layout import MARKET_FILES, RESULT_FILES

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_UNIX = 3
DRAW_2 = "draw/2"
PUBLICATION = "publication.json"


@dataclass(frozen=True)
class DrawRecord:
    """``draw.json``: what was published before and at the draw. A market with given tickets has no seed."""

    commitment: str  # 64 hex digits
    commitment_time: str = ""
    beacon: str = ""
    beacon_name: str = ""
    ceremony: str = ""
    seed: str | None = None  # 64 hex digits

    def fields(self) -> dict[str, Any]:
        """The object in ``draw.json``."""
        return asdict(self)

    def expected_seed(self) -> str:
        """The seed that the public parts give (64 hex digits)."""
        return lottery.seed_bytes(self.commitment, self.beacon, self.ceremony).hex()


@dataclass(frozen=True)
class DrawRecord2:
    """``draw.json`` of ``draw/2``. Both parts are in the one spelling of the ``form`` that the market declares."""

    commitment: str  # 64 hex digits
    commitment_time: str = ""
    form: DrawForm | None = None
    beacon: str = ""
    ceremony: str = ""
    seed: str | None = None  # 64 hex digits
    witnesses: tuple[Mapping[str, Any], ...] = ()  # {"part": "ceremony" or "beacon", "names": […]}
    corrections: tuple[Mapping[str, str], ...] = ()  # {"time", "reason", "commitment"} of earlier commitments

    def fields(self) -> dict[str, Any]:
        """The object in ``draw.json``."""
        return {
            "format": DRAW_2, "commitment": self.commitment, "commitment_time": self.commitment_time,
            "form": None if self.form is None else self.form.declared(), "beacon": self.beacon,
            "ceremony": self.ceremony, "seed": self.seed, "witnesses": [dict(each) for each in self.witnesses],
            "corrections": [dict(each) for each in self.corrections],
        }  # fmt: skip

    def expected_seed(self) -> str:
        """The seed that the public parts give. Raises ``ValueError`` if there is no form, or a part is not of its form."""
        if self.form is None:
            raise ValueError("no form of the draw was declared")
        return lottery.seed_bytes_2(self.commitment, self.form, self.beacon, self.ceremony).hex()


AnyRecord = DrawRecord | DrawRecord2


def pack(
    market: Mapping[str, bytes], draw: AnyRecord, result: Mapping[str, bytes], publication: bytes | None = None
) -> bytes:
    """The bytes of a bundle: ``draw.json``, ``market/…``, ``result/…`` in name order, with fixed times.

    ``publication`` is ``publication.json``: what else went into the public file (:mod:`allocation.files.publication`).
    """
    return b"".join(pack_parts(market, draw, result, publication))


def pack_parts(
    market: Mapping[str, bytes], draw: AnyRecord, result: Mapping[str, bytes], publication: bytes | None = None
) -> list[bytes]:
    """As :func:`pack`, in parts like those of :func:`zip_parts`."""
    entries = {f"market/{name}": data for name, data in market.items()}
    entries |= {f"result/{name}": data for name, data in result.items()}
    entries["draw.json"] = lottery.canonical(draw.fields())
    if publication is not None:
        entries[PUBLICATION] = publication
    return zip_parts(entries)


def zip_bytes(entries: Mapping[str, bytes]) -> bytes:
    """A zip file of these entries, stored in name order with fixed times: the same bytes for the same content."""
    return b"".join(zip_parts(entries))


def zip_parts(entries: Mapping[str, bytes]) -> list[bytes]:
    """As :func:`zip_bytes`, in parts: the contents themselves, which are not copied, and what stands between them."""
    sink = _Parts()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, date_time=_FIXED_TIME)
            entry.create_system = _UNIX  # otherwise the bytes would depend on the machine
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, entries[name])  # not compressed: the bytes would depend on the compressor
    return sink.parts()


class _Parts(io.RawIOBase):
    """A file in memory that keeps what is written to it as it is.  A part may be written again in the same length."""

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}  # by where they begin
        self._at = 0

    def write(self, part: Any) -> int:
        if part:
            self._parts[self._at] = part
        self._at += len(part)
        return len(part)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation
        self._at = offset
        return offset

    def parts(self) -> list[bytes]:
        """What was written, in its order."""
        return [self._parts[at] for at in sorted(self._parts)]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. ``unknown`` names files that do not belong to a bundle; ``compressed``: not as :func:`pack` made it."""

    market: dict[str, bytes]
    draw: AnyRecord
    result: dict[str, bytes]
    publication: bytes | None = None
    unknown: tuple[str, ...] = ()
    compressed: bool = False


_RESULTS = [f"result/{file}" for file in (*RESULT_FILES, "summary.json")]
_KNOWN = {"draw.json", ISSUED, PUBLICATION, *(f"market/{file}" for file in MARKET_FILES), *_RESULTS}
_REQUIRED = ("draw.json", *(f"result/{file}" for file in RESULT_FILES))


def unpack(path: str | Path) -> Bundle:
    """Open a bundle, a zip file or a folder. Raises :class:`~allocation.faults.MarketFault` if it is none."""
    archive = read_archive(path, _KNOWN)
    found = archive.contents
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise MarketFault([Fault(Path(path).name, -1, "", f"{name} is missing") for name in missing])
    draw = draw_record(parse_object(found["draw.json"], "draw.json"))
    strange = (PUBLICATION,) if PUBLICATION in found and isinstance(draw, DrawRecord) else ()
    return Bundle(
        market={name: found[f"market/{name}"] for name in MARKET_FILES if f"market/{name}" in found},
        draw=draw,
        result={name.removeprefix("result/"): found[name] for name in _RESULTS if name in found},
        publication=found.get(PUBLICATION),
        unknown=(*archive.unknown, *strange),
        compressed=archive.compressed,
    )


def draw_record(given: dict[str, Any]) -> AnyRecord:
    """The record in an object of ``draw.json``. Raises :class:`~allocation.faults.MarketFault`."""
    second = given.get("format") == DRAW_2
    known = {each.name for each in fields(DrawRecord2 if second else DrawRecord)} | ({"format"} if second else set())
    wrong = []
    for key, value in given.items():
        if key not in known:
            wrong.append((key if is_code(key) else "", "an unknown key"))
        elif key == "commitment" or (key == "seed" and value is not None):
            if not is_digest(value):
                wrong.append((key, "not 64 hex digits in lower case"))
        elif key in _CHECKED:
            wrong += [(key, message) for message in _CHECKED[key](value)]
        elif key != "seed" and not is_text(value):
            wrong.append((key, "not a text"))
    if "commitment" not in given:
        wrong.append(("commitment", "is missing"))
    if wrong:
        raise MarketFault([Fault("draw.json", -1, key, message) for key, message in wrong])
    if not second:
        return DrawRecord(**given)
    declared = given.get("form")
    return DrawRecord2(**{
        **{key: value for key, value in given.items() if key != "format"},
        "form": None if declared is None else DrawForm.parse(declared),
        "witnesses": tuple(given.get("witnesses", ())), "corrections": tuple(given.get("corrections", ())),
    })  # fmt: skip


def _form_faults(value: object) -> Iterator[str]:
    if value is None:
        return
    try:
        if DrawForm.parse(value).declared() != value:
            yield "not written in its one form"
    except DrawFormError as error:
        yield from map(str, error.faults)


def _witness_faults(value: object) -> Iterator[str]:
    good = isinstance(value, list) and all(
        isinstance(each, dict) and set(each) == {"part", "names"} and each["part"] in ("ceremony", "beacon")
        and isinstance(each["names"], list) and all(map(is_text, each["names"]))
        for each in value
    )  # fmt: skip
    if not good:
        yield "not a list of a part and names each"


def _correction_faults(value: object) -> Iterator[str]:
    good = isinstance(value, list) and all(
        isinstance(each, dict) and set(each) == {"time", "reason", "commitment"} and all(map(is_text, each.values()))
        for each in value
    )
    if not good:
        yield "not a list of time, reason and commitment each"


_CHECKED = {"form": _form_faults, "witnesses": _witness_faults, "corrections": _correction_faults}
"""Keys of ``draw/2`` that are no texts."""
