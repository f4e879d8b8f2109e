"""The database's clock for maintenance permits, at a time of the test.  It takes the owner of the tables to do it."""

import contextlib
import datetime as dt
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from enrollment.ground.demo_clock import set_permit_clock


def stop_permit_clock(session: Session, moment: dt.datetime) -> None:
    """Until the transaction is rolled back."""
    session.execute(
        text(
            "CREATE OR REPLACE FUNCTION permit_clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
            f" $$ SELECT timestamptz '{moment.isoformat()}' $$"
        )
    )


@contextlib.contextmanager
def stopped_permit_clock(session: Session, moment: dt.datetime) -> Iterator[None]:
    """The same in a database that other tests use too."""
    stop_permit_clock(session, moment)
    session.commit()
    yield
    session.rollback()
    set_permit_clock(session, demo=False)
    session.commit()
