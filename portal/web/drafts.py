"""Drafts and photos that a family's browser keeps until the server has them: whose they are, and which have arrived.

The browser keeps them under `draft_owner`, which names the account to nobody else, and seals them with a key to which
`draft_secret` is one half (`static/js/kept.js`, ADR 42).  A draft has arrived when the key of its form stands among the acts that were done (`idempotency`).
"""

import functools
import hmac
import uuid

from flask import Flask, current_app, g
from flask_login import current_user
from sqlalchemy import select

from enrollment.ground.sign_in import IdempotentResponse
from portal.text.words import language
from portal.web.front.static_files import digests
from portal.web.unit_of_work import db

MOST_KEYS = 20


def draft_owner() -> str | None:
    """A name for the signed-in account in its browser's storage.  None for a helper, whose machine is not the family's."""
    if "draft_owner" not in g:
        is_family = current_user.is_authenticated and "acting" not in g
        g.draft_owner = _of_account("draft")[:24] if is_family else None
    return g.draft_owner


def draft_secret() -> str | None:
    """The account's half of the key that seals what its browser keeps; only its own pages show it."""
    return _of_account("draft secret") if draft_owner() is not None else None


def _of_account(purpose: str) -> str:
    signed = _keyed(str(current_app.config["SECRET_KEY"])).copy()
    signed.update(f"{purpose}|{current_user.get_id()}".encode())
    return signed.hexdigest()


@functools.cache
def _keyed(secret: str) -> hmac.HMAC:
    """With the key inside, so that only what is signed has to be hashed."""
    return hmac.new(secret.encode(), digestmod="sha256")


def offline_worker() -> str:
    """The address of the worker that shows a page without a network: another one for another language and after a change."""
    folders = digests()
    return f"/offline-worker.js?lang={language()}&v={folders['js'][:6]}{folders['css'][:6]}"


def arrived(keys: list[str]) -> list[str]:
    """Which of these keys of forms the signed-in account has sent with success."""
    if not current_user.is_authenticated:
        return []
    owner = uuid.UUID(current_user.get_id())
    asked = {f"{owner.hex}:{key}": key for key in keys[:MOST_KEYS] if 0 < len(key) <= 64}
    found = db().scalars(select(IdempotentResponse.key).where(IdempotentResponse.key.in_(asked)))
    return sorted(asked[key] for key in found)


def init(app: Flask) -> None:
    app.jinja_env.globals.update(draft_owner=draft_owner, draft_secret=draft_secret, offline_worker=offline_worker)
