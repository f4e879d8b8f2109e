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

ON_EVERY_PAGE = (
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(self), microphone=(), payment=()"),
)
"""Where the view has set none of the same name."""

SIGN_IN_KEYS = {"phone", "second_factor_for", "saved_form", "sign_on_identity"}
"""Session keys that hold personal data before the sign-in is complete."""


def _harden(response: Response) -> Response:
    headers = response.headers
    known = {name.lower() for name, _value in headers}
    for name, value in ON_EVERY_PAGE:
        if name.lower() not in known:
            headers.add(name, value)
    if services().config.https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    signed_in = current_user.is_authenticated
    if response.mimetype == "text/html" or signed_in:
        personal = signed_in or not SIGN_IN_KEYS.isdisjoint(session)
        headers.setdefault("Cache-Control", "no-store" if personal else "no-cache")
    return response


def init(app: Flask) -> None:
    app.after_request(_harden)
