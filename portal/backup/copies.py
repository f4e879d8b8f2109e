"""The folder of backups: names that sort by time, and how many copies are kept."""

import datetime as dt
import os
import re
import time
from pathlib import Path

SUFFIX = ".backup"
UNFINISHED = ".unfinished"
_NAME = re.compile(r"portal-\d{8}T\d{6}\.\d{6}Z" + re.escape(SUFFIX))
LONGEST_WRITING = 24 * 3600
"""Seconds after which an unfinished file is what a killed process left."""


def name_of(taken_at: dt.datetime) -> str:
    return f"portal-{taken_at.astimezone(dt.UTC):%Y%m%dT%H%M%S.%f}Z{SUFFIX}"


def of_folder(folder: Path) -> list[Path]:
    """The backups of a folder, oldest first; other files are not ours."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []


CLOCK_SLACK = dt.timedelta(hours=1)


def keep_newest(folder: Path, keep: int, *, now: dt.datetime) -> list[Path]:
    """Delete all backups but the newest `keep`, and files that a killed process left; the deleted backups.

    Those dated after `now` were made while a clock was ahead.  They are kept apart, as many again: counted with the others they
    would be the newest ones for as long as the clock was ahead, and each new backup would be deleted as the oldest.
    """
    for path in folder.glob(f"*{SUFFIX}{UNFINISHED}"):
        if path.stat().st_mtime < time.time() - LONGEST_WRITING:
            path.unlink(missing_ok=True)
    end = name_of(now + CLOCK_SLACK)
    of_now = [path for path in of_folder(folder) if path.name <= end]
    ahead = [path for path in of_folder(folder) if path.name > end]
    gone = [*of_now[: -max(keep, 1)], *ahead[: -max(keep, 1)]]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def sync_folder(folder: Path) -> None:
    """A new name is on the disk only after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
