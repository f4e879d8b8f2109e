"""One statement that does an act of a family with all its rows, and stores the answer under the key of the request."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Json
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.ground.sign_in import RequestKey


def answered(act: str) -> str:
    """SQL of the last CTEs of a statement whose CTE `act` has one row if the act is done, and else none.

    `done` is the answer under the request's key: a plain insert, so that a key that is used already takes back the whole
    statement.  `touched` saves the web session, unless another request holds it.  It locks the session only if the act is
    done: a refusal saves it over another connection, which would wait for this one.
    """
    return f"""
    done AS (
        INSERT INTO done_once (key, account_id, body_digest, status, location, done_at)
        SELECT %(key)s, %(account)s, %(body)s, 303, %(location)s, %(real_now)s FROM {act}),
    touched AS (
        UPDATE web_session SET account_id = %(visitor)s, data = %(visit_data)s, seen_at = %(seen_at)s,
            expires_at = %(expires_at)s FROM {act}
        WHERE digest IN (
            SELECT digest FROM web_session WHERE digest = %(visit)s AND EXISTS (SELECT FROM {act}) FOR UPDATE SKIP LOCKED)
        RETURNING digest)
"""  # noqa: S608 (constants)


DONE = answered("kept")
"""The same where the CTE is called `kept`, as in most statements."""
SAVED = "(SELECT count(*) FROM touched)"
"""The second column of a statement's row: whether the session was saved."""


@dataclass
class Visit:
    """A web session as the act leaves it, with its messages; `saved` says that the statement saved it."""

    digest: bytes | None = None
    account: str | None = None
    data: Json | None = None
    seen_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    saved: bool = False


@dataclass(frozen=True)
class Change:
    """A statement that writes one change and gives its id, or writes nothing; without what `write` adds to its values.

    Its row is the id and `SAVED`.  An id of NULL says that it has not even locked anything; no row says nothing.
    """

    statement: str
    values: dict[str, Any]


def write(session: Session, change: Change, *, key: RequestKey, location: str, visit: Visit | None = None) -> bool:
    """Write the change, the answer `location` under the request's key, and the web session.

    False if something is not as it was read, or the key was used meanwhile; then nothing is written.
    """
    visit = visit or Visit()
    answer = {
        "key": key.key,
        "body": key.body_digest,
        "location": location,
        "real_now": key.at,
        "visit": visit.digest,
        "visitor": visit.account,
        "visit_data": visit.data,
        "seen_at": visit.seen_at,
        "expires_at": visit.expires_at,
    }
    try:
        found = session.connection().exec_driver_sql(change.statement, change.values | answer)
        row = found.one_or_none()
        if row is not None:
            visit.saved = bool(row[1])
            return row[0] is not None
    except IntegrityError:
        pass  # the key was used meanwhile, a code is taken, or what a row refers to is gone
    # Nothing is written, and the service looks again.  PostgreSQL locked the row to look whether it still fits, and the next
    # lock is that of the key: another click with this key holds it and waits for the row.
    session.rollback()
    return False
