"""Protection against forged requests.  A form whose session has expired is saved and shown again.

Answers are compressed, and a page may repeat what its address contains.  A secret that is the same in each answer could
then be guessed from the sizes of answers (BREACH).  Therefore each answer shows the token under a mask of its own.
"""

import base64
import binascii
import functools
import json
import os
from typing import Any, cast

from flask import Flask, current_app, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from portal.web.authentication import has_fresh_second_factor
from portal.web.guards import guard_of
from portal.web.restored_form import save_form
from portal.web.safe_redirect import page_of_form

FIELD = "csrf_token"
"""The token of a session, in the session, in a form, and signed in `g`."""


def masked_token() -> str:
    """The token of this session under a random mask, the same for all forms of one answer."""
    if "masked_token" not in g:
        if FIELD not in session:
            generate_csrf()
        else:
            g.csrf_token = _signer(str(current_app.config["SECRET_KEY"])).dumps(session[FIELD])
        g.masked_token = masked(g.csrf_token)
    return g.masked_token


class TokenSigner(TimestampSigner):
    """Signs with one key, which is derived once."""

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        if secret_key is not None:
            return super().derive_key(secret_key)
        return self._derived

    @functools.cached_property
    def _derived(self) -> bytes:
        return super().derive_key()


class TokenSerializer(URLSafeTimedSerializer):
    """Writes a token without trying to compress it: the digits of a token are as short as they can be."""

    default_signer = TokenSigner

    def dump_payload(self, obj: Any) -> bytes:
        return base64_encode(json.dumps(obj))

    def make_signer(self, salt: str | bytes | None = None) -> TimestampSigner:
        return cast(TimestampSigner, super().make_signer(salt)) if salt is not None else self._signer

    @functools.cached_property
    def _signer(self) -> TimestampSigner:
        return cast(TimestampSigner, super().make_signer())


@functools.cache
def _signer(secret: str) -> TokenSerializer:
    """What Flask-WTF makes for each token: it signs the token of a session."""
    return TokenSerializer(secret, salt="wtf-csrf-token")


def masked(signed: str) -> str:
    """A signed token under a random mask."""
    token = signed.encode()
    mask = os.urandom(len(token))
    return base64.urlsafe_b64encode(mask + _xor(token, mask)).decode()


def _unmasked(posted: str | None) -> str | None:
    """The token under the mask; None for a text that `masked_token` did not make."""
    try:
        both = base64.b64decode((posted or "").encode(), altchars=b"-_", validate=True)
        half = len(both) // 2
        return _xor(both[:half], both[half:]).decode("ascii")
    except (binascii.Error, ValueError):
        return None


def _xor(one: bytes, other: bytes) -> bytes:
    if len(one) != len(other):
        raise ValueError("texts of different length")
    both = int.from_bytes(one) ^ int.from_bytes(other)
    return both.to_bytes(len(one))


class MaskedCSRFProtect(CSRFProtect):
    """Flask-WTF's protection for masked tokens."""

    def _get_csrf_token(self) -> str | None:
        return _unmasked(super()._get_csrf_token())


csrf = MaskedCSRFProtect()


def page_of_the_form() -> str:
    """The address of the page that holds the form of this request (`safe_redirect.page_of_form`)."""
    query = request.query_string.decode("utf-8", "replace")
    target = f"{request.path}?{query}" if query else request.path
    return page_of_form(current_app.url_map, target, request.referrer or "")


def ask_to_sign_in_again() -> ResponseReturnValue | None:
    """A form of a desk was posted without a session: save the entered values and redirect to the sign-in page."""
    if request.method != "POST" or current_user.is_authenticated or request.endpoint is None:
        return None
    guard = guard_of(current_app, request.endpoint)
    if guard is None or guard.desk is None:
        return None
    page = page_of_the_form()
    if save_form(page):
        flash(_("您离开得有些久，登录已经失效。刚才填写的内容还在，重新登录后可以继续。"))
    else:
        flash(_("您还没有登录，或者已经退出。请登录后再填写。"))
    return redirect(url_for("public.sign_in", next=page), 303)


def ask_for_second_factor() -> ResponseReturnValue | None:
    """A dangerous act without a fresh second factor: save the entered values and ask for it."""
    guard = guard_of(current_app, request.endpoint) if request.endpoint else None
    if guard is None or not guard.step_up or not current_user.is_authenticated:
        return None
    if not guard.admits(current_user.actor.roles) or has_fresh_second_factor():
        return None
    page = request.full_path.rstrip("?")
    if request.method == "POST":
        page = page_of_the_form()
        save_form(page)
    return redirect(url_for("public.confirm_identity", next=page), 303)


def _token_refused(_fault: CSRFError) -> ResponseReturnValue:
    """The CSRF token is wrong, for example after a sign-in in another tab: show the page with the entered values."""
    page = page_of_the_form()
    save_form(page)
    flash(_("这个页面打开得太久了，请再提交一次。您填写的内容没有丢失。"))
    return redirect(page, 303)


def init(app: Flask) -> None:
    app.before_request(ask_to_sign_in_again)
    csrf.init_app(app)
    app.before_request(ask_for_second_factor)  # after the token: a forged request saves nothing
    app.jinja_env.globals["csrf_token"] = masked_token
    app.context_processor(lambda: {"csrf_token": masked_token})
    app.register_error_handler(CSRFError, _token_refused)
