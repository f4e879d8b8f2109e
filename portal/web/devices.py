"""Who asks: the browser, the network address, and whether the browser has signed in with this phone or login before.

A browser is known by a signed cookie with a random id and the phones and logins that signed in with it, as digests.  The
cookie signs nobody in: it only gives the owner of a phone or login an allowance that a stranger's attempts cannot use up.
"""

import secrets

from flask import Flask, Response, current_app, g, request, session
from flask_limiter.util import get_remote_address
from itsdangerous import BadSignature, URLSafeTimedSerializer

from enrollment.ground.phones import phone_index
from enrollment.ground.sign_in import Asker
from enrollment.ground.vault import blind_index, normalise
from portal.web.front.address_rate import line_of
from portal.web.unit_of_work import services

LIFETIME = 400 * 24 * 3600
"""Seconds; from one season to the next."""

MOST_PHONES = 5
MOST_LOGINS = 12
"""A computer in the office of a kindergarten is used by several people."""

SESSION_KEY = "browser"


def network_address() -> str:
    """The address that attempts are counted by: with IPv6 that of the line."""
    return line_of(get_remote_address())


def asker_for(phone: str) -> Asker:
    """This browser as the asker of a code for the phone."""
    device = _read()
    return Asker(browser=browser_id(), address=network_address(), known=_digest(phone) in device["phones"])


def browser_id() -> str:
    """The id of the cookie, else of this session."""
    device = _read()
    if device["id"]:
        return device["id"]
    if SESSION_KEY not in session:
        session[SESSION_KEY] = secrets.token_urlsafe(16)
    return session[SESSION_KEY]


def remember_phone(phone: str) -> None:
    """This browser has signed in with the phone: the response sets the cookie."""
    phones = [_digest(phone), *(each for each in _read()["phones"] if each != _digest(phone))][:MOST_PHONES]
    g.device = _read() | {"id": browser_id(), "phones": phones}


def remember_login(login: str) -> None:
    """This browser has signed in with the login, its password and its second factor: the response sets the cookie."""
    mine = _login_digest(login)
    logins = [mine, *(each for each in _read()["logins"] if each != mine)][:MOST_LOGINS]
    g.device = _read() | {"id": browser_id(), "logins": logins}


def knows_login(login: str) -> bool:
    return _login_digest(login) in _read()["logins"]


def _login_digest(login: str) -> str:
    return blind_index(normalise(login).lower(), "device.login").hex()[:16]


def _digest(phone: str) -> str:
    return phone_index(phone).hex()[:16]


def _read() -> dict:
    content = request.cookies.get(_cookie_name())
    nothing: dict = {"id": "", "phones": [], "logins": []}
    try:
        return nothing | _serializer().loads(content, max_age=LIFETIME) if content else nothing
    except BadSignature:
        return nothing


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="device")


def _cookie_name() -> str:
    return "__Host-device" if services().config.https else "device"


def _write(response: Response) -> Response:
    if "device" in g:
        response.set_cookie(
            _cookie_name(),
            _serializer().dumps(g.device),
            max_age=LIFETIME,
            path="/",
            httponly=True,
            secure=services().config.https,
            samesite="Lax",
        )
    return response


def init(app: Flask) -> None:
    app.after_request(_write)
