"""Ways to tamper with a bundle, each with the messages that both programs must give."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from allocation import lottery
from allocation.files import MARKET_FILES, RESULT_FILES
from tests.engine.bundles import packed
from tests.engine.small_markets import tiny_market

KNOWN = {
    "draw.json",
    "result/summary.json",
    *(f"market/{n}" for n in MARKET_FILES),
    *(f"result/{n}" for n in RESULT_FILES),
}
KNOWN -= {"market/tickets.csv", "market/salts.csv"}  # drawn from the seed; only in market/2
Entries = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Tampering:
    """A change to a bundle's bytes; what the command says with which exit status; the word of the page's sentence."""

    change: Callable[[bytes], bytes]
    status: int
    line: str
    word: str


def whole_bundle() -> bytes:
    """A bundle with everything that a real one has, the summary of its run among it."""
    whole = packed(tiny_market(7, children=8), with_summary=True)
    assert [name for name, _ in entries_of(whole)] == sorted(KNOWN)
    return whole


def entries_of(bundle: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def zipped(entries: Entries, method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return target.getvalue()


def with_entry(name: str, change: Callable[[bytes], bytes | None]) -> Callable[[bytes], bytes]:
    """One entry changed; ``None`` leaves it out."""

    def changed(bundle: bytes) -> bytes:
        entries = [(n, change(data) if n == name else data) for n, data in entries_of(bundle)]
        assert entries != entries_of(bundle)
        return zipped([(n, data) for n, data in entries if data is not None])

    return changed


def cell(row: int, column: int, value: str) -> Callable[[bytes], bytes]:
    """Another value in one cell of a CSV file; rows count from 1, the header."""

    def changed(data: bytes) -> bytes:
        lines = data.decode().split("\n")
        cells = lines[row - 1].split(",")
        assert cells[column] != value
        cells[column] = value
        lines[row - 1] = ",".join(cells)
        return "\n".join(lines).encode()

    return changed


def edit(**values) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({**json.loads(data), **values}).encode()


def other_seed(bundle: bytes) -> bytes:
    """Another seed, in every file that contains the seed."""
    seed = lottery.seed_bytes("00" * 32).hex()
    changed = dict(entries_of(bundle))
    for name in ("draw.json", "market/market.json"):
        changed[name] = lottery.canonical({**json.loads(changed[name]), "seed": seed})
    return zipped(list(changed.items()))


def twice(bundle: bytes) -> bytes:
    """The wishes stand in the zip twice, other ones first."""
    entries = entries_of(bundle)
    target = zipped([("market/wishes.csX", b"child,rank,programme,tier\n"), *entries])
    return target.replace(b"market/wishes.csX", b"market/wishes.csv")


def huge(bundle: bytes) -> bytes:
    """A small zip file whose header claims three gigabytes."""
    packed_again = bytearray(zipped(entries_of(bundle), zipfile.ZIP_DEFLATED))
    at = packed_again.rindex(b"PK\1\2", 0, packed_again.rindex(b"market/wishes.csv"))
    packed_again[at + 24 : at + 28] = struct.pack("<I", 3 << 30)
    return bytes(packed_again)


def inside(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """A change of the stored bytes that leaves the checksum as it was."""

    def changed(bundle: bytes) -> bytes:
        assert bundle.count(old) >= 1
        return bundle.replace(old, new, 1)

    return changed


TAMPERINGS = {
    "a placement": Tampering(with_entry("result/placements.csv", cell(3, 2, "3")), 1, "result/placements.csv differs from row 3 on", "wrong_row"),
    "a placement too many": Tampering(with_entry("result/placements.csv", lambda data: data + b"x,,,\n"), 1, "computed nothing", "wrong_row"),
    "a placement left out": Tampering(with_entry("result/placements.csv", lambda data: data[: data.rindex(b"\n", 0, -1) + 1]), 1, "published nothing", "wrong_row"),
    "a ticket": Tampering(with_entry("result/reasons.csv", cell(2, 6, "99")), 1, "result/reasons.csv differs from row 2 on", "wrong_row"),
    "a cut-off": Tampering(with_entry("result/cutoffs.csv", cell(2, 4, "none")), 1, "result/cutoffs.csv differs from row 2 on", "wrong_row"),
    "a wish after the commitment": Tampering(with_entry("market/wishes.csv", cell(2, 3, "9")), 1, "this list gives", "wrong_commitment_in"),
    "a place more after the commitment": Tampering(with_entry("market/programmes.csv", cell(2, 5, "9")), 1, "changed since the run: programmes.csv", "wrong_commitment_in"),
    "the seed": Tampering(other_seed, 1, "the seed does not come from", "wrong_seed"),
    "the seed in one place": Tampering(with_entry("draw.json", edit(seed="00" * 32)), 1, "the seed in market.json is not", "wrong_seed_noted"),
    "the public value": Tampering(with_entry("draw.json", edit(beacon="1")), 1, "the seed does not come from", "wrong_seed"),
    "the commitment": Tampering(with_entry("draw.json", edit(commitment="00" * 32)), 1, "the commitment is not that of this market", "wrong_commitment"),
    "a published figure": Tampering(with_entry("result/summary.json", edit(placed=99)), 1, "placed is 99", "wrong_figures"),
    "a summary that is none": Tampering(with_entry("result/summary.json", lambda data: b"[]"), 1, "summary.json cannot be read", "wrong_figures"),
    "a summary that is cut off": Tampering(with_entry("result/summary.json", lambda data: data[:-9]), 1, "summary.json cannot be read", "wrong_figures"),
    "a summary cut short": Tampering(with_entry("result/summary.json", lambda data: data[:40]), 1, "summary.json cannot be read", "wrong_figures"),
    "a result file missing": Tampering(with_entry("result/reasons.csv", lambda data: None), 2, "result/reasons.csv is missing", "wrong_missing"),
    "a market file missing": Tampering(with_entry("market/children.csv", lambda data: None), 2, "children.csv: the file is missing", "bad_missing"),
    "the record missing": Tampering(with_entry("draw.json", lambda data: None), 2, "draw.json is missing", "bad_missing"),
    "the record unreadable": Tampering(with_entry("draw.json", lambda data: b"{"), 2, "draw.json: not JSON", "bad_json"),
    "a file too many": Tampering(lambda bundle: zipped([*entries_of(bundle), ("market/more.csv", b"x")]), 1, "market/more.csv does not belong", "wrong_extra"),
    "a file twice": Tampering(twice, 2, "market/wishes.csv is in the zip twice", "bad_double"),
    "a child that is not there": Tampering(with_entry("market/wishes.csv", cell(2, 0, "nobody")), 2, "wishes.csv, row 2, column child", "bad_unknown"),
    "a cell too many": Tampering(with_entry("market/wishes.csv", lambda data: data.replace(b"\n", b",1\n", 2)), 2, "wishes.csv", "bad_header"),
    "packed anew": Tampering(lambda bundle: zipped(entries_of(bundle), zipfile.ZIP_DEFLATED), 0, "verified", "remark_packed"),
    "cut off": Tampering(lambda bundle: bundle[: len(bundle) // 2], 2, "the end of the zip file is missing", "bad_cut"),
    "no zip": Tampering(lambda bundle: b"hello" * 10, 2, "neither a folder nor a zip", "bad_no_zip"),
    "nothing": Tampering(lambda bundle: b"", 2, "neither a folder nor a zip", "bad_no_zip"),
    "a huge size": Tampering(huge, 2, "market/wishes.csv would unpack to 3221225472 bytes", "bad_size"),
    "bytes inside the zip": Tampering(inside(b"placed_higher", b"placed_lowers"), 2, "a broken zip file", "wrong_row"),
    "bytes of the list inside the zip": Tampering(inside(b"child,rank,programme,tier\nc", b"child,rank,programme,tier\nC"), 2, "a broken zip file", "bad_unknown"),
}  # fmt: skip
