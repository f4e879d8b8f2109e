"""Server-side sessions: the cookie is a random key, the table holds its digest, and sign-out ends it for good.

A session is written in a transaction of its own, so that a message to the reader survives a refused act.
"""

import datetime as dt
import hashlib
import secrets
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from enrollment.ground.sign_in import WebSession
from portal.clock import real_now

IDLE = dt.timedelta(hours=1)
LONGEST = dt.timedelta(hours=12)
SEEN_EVERY = dt.timedelta(minutes=1)


class ServerSession(CallbackDict, SessionMixin):
    """What views see as `flask.session`."""

    def __init__(self, data: dict[str, Any] | None = None, key: str | None = None, row: WebSession | None = None):
        super().__init__(data or {}, on_update=_touched)
        self.key = key
        self.row = row
        self.modified = False
        self.accessed = False
        self.renew = False
        self.expired = False

    @property
    def permanent(self) -> bool:
        return False


def _touched(session: ServerSession) -> None:
    session.modified = True


def digest_of(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class SessionTable(SessionInterface):
    def open_session(self, app: Flask, request: Request) -> ServerSession:
        key = request.cookies.get(self.cookie_name(app))
        if not key or request.path.startswith("/static/"):
            return ServerSession()
        with Session(app.extensions["house"].engine) as database:
            row = database.scalar(select(WebSession).where(WebSession.digest == digest_of(key)))
        if row is None or row.expires_at <= real_now():
            fresh = ServerSession()
            fresh.expired = True
            return fresh
        return ServerSession(row.data, key, row)

    def cookie_name(self, app: Flask) -> str:
        return "__Host-session" if app.extensions["house"].config.https else "session"

    def save_session(self, app: Flask, session: ServerSession, response: Response) -> None:  # type: ignore[override]
        moment = real_now()
        if session.row is not None and not session and session.modified:
            self._forget(app, session.key)
            response.delete_cookie(
                self.cookie_name(app),
                path="/",
                secure=app.extensions["house"].config.https,
                httponly=True,
                samesite="Lax",
            )
            return
        stale = session.row is not None and moment - session.row.seen_at > SEEN_EVERY
        if not (session.modified or stale or session.renew) or (not session and session.row is None):
            return
        began = session.row.created_at if session.row is not None and not session.renew else moment
        if session.renew or session.key is None:
            self._forget(app, session.key)
            session.key = secrets.token_urlsafe(32)
        self._write(app, session, began, moment)
        response.set_cookie(
            self.cookie_name(app),
            session.key,
            path="/",
            httponly=True,
            secure=app.extensions["house"].config.https,
            samesite="Lax",
        )

    def _write(self, app: Flask, session: ServerSession, began: dt.datetime, moment: dt.datetime) -> None:
        values = {
            "digest": digest_of(session.key or ""),
            "account_id": session.get("_user_id"),
            "data": dict(session),
            "created_at": began,
            "seen_at": moment,
            "expires_at": min(moment + IDLE, began + LONGEST),
        }
        changed = {name: values[name] for name in ("account_id", "data", "seen_at", "expires_at")}
        statement = insert(WebSession).values(values).on_conflict_do_update(index_elements=["digest"], set_=changed)
        with Session(app.extensions["house"].engine) as database, database.begin():
            database.execute(statement)

    def _forget(self, app: Flask, key: str | None) -> None:
        if key is None:
            return
        with Session(app.extensions["house"].engine) as database, database.begin():
            database.execute(delete(WebSession).where(WebSession.digest == digest_of(key)))
