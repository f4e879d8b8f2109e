"""Server-side sessions: the cookie is a random key, and the table holds its digest.  Sign-out deletes the row.

A session is saved in its own transaction, so that flash messages survive the rollback of a refused request.
"""

import base64
import datetime as dt
import hashlib
import secrets
from typing import Any, cast

from flask import Flask, Request, Response, session
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from enrollment.ground.sign_in import WebSession
from enrollment.ground.vault import seal, unseal
from portal.web.clock import real_now

IDLE_TIMEOUT = dt.timedelta(hours=1)
MAX_LIFETIME = dt.timedelta(hours=12)
TOUCH_INTERVAL = dt.timedelta(minutes=1)


class ServerSession(CallbackDict, SessionMixin):
    """The class of `flask.session`."""

    def __init__(self, data: dict[str, Any] | None = None, key: str | None = None, row: WebSession | None = None):
        super().__init__(data or {}, on_update=_mark_modified)
        self.key = key
        self.row = row
        self.modified = False
        self.accessed = False
        self.renew = False
        self.expired = False
        self.expired_owner: str | None = None

    @property
    def owner(self) -> str | None:
        """The account that is signed in, or was signed in until the session expired; None if unknown."""
        return self.get("_user_id") or self.expired_owner

    def set_sealed(self, name: str, text: str) -> None:
        """Store a text with personal data; the row holds it encrypted."""
        self[name] = base64.b64encode(seal(text, f"web_session.{name}")).decode()

    def get_sealed(self, name: str) -> str | None:
        return unseal(base64.b64decode(self[name]), f"web_session.{name}") if name in self else None


def _mark_modified(session: ServerSession) -> None:
    session.modified = True


def current_session() -> ServerSession:
    """`flask.session` with the methods that this portal's sessions have."""
    return cast(ServerSession, session)


def digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class SessionTable(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> ServerSession:
        key = request.cookies.get(self.cookie_name(app))
        if not key or request.path.startswith("/static/"):
            return ServerSession()
        with Session(app.extensions["services"].engine) as database:
            row = database.scalar(select(WebSession).where(WebSession.digest == digest_of(key)))
        if row is None or row.expires_at <= real_now():
            fresh = ServerSession()
            fresh.expired = True
            fresh.expired_owner = str(row.account_id) if row is not None and row.account_id else None
            return fresh
        return ServerSession(row.data, key, row)

    def cookie_name(self, app: Flask) -> str:
        return "__Host-session" if app.extensions["services"].config.https else "session"

    def save_session(self, app: Flask, session: ServerSession, response: Response) -> None:  # type: ignore[override]
        moment = real_now()
        if session.row is not None and not session and session.modified:
            self._delete(app, session.key)
            response.delete_cookie(
                self.cookie_name(app),
                path="/",
                secure=app.extensions["services"].config.https,
                httponly=True,
                samesite="Lax",
            )
            return
        shared = response.cache_control.public  # a shared cache must never store a person's cookie
        stale = session.row is not None and moment - session.row.seen_at > TOUCH_INTERVAL and not shared
        if not (session.modified or stale or session.renew) or (not session and session.row is None):
            return
        if not self._write(app, session, moment):
            return
        response.set_cookie(
            self.cookie_name(app),
            session.key or "",
            path="/",
            httponly=True,
            secure=app.extensions["services"].config.https,
            samesite="Lax",
        )

    def _write(self, app: Flask, session: ServerSession, moment: dt.datetime) -> bool:
        """Save the session.  False if it was signed out during this request; it stays signed out."""
        continues = session.row is not None and session.key is not None and not session.renew
        began = session.row.created_at if session.row is not None and continues else moment
        values = {
            "account_id": session.get("_user_id"),
            "data": dict(session),
            "seen_at": moment,
            "expires_at": min(moment + IDLE_TIMEOUT, began + MAX_LIFETIME),
        }
        with Session(app.extensions["services"].engine) as database, database.begin():
            if continues:
                known = update(WebSession).where(WebSession.digest == digest_of(session.key or "")).values(values)
                return database.scalar(known.returning(WebSession.digest)) is not None
            if session.key is not None:
                database.execute(delete(WebSession).where(WebSession.digest == digest_of(session.key)))
            session.key = secrets.token_urlsafe(32)
            fresh = {"digest": digest_of(session.key), "created_at": began}
            database.execute(insert(WebSession).values(values | fresh))
        return True

    def _delete(self, app: Flask, key: str | None) -> None:
        if key is None:
            return
        with Session(app.extensions["services"].engine) as database, database.begin():
            database.execute(delete(WebSession).where(WebSession.digest == digest_of(key)))
