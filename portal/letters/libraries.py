"""Check that the libraries and fonts for PDFs are installed.  The module is cheap to import, because the supervisor uses it."""

import ctypes.util
import importlib.util


class LibraryMissing(Exception):
    """The message says what is missing and how to install it."""


def check_libraries() -> None:
    """Raises LibraryMissing."""
    missing = [
        package
        for library, package in (
            ("pango-1.0", "libpango-1.0-0"),
            ("pangoft2-1.0", "libpangoft2-1.0-0"),
            ("harfbuzz-subset", "libharfbuzz-subset0"),
        )
        if ctypes.util.find_library(library) is None
    ]
    if missing:
        raise LibraryMissing(f"notices wait for system packages: sudo apt-get install -y {' '.join(missing)}")
    if importlib.util.find_spec("pylopdf_fonts_zh_cn") is None:
        raise LibraryMissing("notices wait for the Chinese font: run `make setup`")
