"""Checks of overdue work in the database, for `flask doctor`.

They are not in `portal.operations.doctor`, which every start imports, because they import large parts of the domain.
"""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.ground import key_rotation
from enrollment.ground.vault import Keys
from enrollment.maintenance import retention as rules
from portal.operations import doctor


def retention(session: Session, now: dt.datetime) -> None:
    """Check that the nightly retention job deletes expired data.  Raises Unwell."""
    year = rules.overdue_season(session, now)
    if year is not None:
        raise doctor.Unwell(f"families of {year} are kept longer than they were told: run `flask retention run`")


def old_keys(session: Session, keys: Keys) -> None:
    """Check that the key file has no key besides the current one.  Raises Unwell."""
    for name in sorted(keys.sealing.keys() - {keys.current}):
        if key_rotation.count_sealed_with(session, name):
            raise doctor.Unwell(f"values are still sealed with the key {name}: run `flask keys rotate`")
        raise doctor.Unwell(f"nothing is sealed with the key {name}: `flask keys use` or `flask keys remove` it")
