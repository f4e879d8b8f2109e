"""The values of a form whose session had expired, encrypted in the session until the same person signs in again.

They are saved for one account, so that another person at the same computer does not see them.  A form posted by another
site is not saved: its request has no session cookie.  A helper's values are saved for the family they were entered for.
"""

import json

from flask import flash, g, request, session
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from portal.web.sessions import current_session

NEVER_SAVED = {
    "csrf_token", "idempotency_key", "password", "code", "new_code", "old_code", "document_end", "acting",
}  # fmt: skip
MAX_LENGTH = 200_000


def save_form(path: str, *, of_nobody: bool = False) -> bool:
    """Save the posted fields for the page at `path` (with its query).  False if the account is unknown or they are too long.

    With `of_nobody` also in a session in which nobody has signed in, for that session.  Of files only the names are saved,
    so that the page can ask for them again.
    """
    posted = [(name, value) for name, values in request.form.lists() for value in values]
    files = [(name, file.filename or "") for name, files in request.files.lists() for file in files]
    return save_fields(path, posted + files, of_nobody=of_nobody)


def save_fields(path: str, posted: list[tuple[str, str]], *, of_nobody: bool = False) -> bool:
    """`save_form` for fields that were read in another way."""
    owner = current_session().owner
    fields = [[name, value] for name, value in posted if name not in NEVER_SAVED]
    family = next((value for name, value in posted if name == "acting"), None)
    text = json.dumps({"owner": owner, "family": family, "path": path, "fields": fields})
    if (owner is None and not of_nobody) or len(text) > MAX_LENGTH:
        return False
    current_session().set_sealed("saved_form", text)
    return True


def saved_form(path: str) -> MultiDict | None:
    """The saved fields of this page, if the current account entered them; else None.

    They are taken out of the session once and are there for every form of this page.
    """
    if "saved_form" not in g:
        g.saved_form = _take(path)
    return g.saved_form


def _take(path: str) -> MultiDict | None:
    text = current_session().get_sealed("saved_form")
    if text is None:
        return None
    saved = json.loads(text)
    if saved["owner"] != current_user.get_id():
        if current_user.is_authenticated or saved["owner"] is None:
            session.pop("saved_form")
        return None
    if saved["path"] != path or saved["family"] != session.get("acting"):
        return None
    session.pop("saved_form")
    typed = any(value for _name, value in saved["fields"])
    flash(_("您刚才填写的内容还在，请核对后再保存一次。") if typed else _("刚才的按钮还没有生效，请再按一次。"))
    return MultiDict([(name, value) for name, value in saved["fields"]])
