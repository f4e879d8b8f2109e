"""What the rows say is left undone, for `flask doctor`.

Apart from `portal.operations.doctor`, which each start asks: these rules need half of the house, and a start has no use for it.
"""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.ground import key_rotation
from enrollment.ground.vault import Keys
from enrollment.maintenance import retention as rules
from portal.operations import doctor


def retention(session: Session, now: dt.datetime) -> None:
    """Whether the nightly job deletes what the register names a time for."""
    year = rules.late(session, now)
    if year is not None:
        raise doctor.Unwell(f"families of {year} are kept longer than they were told: run `flask retention run`")


def old_keys(session: Session, keys: Keys) -> None:
    """Whether a key beside the one in use still waits for something to be done with it."""
    for name in sorted(keys.sealing.keys() - {keys.current}):
        if key_rotation.sealed_with(session, name):
            raise doctor.Unwell(f"values are still sealed with the key {name}: run `flask keys rotate`")
        raise doctor.Unwell(f"nothing is sealed with the key {name}: `flask keys use` or `flask keys remove` it")
