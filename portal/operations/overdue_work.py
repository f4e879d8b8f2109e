"""Checks of overdue work in the database, for `flask doctor`.

They are not in `portal.operations.doctor`, which every start imports, because they import large parts of the domain.
"""

import datetime as dt
from collections import Counter
from pathlib import Path

from sqlalchemy.orm import Session

from enrollment.ground import demo_clock, key_rotation
from enrollment.ground.audit_chain.heads import database_clock
from enrollment.ground.operations import alarms, backups
from enrollment.ground.vault import Keys
from enrollment.maintenance import retention as rules
from portal.operations import doctor
from portal.text.words import word
from portal.web.clock import MOST_DIFFERENCE, real_now
from portal.web.sessions import MAX_LIFETIME


def retention(session: Session, now: dt.datetime) -> None:
    """Check that the nightly retention job deletes expired data.  Raises Unwell."""
    year = rules.overdue_season(session, now)
    if year is not None:
        raise doctor.Unwell(f"families of {year} are kept longer than they were told: run `flask retention run`")


def permit_clock(session: Session, *, demo: bool) -> None:
    """Raises Unwell where rows of the demo's clock could open the door of retention."""
    if not demo and demo_clock.permit_clock_is_moved(session):
        raise doctor.Unwell("maintenance permits are not judged by the clock of the database: run `flask migrate`")


OLDEST_BACKUP = dt.timedelta(hours=26)
"""A backup is made every night, and takes at most two hours."""


def backup_age(session: Session, *, demo: bool, folder: Path | None) -> None:
    """Check that the newest backup is of today or yesterday.  Raises Unwell."""
    newest = backups.newest(session)
    if newest is not None and newest.taken_at > real_now() - OLDEST_BACKUP:
        return
    if folder is None and not demo:
        raise doctor.Unwell("BACKUP_FOLDER is not set, so nothing is backed up: set it to a folder on another disk")
    if newest is not None:
        raise doctor.Unwell(
            f"the newest backup is of {newest.taken_at:%Y-%m-%d %H:%M} UTC: run `flask backup`, which says what is in its way"
        )
    if not demo:
        raise doctor.Unwell("there is no backup yet: run `flask backup`")


def host_clock(session: Session) -> None:
    """Raises Unwell where the clock of this host is not that of the database: sessions and codes are judged by it, and a result
    is opened when both have reached its hour."""
    ahead = real_now() - database_clock(session)
    if abs(ahead) > MOST_DIFFERENCE:
        raise doctor.Unwell(
            f"the clock of this host is {abs(ahead).total_seconds():.0f} s {'ahead of' if ahead > dt.timedelta() else 'behind'} that of "
            "the database: switch on the time service of both (`timedatectl set-ntp true`)"
        )


def open_alarms(session: Session) -> None:
    """Raises Unwell with the alarms that are not over."""
    if found := alarms.open_alarms(session):
        told = ", ".join(
            f"{word('alarm', each.code, in_language='en')} since {each.began_at:%Y-%m-%d %H:%M} UTC" for each in found
        )
        raise doctor.Unwell(told)


def until_key_is_free(left: Counter[str]) -> str:
    """What to do until nothing is sealed with a key of which `left` is sealed."""
    if left.keys() == {key_rotation.IN_SESSIONS}:
        hours = MAX_LIFETIME // dt.timedelta(hours=1)
        return f"they are of sessions, which are over after {hours} hours at the latest: then `flask keys remove` it"
    return "run `flask keys rotate`"


def old_keys(session: Session, keys: Keys) -> None:
    """Check that the key file has no key besides the current one, and every value is bound to its row.  Raises Unwell."""
    for name in sorted(keys.sealing.keys() - {keys.current}):
        if left := key_rotation.count_sealed_with(session, name):
            raise doctor.Unwell(f"values are still sealed with the key {name}: {until_key_is_free(left)}")
        raise doctor.Unwell(f"nothing is sealed with the key {name}: `flask keys use` or `flask keys remove` it")
    if left := key_rotation.count_unbound(session):
        raise doctor.Unwell(f"{left.total()} values from before are not bound to their rows: run `flask keys rotate`")
