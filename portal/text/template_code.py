"""Keeps compiled templates on the disk, as Python keeps its modules: a page process starts without compiling each page anew."""

import contextlib
import hashlib
import shutil
import sys
from pathlib import Path
from pickle import UnpicklingError

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache

PORTAL = Path(__file__).parents[1]


class TemplateCode(FileSystemBytecodeCache):
    """A template that cannot be read from the folder or written into it is compiled, and nothing else happens."""

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, ValueError, UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def sources_digest(folder: Path = PORTAL) -> str:
    """A digest (16 hex digits) that changes with Python, Jinja and each module of the portal.

    Jinja compares the source of a template itself, but not the filters whose value for a constant it has computed.
    """
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} {jinja2.__version__}".encode())
    for path in sorted(folder.rglob("*.py")):
        told = path.stat()
        digest.update(f"{path.relative_to(folder)} {told.st_mtime_ns} {told.st_size}\n".encode())
    return digest.hexdigest()[:16]


def kept_in(base: Path | None) -> TemplateCode | None:
    """The compiled templates of these sources under `base`, or beside the compiled modules; None where no folder can be made.

    Those of other sources are removed.  What is in the folder is run: nobody else may write there.
    """
    base = base or Path(__file__).with_name("__pycache__")
    folder = base / f"templates-{sources_digest()}"
    if not folder.is_dir():
        for old in base.glob("templates-*"):
            shutil.rmtree(old, ignore_errors=True)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            return None
    return TemplateCode(str(folder))
