"""Security headers of every response: strict content policy, no framing, no caching of personal pages."""

from flask import Flask, Response, session
from flask_login import current_user

from portal.web.unit_of_work import services

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

OF_EVERY_ANSWER = (
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=()"),
)

SIGN_IN_KEYS = {"phone", "second_factor_for", "saved_form", "sign_on_identity"}
"""Session keys that hold personal data before the sign-in is complete."""


def _harden(response: Response) -> Response:
    headers = response.headers
    given = {name.lower() for name in headers.keys()}  # noqa: SIM118  an iteration gives pairs
    for name, value in OF_EVERY_ANSWER:
        if name.lower() not in given:
            headers.add(name, value)
    if services().config.https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if response.mimetype == "text/html" or current_user.is_authenticated:
        personal = current_user.is_authenticated or not SIGN_IN_KEYS.isdisjoint(session)
        headers.setdefault("Cache-Control", "no-store" if personal else "no-cache")
    return response


def init(app: Flask) -> None:
    app.after_request(_harden)
