"""Compile the translations: .po files are in the repository, Flask-Babel reads .mo files."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

TRANSLATIONS = Path(__file__).parent / "translations"


def compile_stale(folder: Path = TRANSLATIONS) -> list[Path]:
    """Write every .mo file that is missing or older than its .po file; return those written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        locale = source.parent.parent.name
        with source.open("rb") as text:
            catalogue = read_po(text, locale=locale)
        # another process may read the old file, so replace it in one step
        fresh = target.with_suffix(f".{id(catalogue)}.tmp")
        with fresh.open("wb") as binary:
            write_mo(binary, catalogue)
        fresh.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_stale()
