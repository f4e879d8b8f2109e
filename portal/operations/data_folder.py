"""The data folder (`var/`): its lock, its keys, and the free space on its disk."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from enrollment.ground.vault import Keys
from portal.backup import copies
from portal.config import DEMO_SECRET
from portal.operations.start_faults import Fault

MIN_FREE = 300 * 1024 * 1024
"""Bytes that must be free at the start; the first files and the log of PostgreSQL need about half of it."""


class Folder:
    """`path` contains all data of the portal on this machine.  One supervisor at a time may lock it."""

    def __init__(self, path: Path):
        self.path = path.resolve()
        self._lock: TextIO | None = None

    def lock(self, note: str) -> None:
        """Create the folder and lock it; `note` names the holder in a second supervisor's error message."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "serve.lock").open("a+")
        except OSError as error:
            raise Fault(
                f"cannot write to {self.path} ({error.strerror}): give yourself the right to write there, "
                "or set PORTAL_DATA to a folder where you may"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise Fault(
                f"the portal of this folder already runs ({lock.read().strip() or 'just starting'}): stop it with "
                "Ctrl-C there, or set PORTAL_DATA to another folder for a second one"
            ) from error
        self._lock = lock
        self._write_note(lock, note)

    def _write_note(self, lock: TextIO, note: str) -> None:
        try:
            lock.truncate(0)
            lock.write(note)
            lock.flush()
        except OSError as error:
            raise self.full() from error

    def check_free_space(self) -> None:
        if shutil.disk_usage(self.path).free < MIN_FREE:
            raise self.full()

    def full(self) -> Fault:
        free = shutil.disk_usage(self.path).free // 1024**2
        need = MIN_FREE // 1024**2
        return Fault(
            f"the disk of {self.path} is full ({free} MB free, {need} MB needed): free some space, "
            "or set PORTAL_DATA to a folder on another disk"
        )

    def demo_secret(self) -> str:
        """The secret key of the demo, created at the first start and readable by its owner only."""
        path = self.path / "keys" / "demo-secret"

        def write() -> None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(DEMO_SECRET + secrets.token_urlsafe(32))

        return self._create_once(path, write).read_text().strip()

    def demo_keys(self) -> Path:
        """The demo's key file of the encrypted columns."""
        path = self.path / "keys" / "demo-keys.json"
        return self._create_once(path, lambda: Keys.write_new(path, "demo-1"))

    def check_demo_keys(self) -> None:
        """Raises Fault where a database is there and the keys of its values are not: new ones would read none of them."""
        path = self.path / "keys" / "demo-keys.json"
        if (self.path / "postgres" / "PG_VERSION").exists() and not path.exists():
            raise Fault(
                f"the key file {path} is gone, and without it no name of this database can be read: put back its copy, name it in "
                "KEY_FILE, or begin with new demo data by  make clean-data"
            )

    def _create_once(self, path: Path, write: Callable[[], None]) -> Path:
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if not path.exists() or path.stat().st_size == 0:
                path.unlink(missing_ok=True)
                write()
        except OSError as error:
            raise Fault(f"cannot keep the key {path} ({error.strerror}): free space or mend its permissions") from error
        return path

    def clear(self, backups: Path | None = None) -> list[str]:
        """Remove all data of this folder; the caller holds the lock.  `backups` is their folder where it is not in this one.

        Where there are backups, they and their keys stay, and the names of what stays are returned: a restore needs an empty
        database, and whoever makes room for it must not lose the copy.
        """
        stays = ["backup", "keys"] if copies.of_folder(backups or self.path / "backup") else []
        for entry in self.path.iterdir():
            if entry.name not in ("serve.lock", *stays):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        return [name for name in stays if (self.path / name).exists()]
