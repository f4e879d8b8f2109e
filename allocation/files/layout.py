"""Which files a market and a result consist of, what their columns are, and where they lie: in a folder or in a zip."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

from allocation.faults import Fault, MarketFault

FORMAT = "market/1"
COLUMNS = {
    "programmes.csv": ("programme", "kindergarten", "level", "nature", "area", "places", "sibling_tier"),
    "pools.csv": ("programme", "pool", "precedence", "places", "groups", "unclaimed"),
    "children.csv": ("child", "family", "unit", "groups", "elder", "current"),
    "wishes.csv": ("child", "rank", "programme", "tier"),
    "tickets.csv": ("child", "ticket"),
}
RESULT_COLUMNS = {
    "placements.csv": ("child", "programme", "rank", "pool"),
    "cutoffs.csv": ("programme", "pool", "places", "filled", "state", "eligible", "tier", "ticket"),
    "reasons.csv": (
        "child", "rank", "programme", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket",
    ),
}  # fmt: skip
MARKET_FILES = ("market.json", *COLUMNS)
OPTIONAL_FILES = ("pools.csv", "tickets.csv")
RESULT_FILES = tuple(RESULT_COLUMNS)
LARGEST_FILE = 8 << 30


def read_files(path: str | Path, names: Iterable[str]) -> dict[str, bytes]:
    """The named files that a folder or a zip holds (in a zip also under ``market/``). Raises MarketFault if it is neither."""
    path = Path(path)
    if path.is_dir():
        return {name: (path / name).read_bytes() for name in names if (path / name).is_file()}
    if not zipfile.is_zipfile(path):
        raise MarketFault([Fault(path.name, -1, "", "neither a folder nor a zip file")])
    with zipfile.ZipFile(path) as archive:
        inside = {entry.filename.removeprefix("market/"): entry for entry in archive.infolist()}
        if any(inside[name].file_size > LARGEST_FILE for name in names if name in inside):
            raise MarketFault([Fault(path.name, -1, "", "a file of more than 8 GiB")])
        return {name: archive.read(inside[name]) for name in names if name in inside}
