"""Files of a folder or a zip file, with bounds, so that a hostile zip file cannot fill the memory."""

import zipfile
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from allocation.faults import Fault, MarketFault

LARGEST_FILE = 8 << 30  # bytes
LARGEST_RATIO = 200  # of unpacked to packed bytes; the tables of a city reach about 10
SMALL_FILE = 1 << 20  # bytes that are allowed at any ratio

_ENCRYPTED = 1  # in the flags of a zip entry
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """Contents of the known files, names of the other files, and whether a zip entry is compressed."""

    contents: dict[str, bytes]
    unknown: tuple[str, ...] = ()
    compressed: bool = False


def read_files(path: str | Path, names: Iterable[str]) -> dict[str, bytes]:
    """The named files of a folder or a zip file, in a zip file also those under ``market/``.

    Raises :class:`~allocation.faults.MarketFault` if ``path`` is neither, or not safe to unpack.
    """
    path = Path(path)
    if path.is_dir():
        return _read_known({name: path / name for name in names if (path / name).is_file()})
    known = {f"market/{name}": name for name in names} | {name: name for name in names}
    return {known[inside]: data for inside, data in read_archive(path, known).contents.items()}


def read_archive(path: str | Path, known: Collection[str]) -> Archive:
    """The files of a folder or a zip file whose names are ``known``. Raises as :func:`read_files`."""
    path = Path(path)
    return _read_folder(path, known) if path.is_dir() else _read_zip(path, known)


def _read_folder(path: Path, known: Collection[str]) -> Archive:
    inside = {one.relative_to(path).as_posix(): one for one in sorted(path.rglob("*")) if one.is_file()}
    contents = _read_known({name: one for name, one in inside.items() if name in known})
    return Archive(contents, unknown=tuple(name for name in inside if name not in known))


def _read_known(inside: dict[str, Path]) -> dict[str, bytes]:
    too_large = (name for name, one in inside.items() if one.stat().st_size > LARGEST_FILE)
    _stop(Fault(name, -1, "", f"a file of more than {LARGEST_FILE} bytes") for name in too_large)
    return {name: one.read_bytes() for name, one in inside.items()}


def _read_zip(path: Path, known: Collection[str]) -> Archive:
    if not zipfile.is_zipfile(path):
        cut = path.is_file() and path.open("rb").read(4) == b"PK\3\4"
        why = "the end of the zip file is missing; perhaps the download was cut off" if cut else "neither a folder nor a zip file"  # fmt: skip
        raise MarketFault([Fault(path.name, -1, "", why)])
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _stop(_entry_faults(path, entries))
            contents = {entry.filename: archive.read(entry) for entry in entries if entry.filename in known}
    except MarketFault:
        raise
    except _UNREADABLE as error:
        raise MarketFault([Fault(path.name, -1, "", f"a broken zip file: {error}")]) from None
    return Archive(
        contents,
        unknown=tuple(entry.filename for entry in entries if entry.filename not in known),
        compressed=any(entry.compress_type != zipfile.ZIP_STORED for entry in entries),
    )


def _entry_faults(path: Path, entries: list[zipfile.ZipInfo]) -> Iterable[Fault]:
    names = [entry.filename for entry in entries]
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield Fault(path.name, -1, "", f"{name} is in the zip twice")
        seen.add(name)
    for entry in entries:
        packed = min(entry.compress_size, path.stat().st_size)
        if entry.flag_bits & _ENCRYPTED:
            yield Fault(path.name, -1, "", f"{entry.filename} is encrypted")
        elif entry.compress_type not in _METHODS:
            yield Fault(path.name, -1, "", f"{entry.filename} is packed by another method than Deflate")
        elif entry.file_size > min(LARGEST_FILE, LARGEST_RATIO * packed + SMALL_FILE):
            message = f"{entry.filename} would unpack to {entry.file_size} bytes; no bundle holds that"
            yield Fault(path.name, -1, "", message)


def _stop(faults: Iterable[Fault]) -> None:
    found = list(faults)
    if found:
        raise MarketFault(found)
