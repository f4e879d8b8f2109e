"""Idempotent POST requests: the same key and body get the saved answer; another body with the same key is a 409."""

import hashlib
import uuid
from typing import IO

from flask import Flask, Response, abort, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from enrollment.ground.sign_in import IdempotentResponse
from portal.web.clock import real_now
from portal.web.unit_of_work import db

FIELD = "idempotency_key"
CHUNK = 65536
"""Bytes of an uploaded file that are read at once."""
NOT_IN_DIGEST = {"csrf_token", FIELD}


def idempotency_key() -> str:
    """A new key for a form that is about to be shown."""
    return uuid.uuid4().hex


def _file_digest(stream: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while part := stream.read(CHUNK):
        digest.update(part)
    return digest.digest()


def _body_digest() -> bytes:
    digest = hashlib.sha256(request.path.encode())
    for name, values in sorted(request.form.lists()):
        if name not in NOT_IN_DIGEST:
            digest.update(repr((name, values)).encode())
    for name, files in sorted(request.files.lists()):
        for file in files:
            digest.update(repr((name, file.filename)).encode())
            digest.update(_file_digest(file.stream))
            file.stream.seek(0)
    return digest.digest()


def replay_answer() -> ResponseReturnValue | None:
    """Return the saved answer if this key was used.  Requests with the same key wait for each other."""
    key = request.form.get(FIELD, "")
    if request.method != "POST" or not key or len(key) > 64 or not current_user.is_authenticated:
        return None
    owner = uuid.UUID(current_user.get_id())
    key = f"{owner.hex}:{key}"
    digest = _body_digest()
    db().execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
    saved = (
        db()
        .execute(
            select(IdempotentResponse.body_digest, IdempotentResponse.location).where(IdempotentResponse.key == key)
        )
        .one_or_none()
    )
    if saved is None:
        g.idempotency = (key, owner, digest)
        return None
    if saved.body_digest != digest:
        abort(409)
    return redirect(saved.location, 303)


def save_answer(response: Response) -> Response:
    """Save the redirect target of a successful POST in the same transaction as its changes."""
    pending = g.pop("idempotency", None)
    if pending is not None and response.status_code in (302, 303) and not g.get("rollback_only"):
        key, owner, digest = pending
        values = {
            "key": key,
            "account_id": owner,
            "body_digest": digest,
            "status": 303,
            "location": response.location,
            "done_at": real_now(),
        }
        db().execute(insert(IdempotentResponse).values(values).on_conflict_do_nothing())
    return response


def init(app: Flask) -> None:
    app.before_request(replay_answer)
    app.after_request(save_answer)
    app.jinja_env.globals["idempotency_key"] = idempotency_key
