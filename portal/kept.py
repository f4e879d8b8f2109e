"""What was typed into a form whose session had ended, kept sealed until the person has signed in again."""

import base64
import json

from flask import flash, request, session
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from enrollment.ground.vault import seal, unseal

PURPOSE = "web_session.kept"
NEVER_KEPT = {"csrf_token", "once_key", "password", "code"}
LONGEST = 200_000


def keep_form(path: str) -> None:
    """Keep the posted fields for the page at `path`.  Files cannot be kept; their pages say so."""
    fields = [[name, value] for name, values in request.form.lists() if name not in NEVER_KEPT for value in values]
    text = json.dumps({"path": path, "fields": fields})
    if len(text) <= LONGEST:
        session["kept"] = base64.b64encode(seal(text, PURPOSE)).decode()


def kept_for(path: str) -> MultiDict | None:
    """The kept fields of this page, once.  Other pages leave them alone."""
    if "kept" not in session:
        return None
    kept = json.loads(unseal(base64.b64decode(session["kept"]), PURPOSE))
    if kept["path"] != path:
        return None
    session.pop("kept")
    flash(_("您刚才填写的内容还在，请核对后再保存一次。"))
    return MultiDict([(name, value) for name, value in kept["fields"]])
