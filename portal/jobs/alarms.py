"""Alarms that reach the operator by text message: once when they begin, once when they are over.

The scheduler looks every few seconds.  A message goes through the outbox, in the lane of codes, because somebody must act on it;
about the database, the sender and a forged trail it goes to the gateway directly, because then nobody reads the outbox, or
somebody else may write it.  That the
scheduler itself lives is watched by the supervisor, by systemd and by Prometheus (`deploy/alerts.yml`).
"""

import contextlib
import datetime as dt
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.delivery.settlement import Verdict
from enrollment.ground import outbox
from enrollment.ground.operations import alarms
from enrollment.ground.operations.alarms import Alarm, AlarmCode
from enrollment.maintenance import operation_figures
from enrollment.maintenance.operation_figures import OperationFigures
from portal.config import Config
from portal.gateways.messages import open_connection
from portal.text.formats import moment
from portal.text.messages import signed
from portal.text.words import word
from portal.web import clock
from portal.web.clock import real_now

log = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds between two looks."""

PATIENCE = {AlarmCode.DATABASE_AWAY: 30.0, AlarmCode.QUEUE_AWAY: 30.0, AlarmCode.HEAD_NOT_COPIED: 60.0}
"""Seconds for which a condition must hold; the limits of the others are ages."""

CALM = 120.0
"""Seconds for which it must be absent before its alarm is over: one near its limit would tell of an end and a beginning each minute."""

LATE_JOB, LATE_CODE, LATE_NOTICE, SILENT_SENDER, LATE_SEAL, OLD_BACKUP = (
    300.0,
    60.0,
    2 * 3600.0,
    60.0,
    60.0,
    26 * 3600.0,
)
LEAST_FREE = 0.1
LEAST_NUMBERS, LEAST_ENTERED = 20, 0.1
"""Of so many numbers that got a code, so large a share enters it where the gateway delivers what it acknowledges."""
LIFETIME = dt.timedelta(hours=2)
"""A message about an alarm that could not be sent for so long is not sent any more."""

DIRECT = (AlarmCode.DATABASE_AWAY, AlarmCode.SENDER_STUCK, AlarmCode.TRAIL_BROKEN)
"""Those that nobody may read in the outbox: no sender reads it, or somebody else writes it."""


class AlarmWatch:
    """`queue_answers` says whether the queue does.  A condition that appears and goes within its patience is no alarm."""

    def __init__(
        self, engine: Engine, config: Config, now: Callable[[Session], dt.datetime], queue_answers: Callable[[], bool]
    ):
        self.engine, self.config, self.now, self.queue_answers = engine, config, now, queue_answers
        self._since: dict[AlarmCode, tuple[float, dt.datetime]] = {}
        self._absent: dict[AlarmCode, float] = {}
        self._database_told: dt.datetime | None = None

    def look(self, also: Collection[AlarmCode] = ()) -> None:
        """Judge everything and tell the operator what began and what is over.  The database answers; `also` holds."""
        with Session(self.engine) as session, session.begin():
            now = self.now(session)
            figures = operation_figures.read(session, now=now)
            found = [*conditions(figures, self.config), *also]
            found += [AlarmCode.CLOCKS_DIFFER] * (abs(clock.database_is_ahead(session)) > clock.MOST_DIFFERENCE)
            found += [AlarmCode.QUEUE_AWAY] * (not self.queue_answers())
            self._since = {code: since for code, since in self._since.items() if code in found}
            raised = self._lasting(found)
            open_now = {alarm.code for alarm in alarms.open_alarms(session)}
            if self._database_told is not None:
                open_now.add(AlarmCode.DATABASE_AWAY)  # it was told, and has no row
            over = self._over(code for code in AlarmCode if code in open_now and code not in found)
            began, ended = alarms.update_alarms(session, raised, over, now=real_now())
            for alarm in [*began, *ended]:
                self._tell(session, alarm, now)
        if self._database_told is not None and AlarmCode.DATABASE_AWAY in over:
            self._send(uuid.uuid4(), AlarmCode.DATABASE_AWAY, self._database_told, real_now())
            self._database_told = None

    def database_is_away(self) -> None:
        """Called instead of `look` while it does not answer: tell it once, directly."""
        self._absent.pop(AlarmCode.DATABASE_AWAY, None)
        since = self._lasting([AlarmCode.DATABASE_AWAY]).get(AlarmCode.DATABASE_AWAY)
        if since is None or self._database_told is not None:
            return
        self._database_told = since
        self._send(uuid.uuid4(), AlarmCode.DATABASE_AWAY, since, None)

    def _lasting(self, codes: Iterable[AlarmCode]) -> dict[AlarmCode, dt.datetime]:
        """Those that hold for longer than their patience, with the time since when."""
        moment_now, found = time.monotonic(), {}
        for code in codes:
            began, since = self._since.setdefault(code, (moment_now, real_now()))
            if moment_now - began >= PATIENCE.get(code, 0.0):
                found[code] = since
        return found

    def _over(self, absent: Iterable[AlarmCode]) -> list[AlarmCode]:
        """Those of the `absent` that have been absent at each look for long enough."""
        moment_now = time.monotonic()
        self._absent = {code: self._absent.get(code, moment_now) for code in absent}
        return [code for code, since in self._absent.items() if moment_now - since >= CALM]

    def _tell(self, session: Session, alarm: Alarm, now: dt.datetime) -> None:
        code, phones = AlarmCode(alarm.code), list(self.config.alarm_phones)
        if code in DIRECT and alarm.ended_at is None:
            phones = self._send(alarm.id, code, alarm.began_at, None)
        else:
            log.error("alarm %s %s", code, "over" if alarm.ended_at else "began")
        words = self._words(code, alarm.began_at, alarm.ended_at)
        which = "over" if alarm.ended_at else "began"
        for phone in phones:
            key = f"alarm:{alarm.id}:{which}:{self.config.alarm_phones.index(phone)}"
            outbox.add_text_message(session, phone, words, key=key, now=now, expires_at=now + LIFETIME)

    def _send(self, alarm: uuid.UUID, code: AlarmCode, began: dt.datetime, ended: dt.datetime | None) -> list[str]:
        """Directly to the gateway.  Returns the phones for which it did not take it."""
        left = []
        which = "over" if ended else "began"
        log.error("alarm %s %s", code, which)
        with contextlib.closing(open_connection(self.config, self.engine, self.now)) as connection:
            for number, phone in enumerate(self.config.alarm_phones):
                attempt = connection.send(f"alarm:{alarm}:{which}:{number}", phone, self._words(code, began, ended))
                if attempt.verdict != Verdict.ACCEPTED:
                    log.critical("the gateway did not take the alarm %s (%s)", code, attempt.error)
                    left.append(phone)
        return left

    def _words(self, code: AlarmCode, began: dt.datetime, ended: dt.datetime | None) -> str:
        spoken = self.config.alarm_language
        shown = {"since": moment(began, in_language=spoken), "what": word("alarm", code, in_language=spoken)}
        if ended is not None:
            shown["until"] = moment(ended, in_language=spoken)
        told = word("alarm_message", "over" if ended else "began", in_language=spoken, **shown)
        return signed(told, self.config, in_language=spoken)


def conditions(figures: OperationFigures, config: Config) -> list[AlarmCode]:
    """What is wrong by these figures and by the disks of this machine."""
    found = {
        AlarmCode.JOBS_LATE: _older(figures.oldest_job, LATE_JOB),
        AlarmCode.SENDER_STUCK: _older(figures.oldest_code, LATE_CODE)
        or _older(figures.oldest_notice, LATE_NOTICE)
        or _older(figures.texts_down, LATE_CODE)
        or _older(figures.sender_silent, SILENT_SENDER),
        AlarmCode.CODES_NOT_ENTERED: figures.gateway_down is None
        and figures.numbers_with_code >= LEAST_NUMBERS
        and figures.numbers_with_entered_code < LEAST_ENTERED * figures.numbers_with_code,
        AlarmCode.SEALS_LATE: _older(figures.seal_lag, LATE_SEAL),
        AlarmCode.CLOCK_JUMPED: figures.days_are_missing and not config.demo,
        AlarmCode.BACKUP_OLD: config.backup_folder is not None and _older(figures.backup_age, OLD_BACKUP),
        AlarmCode.DISK_NEARLY_FULL: any(map(_is_nearly_full, _folders(config))),
    }
    return [code for code, holds in found.items() if holds]


def _older(age: float | None, limit: float) -> bool:
    return age is not None and age > limit


def _folders(config: Config) -> list[Path]:
    folders = [config.backup_folder, config.audit_head_file.parent if config.audit_head_file else None]
    return [folder for folder in folders if folder is not None]


def _is_nearly_full(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        usage = shutil.disk_usage(folder)
        return usage.free < LEAST_FREE * usage.total
    return False
