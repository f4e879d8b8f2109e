"""What was typed into a form whose session had ended, kept sealed until the same person has signed in again.

It is kept for an account: the next reader at the same computer gets nothing of it, and a form that another site posted
belongs to nobody, because the cookie does not come with it.  What a helper typed is kept for the family it was typed for.
"""

import json

from flask import flash, request, session
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

NEVER_KEPT = {"csrf_token", "once_key", "password", "code", "acting"}
LONGEST = 200_000


def keep_form(path: str) -> bool:
    """Keep the posted fields for the page at `path`, if it is known whose they are.  Files cannot be kept; their pages say so."""
    return keep_fields(path, [(name, value) for name, values in request.form.lists() for value in values])


def keep_fields(path: str, posted: list[tuple[str, str]]) -> bool:
    """`keep_form` for fields that were read in another way."""
    owner = session.owner  # type: ignore[attr-defined]
    fields = [[name, value] for name, value in posted if name not in NEVER_KEPT]
    family = next((value for name, value in posted if name == "acting"), None)
    text = json.dumps({"owner": owner, "family": family, "path": path, "fields": fields})
    if owner is None or len(text) > LONGEST:
        return False
    session.hide("kept", text)  # type: ignore[attr-defined]
    return True


def kept_for(path: str) -> MultiDict | None:
    """The kept fields of this page, once, for whoever typed them.  Other pages leave them alone."""
    text = session.hidden("kept")  # type: ignore[attr-defined]
    if text is None or not current_user.is_authenticated:
        return None
    kept = json.loads(text)
    if kept["owner"] != current_user.get_id():
        session.pop("kept")
        return None
    if kept["path"] != path or kept["family"] != session.get("acting"):
        return None
    session.pop("kept")
    flash(_("您刚才填写的内容还在，请核对后再保存一次。"))
    return MultiDict([(name, value) for name, value in kept["fields"]])
