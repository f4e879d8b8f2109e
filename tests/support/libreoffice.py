"""What LibreOffice reads in spreadsheets: converted without a screen into flat XML, whose cells tell text, number, date and formula."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

PROGRAMS = ("soffice", "libreoffice")
PACKAGE = "libreoffice-calc-nogui"
LONGEST = 300
"""Seconds for one conversion of all files; the first start makes a profile."""

TABLE, OFFICE, TEXT = (f"{{urn:oasis:names:tc:opendocument:xmlns:{each}:1.0}}" for each in ("table", "office", "text"))
MOST_REPEATED = 1_000
"""A cell or row that is repeated more often is the empty rest of a sheet."""


@dataclass(frozen=True)
class Cell:
    """`kind` is `string`, `float`, `date`, `boolean` … of the Open Document Format, or empty; `formula` as it stands there."""

    text: str
    kind: str
    formula: str | None


Sheets = dict[str, list[list[Cell]]]


def program() -> str | None:
    return next((found for each in PROGRAMS if (found := shutil.which(each))), None)


def read(files: Mapping[str, bytes], folder: Path) -> dict[str, Sheets]:
    """The sheets of each file, by its name without ending.  One start converts all of them.

    The profile is in `folder`, so that neither a profile of the user nor another LibreOffice is touched; when the
    conversion has ended or took too long, no process of this profile is left.
    """
    there, converted, profile = folder / "xlsx", folder / "fods", folder / "profile"
    there.mkdir()
    for name, content in files.items():
        (there / f"{name}.xlsx").write_bytes(content)
    command = [
        program() or PROGRAMS[0], f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo",
        "--nolockcheck", "--convert-to", "fods", "--outdir", str(converted), *map(str, sorted(there.glob("*.xlsx"))),
    ]  # fmt: skip
    home = os.environ | {"HOME": str(folder)}
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=home, start_new_session=True
    )
    try:
        said, _nothing = started.communicate(timeout=LONGEST)
    finally:
        end(profile, started.pid)
    missing = [name for name in files if not (converted / f"{name}.fods").exists()]
    if missing:
        raise AssertionError(f"LibreOffice did not convert {missing}: {said}")
    return {name: _sheets(converted / f"{name}.fods") for name in files}


def processes_of(profile: Path) -> list[int]:
    """The processes that were started with this profile: the program starts another one that does the work."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            words = (each / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if f"-env:UserInstallation={profile.as_uri()}".encode() in words:
            found.append(int(each.name))
    return found


def end(profile: Path, group: int) -> None:
    """End what a conversion left behind: the group that it started in, and what has its profile."""
    left = processes_of(profile)
    for kill, number in [(os.killpg, group), *((os.kill, pid) for pid in left)] if left else ():
        try:
            kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _sheets(file: Path) -> Sheets:
    tree = etree.parse(str(file), etree.XMLParser(huge_tree=True))
    return {sheet.get(f"{TABLE}name"): _rows(sheet) for sheet in tree.iter(f"{TABLE}table")}


def _rows(sheet) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for row in sheet.iter(f"{TABLE}table-row"):
        cells: list[Cell] = []
        for cell in row:
            if cell.tag not in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
                continue
            again = int(cell.get(f"{TABLE}number-columns-repeated", "1"))
            cells += [_cell(cell)] * (again if again < MOST_REPEATED else 0)
        while cells and not cells[-1].kind:
            cells.pop()
        again = int(row.get(f"{TABLE}number-rows-repeated", "1"))
        rows += [cells] * (again if again < MOST_REPEATED else 0)
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _cell(cell) -> Cell:
    # a comment is a child of the cell, and its paragraphs are no content of it
    lines = ["".join(line.itertext()) for line in cell.findall(f"{TEXT}p")]
    kind = cell.get(f"{OFFICE}value-type", "")
    value = cell.get(f"{OFFICE}value") if kind == "float" else None
    return Cell(value if value is not None else "\n".join(lines), kind, cell.get(f"{TABLE}formula"))
