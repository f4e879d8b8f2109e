"""Server-side sessions: the cookie is a random key, and the table holds its digest.  Sign-out deletes the row.

A session is read with everything else that a request asks first (`request_read`), and saved in the transaction of the
request.  Where that is rolled back, or the row is locked by another request, it is saved in a transaction of its own, so
that flash messages survive a refusal and nobody waits for a session with other locks in hand.
"""

import base64
import contextlib
import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator
from typing import Any, cast

from flask import Flask, Request, Response, g, session
from flask.globals import request_ctx
from flask.sessions import SessionInterface, SessionMixin
from psycopg.types.json import Json
from sqlalchemy import Connection, delete
from werkzeug.datastructures import CallbackDict

from enrollment.applications.statements.keyed_write import Visit
from enrollment.ground.sign_in import WebSession
from enrollment.ground.vault import VaultError, seal_unbound, unseal_unbound
from portal.web.clock import real_now
from portal.web.reading.request_read import StoredSession, stored_session
from portal.web.unit_of_work import db

IDLE_TIMEOUT = dt.timedelta(hours=1)
MAX_LIFETIME = dt.timedelta(hours=12)
TOUCH_INTERVAL = dt.timedelta(minutes=5)
"""How often the time of the last request is written; a session idles between 55 minutes and an hour."""


CONTINUE = """
    UPDATE web_session SET account_id = %(account)s, data = %(data)s, seen_at = %(seen_at)s, expires_at = %(expires_at)s
    WHERE digest IN (SELECT digest FROM web_session WHERE digest = %(digest)s FOR UPDATE {SKIP}) RETURNING digest
"""

TOUCH = """
    UPDATE web_session SET seen_at = %(seen_at)s, expires_at = %(expires_at)s
    WHERE digest IN (SELECT digest FROM web_session WHERE digest = %(digest)s FOR UPDATE {SKIP}) RETURNING digest
"""
"""For a session that did not change: another request may have stored messages in the row since it was read."""

BEGIN = """
    WITH former AS (DELETE FROM web_session WHERE digest = %(former)s)
    INSERT INTO web_session (digest, account_id, data, created_at, seen_at, expires_at)
    VALUES (%(digest)s, %(account)s, %(data)s, %(created_at)s, %(seen_at)s, %(expires_at)s)
"""


MESSAGES = "_flashes"
"""Where Flask keeps the messages that no page has shown yet."""


class ServerSession(CallbackDict, SessionMixin):
    """The class of `flask.session`."""

    def __init__(self, data: dict[str, Any] | None = None, key: str | None = None, row: StoredSession | None = None):
        super().__init__(data or {}, on_update=_mark_modified)
        if MESSAGES in self:
            self[MESSAGES] = list(self[MESSAGES])  # `flash` adds to the list itself, and the row is what was read
        self.messages_before = len(self.get(MESSAGES, ()))
        self.key = key
        self.row = row
        self.modified = False
        self.accessed = False
        self.renew = False
        self.saved = False
        self.expired = False
        self.expired_owner: str | None = None

    @property
    def owner(self) -> str | None:
        """The account that is signed in, or was signed in until the session expired; None if unknown."""
        return self.get("_user_id") or self.expired_owner

    def set_sealed(self, name: str, text: str) -> None:
        """Store a text with personal data; the row holds it encrypted."""
        self[name] = base64.b64encode(seal_unbound(text, f"web_session.{name}")).decode()

    def messages(self) -> list[Any]:
        """The messages that no page has shown yet."""
        return list(self.get(MESSAGES, ()))

    def set_messages(self, messages: list[Any]) -> None:
        if messages:
            self[MESSAGES] = messages
        else:
            self.pop(MESSAGES, None)

    @contextlib.contextmanager
    def messages_only_if_done(self) -> Iterator[None]:
        """An exception in the block takes back the messages that were added in it, because what they tell of is not written."""
        before = self.messages()
        try:
            yield
        except BaseException:
            if self.messages() != before:
                self.set_messages(before)
            raise

    def drop_new_messages(self) -> None:
        """Take back the messages of this request, because what they tell of is not written.  Older ones stay."""
        shown = request_ctx.flashes  # a page that nobody sees may have taken them out already
        older = self.messages_before if shown is None else 0
        if len(messages := self.messages()) > older:
            self.set_messages(messages[:older])
        if shown is not None:
            del shown[self.messages_before :]

    def get_sealed(self, name: str) -> str | None:
        """The stored text.  None if there is none, and also where its key has been taken out of the key file meanwhile."""
        if name not in self:
            return None
        try:
            return unseal_unbound(base64.b64decode(self[name]), f"web_session.{name}")
        except VaultError:
            return None


def _mark_modified(session: ServerSession) -> None:
    session.modified = True


def current_session() -> ServerSession:
    """`flask.session` with the methods that this portal's sessions have."""
    return cast(ServerSession, session._get_current_object())  # type: ignore[attr-defined]


def digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class SessionTable(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> ServerSession:
        key = request.cookies.get(self.cookie_name(app))
        if not key or request.path.startswith("/static/"):
            return ServerSession()
        row = stored_session(db(), digest_of(key))
        if row is None or row.expires_at <= real_now():
            fresh = ServerSession()
            fresh.expired = True
            fresh.expired_owner = str(row.account.id) if row is not None and row.account else None
            return fresh
        return ServerSession(row.data, key, row)

    def cookie_name(self, app: Flask) -> str:
        return "__Host-session" if app.extensions["services"].config.https else "session"

    def save_with_request(self, response: Response) -> Response:
        """Save the session in the transaction of the request, which is committed next."""
        current, database = current_session(), g.get("session")
        commits = database is not None and response.status_code < 400 and not g.get("rollback_only")
        done = current.saved and not current.modified
        if (
            commits
            and not done
            and self._is_due(current, response)
            and not current.renew
            and not self._is_over(current)
        ):
            current.saved = _write(database.connection(), current, real_now(), wait=False)
        return response

    def save_session(self, app: Flask, session: ServerSession, response: Response) -> None:  # type: ignore[override]
        if self._is_over(session):
            _delete(app, session.key)
            response.delete_cookie(
                self.cookie_name(app),
                path="/",
                secure=app.extensions["services"].config.https,
                httponly=True,
                samesite="Lax",
            )
            return
        if not self._is_due(session, response):
            return
        if not (session.saved and g.get("committed")):
            with app.extensions["services"].engine.begin() as connection:
                if not _write(connection, session, real_now()):
                    return
        response.set_cookie(
            self.cookie_name(app),
            session.key or "",
            path="/",
            httponly=True,
            secure=app.extensions["services"].config.https,
            samesite="Lax",
        )

    def _is_over(self, session: ServerSession) -> bool:
        return session.row is not None and not session and session.modified

    def _is_due(self, session: ServerSession, response: Response) -> bool:
        """Whether the session changed, or was not touched for long."""
        shared = response.cache_control.public  # a shared cache must never store a person's cookie
        stale = session.row is not None and real_now() - session.row.seen_at > TOUCH_INTERVAL and not shared
        return (session.modified or stale or session.renew) and (bool(session) or session.row is not None)


def _write(connection: Connection, session: ServerSession, moment: dt.datetime, *, wait: bool = True) -> bool:
    """Save the session.  False if it was signed out during this request; it stays signed out.

    False also, without `wait`, if another request holds the row.
    """
    continues = session.row is not None and session.key is not None and not session.renew
    began = session.row.created_at if session.row is not None and continues else moment
    values = _values(session, moment, began)
    if continues:
        known = (CONTINUE if session.modified else TOUCH).format(SKIP="" if wait else "SKIP LOCKED")
        values["digest"] = digest_of(session.key or "")
        return connection.exec_driver_sql(known, values).one_or_none() is not None
    values["former"] = None if session.key is None else digest_of(session.key)
    session.key = secrets.token_urlsafe(32)
    connection.exec_driver_sql(BEGIN, values | {"digest": digest_of(session.key), "created_at": began})
    return True


def as_visit() -> Visit:
    """The session as it is now, for a statement that saves it with an act; nothing where it has to be saved apart."""
    current = current_session()
    if current.row is None or current.key is None or current.renew:
        return Visit()
    values = _values(current, real_now(), current.row.created_at)
    return Visit(digest_of(current.key), values["account"], values["data"], values["seen_at"], values["expires_at"])


def note_saved(visit: Visit) -> None:
    """The statement has saved the session as it was in `visit`."""
    if visit.saved:
        current_session().saved, current_session().modified = True, False


def _values(session: ServerSession, moment: dt.datetime, began: dt.datetime) -> dict[str, Any]:
    return {
        "account": session.get("_user_id"),
        "data": Json(dict(session)),
        "seen_at": moment,
        "expires_at": min(moment + IDLE_TIMEOUT, began + MAX_LIFETIME),
    }


def _delete(app: Flask, key: str | None) -> None:
    if key is None:
        return
    with app.extensions["services"].engine.begin() as connection:
        connection.execute(delete(WebSession).where(WebSession.digest == digest_of(key)))


def init(app: Flask) -> None:
    """Register the saving right after the unit of work: after-request functions run in reverse order."""
    table = SessionTable()
    app.session_interface = table
    app.after_request(table.save_with_request)
