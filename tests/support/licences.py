"""Which licence each pinned package has that the portal runs with; fails on one that nobody has allowed.

python -m tests.support.licences        one line each: package, version, licence, and the reason of an exception
"""

import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[2] / "requirements.lock"

ALLOWED = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT-0",
    "MIT-CMU", "PSF-2.0", "Zlib",
}  # fmt: skip
"""Licences that ask for no more than to keep their text: SPDX names."""

CLASSIFIERS = {
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: BSD License": "BSD-3-Clause",
    "OSI Approved :: MIT License": "MIT",
}
"""What older metadata call them."""

COPYLEFT = re.compile(r"^License.*\b(?:A|L)?GPL.*$|^ *GNU (?:LESSER |AFFERO )?GENERAL PUBLIC LICENSE", re.MULTILINE)
"""How a licence file that comes with a package says that a library inside the package has such a licence."""

EXCEPTIONS = {
    "numpy": "its wheels hold the runtime libraries of GCC, whose exception allows that",
    "pillow-heif": "its wheels hold libheif (LGPL-3.0) and x265 (GPL-2.0): used on a server and not passed on; whoever passes "
    "on an image with it does so under GPL-2.0, or builds it without x265, which only writes HEIC",
    "shapely": "its wheels hold GEOS (LGPL-2.1), a library that can be replaced, and not changed",
    "psycopg": "LGPL-3.0: used as a library that can be replaced, and not changed",
    "psycopg-binary": "LGPL-3.0: used as a library that can be replaced, and not changed",
    "pylopdf-fonts-zh-cn": "OFL-1.1: fonts that are embedded in letters, which the licence allows; not sold by themselves",
    "pypdfium2": "BSD-3-Clause or Apache-2.0; its wheels hold PDFium and its libraries, all under licences that ask for no more "
    "than to keep their text (they come with it)",
    "pyphen": "one of GPL-2.0+, LGPL-2.1+ and MPL-1.1 at choice: MPL-1.1, not changed",
    "tqdm": "MPL-2.0 for some of its files, which are not changed",
}
"""Packages with another licence, or with a library inside that has one, and why they may be used."""


@dataclass(frozen=True)
class Licence:
    """A pinned package and what its installed metadata say of its licence."""

    package: str
    version: str
    stated: str
    copyleft_inside: bool
    """Whether a licence file of the package names one of the GPL family, for a library that its wheel holds."""

    @property
    def needs_a_reason(self) -> bool:
        return self.copyleft_inside or not is_allowed(self.stated)

    @property
    def allowed(self) -> bool:
        return self.package in EXCEPTIONS or not self.needs_a_reason


def is_allowed(stated: str) -> bool:
    """Whether an SPDX expression can be met with allowed licences: one of each OR, all of each AND."""
    if "(" in stated:
        return all(part in ALLOWED for part in re.split(r" AND | OR ", re.sub(r"[()]", "", stated)))
    return any(all(part in ALLOWED for part in choice.split(" AND ")) for choice in stated.split(" OR "))


def pinned(lock: str) -> dict[str, str]:
    """package → version of the lines of a lock file that this machine installs."""
    lines = re.findall(r"^([A-Za-z0-9].*?)\s*\\?$", lock, re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    here = [each for each in requirements if each.marker is None or each.marker.evaluate()]
    return {canonicalize_name(each.name): next(iter(each.specifier)).version for each in here}


def stated_by(package: str) -> str:
    """The licence by the installed metadata: the expression, else the classifiers, else the field."""
    known = distribution(package).metadata
    if expression := known.get("License-Expression"):
        return expression
    classifiers = [
        each.removeprefix("License :: ") for each in known.get_all("Classifier") or [] if "License ::" in each
    ]
    if classifiers:
        return " AND ".join(CLASSIFIERS.get(each, each) for each in classifiers)
    return (known.get("License") or "not stated").strip().splitlines()[0]


def holds_copyleft(package: str) -> bool:
    files = [
        each for each in distribution(package).files or [] if each.parent.name == "licenses" or "LICENSE" in each.name
    ]
    texts = [Path(each.locate()) for each in files if ".dist-info" in str(each)]
    return any(COPYLEFT.search(path.read_text("utf-8", errors="replace")) for path in texts if path.is_file())


def licences(lock: Path = LOCK) -> list[Licence]:
    """Every package of the lock.  Raises PackageNotFoundError where one is not installed, or in another version."""
    found = []
    for package, version in pinned(lock.read_text("utf-8")).items():
        if distribution(package).version != version:
            raise PackageNotFoundError(f"{package} {version}")
        found.append(Licence(package, version, stated_by(package), holds_copyleft(package)))
    return found


def main() -> int:
    found = licences()
    for each in found:
        note = EXCEPTIONS.get(each.package, "") if each.allowed else "NOT ALLOWED"
        print(f"{each.package:24}{each.version:16}{each.stated[:60]:62}{note}".rstrip())
    refused = [each.package for each in found if not each.allowed]
    if refused:
        print(f"licences that nobody has allowed: {', '.join(refused)}; see {Path(__file__).name}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
