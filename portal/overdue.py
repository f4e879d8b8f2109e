"""What the rows say is left undone, for `flask doctor`.

Apart from `portal.doctor`, which each start asks: these rules need half of the house, and a start has no use for it.
"""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.figures import retention as rules
from enrollment.ground import resealing
from enrollment.ground.vault import Keys
from portal import doctor


def retention(session: Session, now: dt.datetime) -> None:
    """Whether the nightly job deletes what the register names a time for."""
    year = rules.late(session, now)
    if year is not None:
        raise doctor.Unwell(f"families of {year} are kept longer than they were told: run `flask retention run`")


def old_keys(session: Session, keys: Keys) -> None:
    """Whether a key beside the one in use still waits for something to be done with it."""
    for name in sorted(keys.sealing.keys() - {keys.current}):
        if resealing.sealed_with(session, name):
            raise doctor.Unwell(f"values are still sealed with the key {name}: run `flask keys rotate`")
        raise doctor.Unwell(f"nothing is sealed with the key {name}: `flask keys use` or `flask keys remove` it")
