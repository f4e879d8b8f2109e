"""The one door to the compiler: compiled once, kept on disk, and without the interpreter lock.

A cached binary does not notice that a function it calls has changed in another file. So the folder of the cache
carries the digest of the engine's sources: an old binary is never run against new rules.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

ENGINE = Path(__file__).parent


def sources_digest(folder: Path = ENGINE) -> str:
    """Sixteen hex digits over every source file that compiles something, in name order."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(folder.rglob("*.py")):
        source = path.read_bytes()
        if b"@jit" in source:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + source)
    return digest.hexdigest()[:16]


def cache_folder(wanted: str | None = None, places: tuple[Path, ...] | None = None) -> str:
    """The first of these folders that can be written: the wanted one, the engine's own, the user's; else a new private one."""
    places = places or (ENGINE / "__pycache__", Path.home() / ".cache" / "allocation")
    for base in (*([Path(wanted)] if wanted else []), *places):
        folder = base / f"compiled-{sources_digest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return tempfile.mkdtemp(prefix="allocation-")


setattr(numba.config, "CACHE_DIR", cache_folder(os.environ.get("NUMBA_CACHE_DIR")))  # noqa: B010 (numba makes its names)

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Decorator of every inner loop: compiled at its first call for each kind of arguments, kept on disk."""
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


def _mark() -> Path:
    return Path(str(getattr(numba.config, "CACHE_DIR"))) / "warm"  # noqa: B009 (numba makes its names)


def is_warm() -> bool:
    """Whether somebody has compiled all that a draw needs into this machine's cache, from these very sources."""
    return _mark().exists()


def note_warm() -> None:
    """Whoever did says so."""
    _mark().touch()
