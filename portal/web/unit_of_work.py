"""The unit of work of a request: one database session, committed after a successful response, the actor and the time."""

import datetime as dt
import uuid
from dataclasses import dataclass

from flask import Flask, Response, current_app, g
from flask_login import current_user
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound
from portal.config import Config
from portal.web import clock as clocks
from portal.web.reading.request_read import common

NOBODY = Actor(account_id=None, name="")


@dataclass(frozen=True)
class Services:
    """The objects that live as long as the app."""

    config: Config
    engine: Engine


def services() -> Services:
    return current_app.extensions["services"]


def account_id() -> uuid.UUID:
    """The account of the signed-in person.  Raises NotFound when nobody is signed in."""
    if not current_user.is_authenticated:
        raise NotFound
    return uuid.UUID(current_user.get_id())


def db() -> Session:
    """The database session of this request, opened at its first use."""
    session = g.get("session")
    if session is None:
        session = g.session = Session(services().engine, expire_on_commit=False)
    return session


def clock() -> dt.datetime:
    """The time of this request.  Every call in one request returns the same value.

    It is that of the database, as it was when the request first asked it; of this host where it has asked nothing yet.
    """
    if "now" not in g:
        if services().config.demo:
            g.now = common(db()).read_at + common(db()).ahead
        else:
            g.now = common(db()).read_at if "common" in g else clocks.real_now()
    return g.now


def city_day() -> dt.date:
    """The date of this request in Chengdu."""
    return today(clock())


def actor() -> Actor:
    """The actor of this request.  A helper that a guard admitted for a family acts on behalf of the family."""
    acting = g.get("acting")
    if acting is not None:
        return acting.actor
    user = current_user._get_current_object()  # each use of the proxy looks for the user again
    return user.actor if user is not None and user.is_authenticated else NOBODY


def _commit(response: Response) -> Response:
    session = g.get("session")
    if session is not None and response.status_code < 400 and not g.get("rollback_only"):
        if _has_work(session):
            session.commit()
        g.committed = True
    return response


def _has_work(session: Session) -> bool:
    """Whether it has begun a transaction, or holds a change that begins one.  A page that was read ahead has not."""
    return session.in_transaction() or bool(session.new or session.dirty or session.deleted)


def _close(_fault: BaseException | None) -> None:
    session = g.pop("session", None)
    if session is not None:
        session.close()


def init(app: Flask) -> None:
    """Register the commit before all others: Flask runs after-request functions in reverse order, so it runs last."""
    app.after_request(_commit)
    app.teardown_request(_close)
    # a command has no request: its session ends with the application's context
    app.teardown_appcontext(_close)
