"""The unit of work of a request: one session, committed after a successful answer, and who asks and when."""

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
from portal.web.clock import now

NOBODY = Actor(account_id=None, name="")


@dataclass(frozen=True)
class Services:
    """What the app holds for its whole life."""

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
    """The session of this request, opened at its first use."""
    if "session" not in g:
        g.session = Session(services().engine, expire_on_commit=False)
    return g.session


def clock() -> dt.datetime:
    """The time of this request: the same however often it is asked."""
    if "moment" not in g:
        g.moment = now(db(), demo=services().config.demo)
    return g.moment


def city_day() -> dt.date:
    """The day of this request, in Chengdu."""
    return today(clock())


def actor() -> Actor:
    """Who acts in this request; a helper whom a guard has let in for a family acts on its behalf."""
    if "acting" in g:
        return g.acting.actor
    return current_user.actor if current_user and current_user.is_authenticated else NOBODY


def _commit_success(response: Response) -> Response:
    session = g.get("session")
    if session is not None and response.status_code < 400 and not g.get("spoiled"):
        session.commit()
    return response


def _close(_fault) -> None:
    session = g.pop("session", None)
    if session is not None:
        session.close()


def init(app: Flask) -> None:
    """Register the commit first: Flask runs after-request functions last in first out, so it comes after all others."""
    app.after_request(_commit_success)
    app.teardown_request(_close)
