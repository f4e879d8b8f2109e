"""Who asks for a code: the browser, the network address, and whether the browser has signed in with this phone before.

A browser is known by a signed cookie with a random id and the phones that signed in with it, as digests.  The cookie
signs nobody in: it only gives the owner of a phone an allowance of codes that a stranger's requests cannot use up.
"""

import secrets

from flask import Flask, Response, current_app, g, request, session
from flask_limiter.util import get_remote_address
from itsdangerous import BadSignature, URLSafeTimedSerializer

from enrollment.ground.phones import phone_index
from enrollment.ground.sign_in import Asker
from portal.web.unit_of_work import services

LIFETIME = 400 * 24 * 3600
"""Seconds; from one season to the next."""

MOST_PHONES = 5
SESSION_KEY = "browser"


def asker_for(phone: str) -> Asker:
    """This browser as the asker of a code for the phone."""
    device = _read()
    return Asker(browser=browser_id(), address=get_remote_address(), known=_digest(phone) in device["phones"])


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
    g.device = {"id": browser_id(), "phones": phones}


def _digest(phone: str) -> str:
    return phone_index(phone).hex()[:16]


def _read() -> dict:
    content = request.cookies.get(_cookie_name())
    try:
        return _serializer().loads(content, max_age=LIFETIME) if content else {"id": "", "phones": []}
    except BadSignature:
        return {"id": "", "phones": []}


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
