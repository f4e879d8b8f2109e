"""The compiler (numba) with its cache: functions run without the interpreter lock and are compiled once per machine.

The cache of numba does not notice that a function which another one calls has changed in another file. So the name of
the cache folder contains the digest of the engine's sources, and a changed rule never runs with an old binary.
"""

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

ENGINE = Path(__file__).parent
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt(3)


def sources_digest(folder: Path = ENGINE) -> str:
    """The digest (16 hex digits) of every source file with compiled functions, in name order."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(folder.rglob("*.py")):
        source = path.read_bytes()
        if b"@jit" in source:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + source)
    return digest.hexdigest()[:16]


def cache_folder(wanted: str | None = None, places: tuple[Path, ...] | None = None) -> str:
    """The first writable folder: the wanted one, the package's own, the user's; else a new temporary one."""
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


def keep_freed_memory(size: int = 1 << 26) -> None:
    """Let the C library (glibc) reuse the memory of freed arrays below ``size`` bytes.

    It otherwise returns each of them to the system and gets zeroed pages for the next one, an eighth of the processor time
    of a command on files. All threads share one arena: what one thread has freed another one uses again. Without effect on other C libraries. Meant for commands, not for processes that live on.
    """
    _set_allocator({_MMAP_THRESHOLD: size, _TRIM_THRESHOLD: 16 * size, _ARENA_MAX: 1})


def return_freed_memory(size: int = 1 << 20) -> None:
    """Let the C library (glibc) return the memory of freed arrays from ``size`` bytes on to the system at once.

    It otherwise raises this limit with every array that is freed, up to 32 MB, and then the arrays of a city leave gaps between
    smaller objects that no later array fits into. Meant for processes in which a run of a city must leave room for others.
    """
    _set_allocator({_MMAP_THRESHOLD: size, _TRIM_THRESHOLD: size, _ARENA_MAX: 1})


def trim_memory() -> None:
    """Return free pages between objects that are in use to the system (glibc); a step of some milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _set_allocator(values: dict[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in values.items():
            mallopt(parameter, value)


def _mark() -> Path:
    return Path(str(getattr(numba.config, "CACHE_DIR"))) / "warm"  # noqa: B009 (numba makes its names)


def is_warm() -> bool:
    """Whether all functions of these sources are compiled in the cache of this machine (:func:`note_warm`)."""
    return _mark().exists()


def note_warm() -> None:
    """Note that all functions are compiled; call it after :func:`allocation.warmup.compile_all`."""
    _mark().touch()
