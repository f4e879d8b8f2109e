"""One statement that does an act of a family with all its rows, and stores the answer under the key of the request."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import IntegrityError as PgIntegrityError
from psycopg.types.json import Json
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from enrollment.applications.statements.prepared_write import ConnectionLost, prepared
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
class Page:
    """What a page changes besides the application itself, as parts of a larger statement whose CTE `kept` changes that.

    `parts` are the CTEs that hang on `kept`, and `condition` is what the page asks before anything is written.  `before` are
    CTEs before `kept`, and `source` is its FROM list; `returning` are more columns of `kept` than id and child_id.
    """

    parts: str
    condition: str = "true"
    before: str = ""
    source: str = ""
    returning: str = ""


@dataclass(frozen=True)
class Change:
    """A statement that writes one change and gives its id, or writes nothing; without what `write` adds to its values.

    Its row is the id and `SAVED`.  An id of NULL says that it has not even locked anything; no row says nothing.  `page` are
    the parts of the statement that an edit of a handed-in application writes too.
    """

    statement: str
    values: dict[str, Any]
    page: Page | None = None


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
    values = change.values | answer
    try:
        row = _row(session, change.statement, values)
        if row is not None:
            visit.saved = int(row[1]) > 0
            return row[0] is not None
    except (IntegrityError, PgIntegrityError):
        pass  # the key was used meanwhile, a code is taken, or what a row refers to is gone
    # Nothing is written, and the service looks again.  PostgreSQL locked the row to look whether it still fits, and the next
    # lock is that of the key: another click with this key holds it and waits for the row.
    session.rollback()
    return False


def _row(session: Session, statement: str, values: dict[str, Any]) -> Sequence[Any] | None:
    """Send the statement as a transaction of its own, or within that of the session if one has begun.

    A connection that broke before the answer came leaves open whether the act is done.  It is sent again over another one: if it is
    done, its key is used, and the service finds the answer by it.
    """
    engine = session.get_bind()
    if session.in_transaction() or not isinstance(engine, Engine):
        return _in_transaction(session, statement, values)
    try:
        return prepared(statement).commit(engine, values)
    except ConnectionLost:
        pass
    try:
        return _in_transaction(session, statement, values)
    except DBAPIError as lost:  # this one ends all connections of the pool that were lost with the first
        if not lost.connection_invalidated:
            raise
        session.rollback()
        return _in_transaction(session, statement, values)


def _in_transaction(session: Session, statement: str, values: dict[str, Any]) -> Sequence[Any] | None:
    return session.connection().exec_driver_sql(statement, values).one_or_none()
