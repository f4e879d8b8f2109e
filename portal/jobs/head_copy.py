"""Copies the head of the audit trail out of the database after each seal; what is wrong with that is an alarm."""

import logging
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.ground.audit_chain import copies
from enrollment.ground.operations.alarms import AlarmCode

log = logging.getLogger(__name__)


class HeadCopy:
    """`faults` are the alarms that hold; a line is logged when one begins or ends, and not at each of the tries of every second."""

    def __init__(self, engine: Engine, file: Path):
        self.engine, self.file = engine, file
        self.faults: set[AlarmCode] = set()
        self._is_due = True

    def update(self, *, sealed: bool) -> None:
        """Copy the head if more is sealed, or the last copy failed.  A copy that the trail does not continue stays as evidence."""
        if not (sealed or self._is_due):
            return
        try:
            with Session(self.engine) as session:
                continues = copies.write_copy(session, self.file)
        except (OSError, ValueError) as fault:
            if AlarmCode.HEAD_NOT_COPIED not in self.faults:
                log.error("the head of the audit trail cannot be copied to %s: %s", self.file, fault)
            self.faults.add(AlarmCode.HEAD_NOT_COPIED)  # whether the trail is broken is as it was
            self._is_due = True
            return
        self._is_due = False
        if AlarmCode.HEAD_NOT_COPIED in self.faults:
            log.warning("the head of the audit trail can be read and copied to %s again", self.file)
        if not continues and AlarmCode.TRAIL_BROKEN not in self.faults:
            log.critical("the audit trail does not continue its copied head %s: run `flask audit verify`", self.file)
        self.faults = set() if continues else {AlarmCode.TRAIL_BROKEN}
