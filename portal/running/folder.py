"""The data folder (`var/`): its lock, its keys, and the room on its disk."""

import base64
import fcntl
import os
import secrets
import shutil
from pathlib import Path

from portal.running.faults import Fault

LEAST_FREE = 300 * 1024 * 1024
"""Bytes that must be free before a start: PostgreSQL's first files and its log need about half of it."""


class Folder:
    """`path` holds everything that the portal keeps on this machine.  One supervisor at a time may hold it."""

    def __init__(self, path: Path):
        self.path = path.resolve()
        self._lock = None

    def take(self, note: str) -> None:
        """Create the folder and lock it; `note` tells a second one who holds it."""
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
        self._write_note(note)

    def _write_note(self, note: str) -> None:
        try:
            self._lock.truncate(0)
            self._lock.write(note)
            self._lock.flush()
        except OSError as error:
            raise self.full() from error

    def check_room(self) -> None:
        if shutil.disk_usage(self.path).free < LEAST_FREE:
            raise self.full()

    def full(self) -> Fault:
        free = shutil.disk_usage(self.path).free // 1024**2
        need = LEAST_FREE // 1024**2
        return Fault(
            f"the disk of {self.path} is full ({free} MB free, {need} MB needed): free some space, "
            "or set PORTAL_DATA to a folder on another disk"
        )

    def secret(self, name: str, size: int = 32) -> str:
        """The text of a key that belongs to this folder's demo; made at the first start, readable by its owner only."""
        path = self.path / "keys" / name
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if not path.exists():
                fresh = path.with_suffix(".new")
                with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    file.write(base64.urlsafe_b64encode(secrets.token_bytes(size)).decode())
                fresh.replace(path)
            return path.read_text().strip()
        except OSError as error:
            raise Fault(f"cannot keep the key {path} ({error.strerror}): free space or mend its permissions") from error
