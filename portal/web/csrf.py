"""Protection against forged requests.  A form whose session has expired is saved and shown again."""

from urllib.parse import urlsplit

from flask import Flask, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from portal.web.guards import guard_of
from portal.web.restored_form import save_form

csrf = CSRFProtect()


def page_of_the_form() -> str:
    """The address of the page that holds the posted form: the posted one if it answers GET, else the referrer's.

    It keeps its query, which can name what the form is about, such as the kind of a correction.
    """
    referrer = urlsplit(request.referrer or "")
    for path, query in (
        (request.path, request.query_string.decode("utf-8", "replace")),
        (referrer.path, referrer.query),
    ):
        try:
            if path and current_app.url_map.bind("").match(path, "GET"):
                return f"{path}?{query}" if query else path
        except (HTTPException, RequestRedirect):
            continue
    return "/"


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


def _token_refused(_fault: CSRFError) -> ResponseReturnValue:
    """The CSRF token is wrong, for example after a sign-in in another tab: show the page with the entered values."""
    page = page_of_the_form()
    save_form(page)
    flash(_("这个页面打开得太久了，请再提交一次。您填写的内容没有丢失。"))
    return redirect(page, 303)


def init(app: Flask) -> None:
    app.before_request(ask_to_sign_in_again)
    csrf.init_app(app)
    app.register_error_handler(CSRFError, _token_refused)
