"""Idempotent POST requests: the same key and body get the saved answer; another body with the same key is a 409."""

import hashlib
import uuid
from collections.abc import Callable
from typing import IO, TypeAlias

from flask import Flask, Response, abort, current_app, flash, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_login import current_user
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from enrollment.applications.statements.keyed_write import Visit
from enrollment.ground.sign_in import IdempotentResponse, RequestKey
from portal.web import sessions
from portal.web.clock import real_now
from portal.web.guards import P, View
from portal.web.unit_of_work import db

FIELD = "idempotency_key"
CHUNK = 65536
"""Bytes of an uploaded file that are read at once."""
NOT_IN_DIGEST = {"csrf_token", FIELD}


def idempotency_key() -> str:
    """A new key for a form that is about to be shown.  `g.fresh_keys` lists those of the page."""
    key = uuid.uuid4().hex
    g.setdefault("fresh_keys", []).append(key)
    return key


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


def keeps_key(view: View[P]) -> View[P]:
    """The view looks after the request's key itself: it stores the key with its own write, or calls `replay_answer`."""
    view.keeps_key = True  # type: ignore[attr-defined]
    return view


def _is_kept_by_view() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "keeps_key", False)


def request_key() -> RequestKey | None:
    """The key of this POST request of a signed-in person; None without a usable one."""
    if request.method != "POST":  # first: the form of a page that is only shown need not be looked for
        return None
    key = request.form.get(FIELD, "")
    if not key or len(key) > 64 or not current_user.is_authenticated:
        return None
    owner = uuid.UUID(current_user.get_id())
    return RequestKey(f"{owner.hex}:{key}", owner, _body_digest(), real_now())


def replay_answer() -> ResponseReturnValue | None:
    """Return the saved answer if this key was used.  Requests with the same key wait for each other."""
    found = request_key()
    if found is None:
        return None
    db().execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": found.key})
    saved = (
        db()
        .execute(
            select(IdempotentResponse.body_digest, IdempotentResponse.location).where(
                IdempotentResponse.key == found.key
            )
        )
        .one_or_none()
    )
    if saved is None:
        g.idempotency = found
        return None
    if saved.body_digest != found.body_digest:
        abort(409)
    return redirect(saved.location, 303)


def _replay_unless_kept() -> ResponseReturnValue | None:
    return None if _is_kept_by_view() else replay_answer()


def save_answer(response: Response) -> Response:
    """Save the redirect target of a successful POST in the same transaction as its changes."""
    pending = g.pop("idempotency", None)
    if pending is not None and response.status_code in (302, 303) and not g.get("rollback_only"):
        values = {
            "key": pending.key,
            "account_id": pending.account_id,
            "body_digest": pending.body_digest,
            "status": 303,
            "location": response.location,
            "done_at": pending.at,
        }
        db().execute(insert(IdempotentResponse).values(values).on_conflict_do_nothing())
    return response


Message: TypeAlias = "str | LazyString | tuple[str, str]"
"""What a person reads on the next page, perhaps with its category, as `flash` takes them."""


def do_at_once(write: Callable[[Visit], bool], location: str, *messages: Message) -> ResponseReturnValue | None:
    """Redirect to `location` after an act in one statement, which stores the answer and saves the session with these
    messages.  None if `write` has written nothing; then no message stays, and the session is not saved for one: another request
    with this key may have stored its messages there."""
    current = sessions.current_session()
    messages_before, modified_before, written = current.messages(), current.modified, False
    try:
        for message in messages:
            flash(*message) if isinstance(message, tuple) else flash(str(message))
        visit = sessions.as_visit()
        written = write(visit)
    finally:
        if not written:
            current.set_messages(messages_before)
            current.modified = modified_before
    if not written:
        return None
    sessions.note_saved(visit)
    return redirect(location, 303)


def init(app: Flask) -> None:
    app.before_request(_replay_unless_kept)
    app.after_request(save_answer)
    app.jinja_env.globals["idempotency_key"] = idempotency_key
